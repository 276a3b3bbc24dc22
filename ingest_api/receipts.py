"""Receipts: what any API process needs to know of an accepted request, in a short signed text.

45 bytes (version, transfer id, owner, partition, offset) and a 16-byte HMAC-SHA-256, in URL-safe base64.
"""

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from uuid import UUID

_LAYOUT = struct.Struct(">B16s16sIQ")
_VERSION = 1
_MAC_BYTES = 16
_TOKEN_CHARS = 84  # (45 + 16) bytes in base64, with its padding
_PURPOSE = b"hfts receipt 1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where an accepted request stands, and who sent it. Ids are lower-case text."""

    transfer_id: str
    owner_id: str
    partition: int
    offset: int


class ReceiptSigner:
    """Signs receipts with a key of their own, derived from the secret key."""

    def __init__(self, secret_key: str) -> None:
        self._key = hmac.digest(secret_key.encode(), _PURPOSE, hashlib.sha256)

    def sign(self, receipt: Receipt) -> str:
        """The receipt as text for an address."""
        payload = _LAYOUT.pack(
            _VERSION,
            bytes.fromhex(receipt.transfer_id.replace("-", "")),
            bytes.fromhex(receipt.owner_id.replace("-", "")),
            receipt.partition,
            receipt.offset,
        )
        return base64.urlsafe_b64encode(payload + self._mac(payload)).decode().rstrip("=")

    def read(self, token: str) -> Receipt | None:
        """The receipt, or None for a text that we did not sign."""
        try:
            raw = base64.b64decode(token.ljust(_TOKEN_CHARS, "=").encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        if len(raw) != _LAYOUT.size + _MAC_BYTES:
            return None
        payload, mac = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
        if not hmac.compare_digest(mac, self._mac(payload)):
            return None
        version, transfer_id, owner_id, partition, offset = _LAYOUT.unpack(payload)
        if version != _VERSION:
            return None
        return Receipt(str(UUID(bytes=transfer_id)), str(UUID(bytes=owner_id)), partition, offset)

    def _mac(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, hashlib.sha256)[:_MAC_BYTES]
