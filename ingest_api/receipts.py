"""Receipts: what any API process needs to know of an accepted request, in a short signed text.

45 bytes (version, transfer id, owner, partition, offset) and a 16-byte HMAC-SHA-256, in URL-safe base64.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from collections.abc import Sequence
from uuid import UUID

import msgspec

from sinks.keys import Key, KeyRing

_LAYOUT = struct.Struct(">B16s16sIQ")
_VERSION = 1
_MAC_BYTES = 16
_TOKEN_CHARS = 84  # (45 + 16) bytes in base64, with its padding
PURPOSE = "receipt"


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """Where an accepted request stands, and who sent it. Ids are lower-case text."""

    transfer_id: str
    owner_id: str
    partition: int
    offset: int


class ReceiptSigner:
    """Signs receipts with keys of their own: with that of ``secret_key``, while ``previous`` ones still count."""

    def __init__(self, secret_key: str, *, previous: Sequence[str] = ()) -> None:
        self._keys = KeyRing(secret_key, previous, PURPOSE)

    def sign(self, receipt: Receipt) -> str:
        """The receipt as text for an address."""
        payload = _LAYOUT.pack(
            _VERSION,
            bytes.fromhex(receipt.transfer_id.replace("-", "")),
            bytes.fromhex(receipt.owner_id.replace("-", "")),
            receipt.partition,
            receipt.offset,
        )
        return base64.urlsafe_b64encode(payload + _mac(self._keys.current, payload)).decode().rstrip("=")

    def read(self, token: str) -> Receipt | None:
        """The receipt, or None for a text that we did not sign."""
        try:
            raw = base64.b64decode(token.ljust(_TOKEN_CHARS, "=").encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        if len(raw) != _LAYOUT.size + _MAC_BYTES:
            return None
        payload, mac = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
        if not any(hmac.compare_digest(mac, _mac(key, payload)) for key in self._keys):
            return None
        version, transfer_id, owner_id, partition, offset = _LAYOUT.unpack(payload)
        if version != _VERSION:
            return None
        return Receipt(str(UUID(bytes=transfer_id)), str(UUID(bytes=owner_id)), partition, offset)


def _mac(key: Key, payload: bytes) -> bytes:
    return hmac.digest(key.secret, payload, hashlib.sha256)[:_MAC_BYTES]
