"""Hashing of passwords: bcrypt over SHA-256, so that a password of any length counts in full.

Plain bcrypt reads only the first 72 bytes. Hashing takes a quarter of a second of CPU on purpose: call it in a thread
from anything that serves others.
"""

from typing import Any

from passlib import hash as schemes

_SCHEME: Any = schemes.bcrypt_sha256  # type: ignore[attr-defined] # passlib makes its schemes when first asked for


def hash_password(text: str) -> str:
    """A salted hash to store. The same password gives another hash each time."""
    return str(_SCHEME.hash(text))


def verify_password(text: str, hashed: str) -> bool:
    """Whether the password made this hash. False, too, for a hash that is not one of ours."""
    try:
        return bool(_SCHEME.verify(text, hashed))
    except ValueError:
        return False
