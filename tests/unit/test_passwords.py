from sinks.passwords import hash_password, verify_password


def test_a_password_verifies_against_its_hash_alone() -> None:
    hashed = hash_password("correct horse")
    assert verify_password("correct horse", hashed)
    assert not verify_password("correct house", hashed)


def test_every_byte_counts_beyond_the_72nd() -> None:
    start = "é" * 40
    hashed = hash_password(start + "a")
    assert verify_password(start + "a", hashed)
    assert not verify_password(start + "b", hashed)


def test_salted() -> None:
    assert hash_password("same") != hash_password("same")


def test_what_is_no_hash_verifies_nothing() -> None:
    assert not verify_password("x", "not a hash")
    assert not verify_password("x", "")


def test_a_null_character_is_no_special_case() -> None:
    assert verify_password("a\x00b", hash_password("a\x00b"))
