"""Secrets that must be read again, kept where others may read: AES-256-GCM under a key derived from the secret key.

A sealed secret is the id of its key (8 bytes), a nonce (12) and the ciphertext with its tag. It opens for the owner
that it was sealed for and for nobody else, so one that is moved to another row is of no use there.
"""

import secrets
from collections.abc import Sequence
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.settings import Settings
from sinks.keys import Key, KeyRing

_ID_BYTES = 8
_NONCE_BYTES = 12
_KEY_BYTES = 32


class BrokenSealError(Exception):
    """A sealed secret opens with none of our keys for this owner.

    Either it was altered, or the key is no longer among SECRET_KEY and SECRET_KEYS_PREVIOUS: put it back, or let the
    owner make another secret.
    """


class Seal:
    """Seals for one purpose, under the current secret key, and opens what was sealed under earlier ones, too."""

    def __init__(self, secret_key: str, previous: Sequence[str] = (), *, purpose: str) -> None:
        self._purpose = purpose.encode()
        self._ring = KeyRing(secret_key, previous, purpose)

    @classmethod
    def of(cls, settings: Settings, purpose: str) -> Self:
        """With the keys of these settings."""
        return cls(settings.secret_key.get_secret_value(), settings.previous_secret_keys, purpose=purpose)

    def close(self, secret: bytes, owner: str) -> bytes:
        """The secret as it may be stored."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        key = self._ring.current
        return bytes.fromhex(key.key_id) + nonce + _cipher(key).encrypt(nonce, secret, self._bound_to(owner))

    def open(self, sealed: bytes, owner: str) -> bytes:
        """The secret that was sealed for this owner. Raises BrokenSealError."""
        key = self._ring.find(sealed[:_ID_BYTES].hex())
        nonce, text = sealed[_ID_BYTES : _ID_BYTES + _NONCE_BYTES], sealed[_ID_BYTES + _NONCE_BYTES :]
        if key is None or len(nonce) < _NONCE_BYTES:
            raise BrokenSealError("sealed under a key that is not known")
        try:
            return _cipher(key).decrypt(nonce, text, self._bound_to(owner))
        except InvalidTag:
            raise BrokenSealError("altered, or sealed for somebody else") from None

    def is_current(self, sealed: bytes) -> bool:
        """Whether it is sealed under the current key, so that earlier ones are not needed for it."""
        return sealed[:_ID_BYTES].hex() == self._ring.current.key_id

    def _bound_to(self, owner: str) -> bytes:
        return self._purpose + b"\0" + owner.encode()


def _cipher(key: Key) -> AESGCM:
    return AESGCM(key.secret[:_KEY_BYTES])
