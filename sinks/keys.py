"""Keys derived from the secret keys, others for each purpose: what was signed for one can never pass for another.

HKDF-SHA-256 (RFC 5869) gives a key and, from other bytes, its id. The id tells keys apart and nothing about them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 64
_ID_BYTES = 8


@dataclass(frozen=True, slots=True)
class Key:
    """A key of 64 bytes and its id (16 hexadecimal digits)."""

    key_id: str
    secret: bytes = field(repr=False)


class KeyRing:
    """The keys of one purpose: the current one, which signs, and older ones, under which signatures still hold."""

    def __init__(self, secret_key: str, previous: Sequence[str], purpose: str) -> None:
        self.current = _derive(secret_key, purpose)
        self._keys = {key.key_id: key for key in [self.current, *(_derive(older, purpose) for older in previous)]}

    def __iter__(self) -> Iterator[Key]:
        """The current key first."""
        return iter(self._keys.values())

    def find(self, key_id: str) -> Key | None:
        """The key of this id."""
        return self._keys.get(key_id)


def _derive(secret_key: str, purpose: str) -> Key:
    info = f"hfts {purpose}".encode()
    derived = HKDF(algorithm=SHA256(), length=KEY_BYTES + _ID_BYTES, salt=None, info=info).derive(secret_key.encode())
    return Key(derived[KEY_BYTES:].hex(), derived[:KEY_BYTES])
