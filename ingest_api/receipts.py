"""Receipts: what any API process needs to know of an accepted request, in a short signed text.

53 bytes (version, transfer id, owner, partition, offset, content) and a 16-byte HMAC-SHA-256, in URL-safe base64. Those
of version 1 lack the content; they are still read.
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

CONTENT_BYTES = 8

_LAYOUT = struct.Struct(f">B16s16sIQ{CONTENT_BYTES}s")
_VERSION = 2
_LAYOUT_1 = struct.Struct(">B16s16sIQ")
_VERSION_1 = 1
_MAC_BYTES = 16
PURPOSE = "receipt"


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """Where an accepted request stands, and who sent it. Ids are lower-case text.

    ``content``: 8 bytes that are equal for requests of equal content, where their sender chose the id; else zeros.
    """

    transfer_id: str
    owner_id: str
    partition: int
    offset: int
    content: bytes = bytes(CONTENT_BYTES)


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
            receipt.content,
        )
        return base64.urlsafe_b64encode(payload + _mac(self._keys.current, payload)).decode().rstrip("=")

    def read(self, token: str) -> Receipt | None:
        """The receipt, or None for a text that we did not sign."""
        try:
            padded = token + "=" * (-len(token) % 4)
            raw = base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return None
        payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        layout = _LAYOUTS.get((payload[:1], len(payload)))
        if layout is None or not any(hmac.compare_digest(mac, _mac(key, payload)) for key in self._keys):
            return None
        _, transfer_id, owner_id, *rest = layout.unpack(payload)
        return Receipt(str(UUID(bytes=transfer_id)), str(UUID(bytes=owner_id)), *rest)


_LAYOUTS = {
    (bytes((version,)), layout.size): layout for version, layout in ((_VERSION, _LAYOUT), (_VERSION_1, _LAYOUT_1))
}


def _mac(key: Key, payload: bytes) -> bytes:
    return hmac.digest(key.secret, payload, hashlib.sha256)[:_MAC_BYTES]
