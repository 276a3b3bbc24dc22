"""Hashing of passwords: bcrypt over SHA-256, so that a password of any length counts in full.

Plain bcrypt reads only the first 72 bytes. Hashing takes a quarter of a second of CPU on purpose: call it in a thread
from anything that serves others.
"""

from passlib.context import CryptContext

from schemas.passwords import normalise_password

ROUNDS = 12
"""The logarithm of bcrypt's cost. A hash of another cost still verifies, and is outdated."""

_CONTEXT = CryptContext(
    schemes=["bcrypt_sha256"],
    bcrypt_sha256__rounds=ROUNDS,
    bcrypt_sha256__min_rounds=ROUNDS,
    bcrypt_sha256__max_rounds=ROUNDS,
)


def hash_password(text: str) -> str:
    """A salted hash to store. The same password gives another hash each time."""
    return str(_CONTEXT.hash(normalise_password(text)))


def verify_password(text: str, hashed: str) -> bool:
    """Whether the password made this hash. False, too, for a hash that is not one of ours."""
    try:
        return bool(_CONTEXT.verify(normalise_password(text), hashed))
    except ValueError:
        return False


def is_hash(text: str) -> bool:
    """Whether this is a hash of ours. Some accounts hold something else, so that nobody can log in to them."""
    return _CONTEXT.identify(text) is not None


def is_outdated(hashed: str) -> bool:
    """Whether a hash of ours was made by other rules than those of today."""
    return bool(_CONTEXT.needs_update(hashed))
