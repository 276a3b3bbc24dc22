from sinks.keys import KEY_BYTES, KeyRing

NEW, OLD = "the newer secret " * 3, "the older secret " * 3


def test_the_current_key_comes_first_and_all_are_found() -> None:
    ring = KeyRing(NEW, [OLD], "tests")
    first, second = ring
    assert first == ring.current
    assert [ring.find(key.key_id) for key in (first, second)] == [first, second]
    assert ring.find("0" * 16) is None


def test_a_key_is_the_same_wherever_its_secret_stands() -> None:
    assert next(iter(KeyRing(OLD, [], "tests"))) in list(KeyRing(NEW, [OLD], "tests"))


def test_each_purpose_has_keys_and_ids_of_its_own() -> None:
    one, other = KeyRing(NEW, [], "one").current, KeyRing(NEW, [], "other").current
    assert one.key_id != other.key_id
    assert one.secret != other.secret
    assert len(one.secret) == KEY_BYTES


def test_a_key_is_not_shown() -> None:
    key = KeyRing(NEW, [], "tests").current
    assert repr(key) == f"Key(key_id='{key.key_id}')"
    assert key.key_id not in key.secret.hex()
