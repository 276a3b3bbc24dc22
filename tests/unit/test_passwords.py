from passlib.hash import bcrypt_sha256  # type: ignore[attr-defined] # passlib makes its schemes when first asked for

from sinks.passwords import hash_password, is_hash, is_outdated, verify_password


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


def test_one_password_however_it_is_typed() -> None:
    hashed = hash_password("caf\u00e9 \u2163 liegeois")
    assert verify_password("cafe\u0301 IV liegeois", hashed)
    assert not verify_password("cafe IV liegeois", hashed)


def test_a_hash_of_another_cost_verifies_and_is_outdated() -> None:
    cheaper = bcrypt_sha256.using(rounds=5).hash("correct horse")
    assert verify_password("correct horse", cheaper)
    assert is_outdated(cheaper)
    assert not is_outdated(hash_password("correct horse"))


def test_what_is_a_hash_of_ours() -> None:
    assert is_hash(hash_password("x"))
    assert not any(map(is_hash, ("", "!", "none", "$2b$12$abc")))
