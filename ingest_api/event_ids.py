"""Ids of events: how far every partition of the outcomes has been told, in short text.

Whoever shows an id gets what comes behind it, from any API process, since nothing but the topic is asked. Ids are not
secret and not signed: nobody learns more by making one up than by starting at the beginning.

A version, then the next offset of each partition as a varint (seven bits a byte, the lowest first), in URL-safe base64.
"""

import base64
import binascii
from collections.abc import Sequence

_VERSION = 1
_VARINT_BYTES_MAX = 9
OFFSET_MAX = 2**63 - 1

ID_CHARS_MAX = 14_000
"""Less than the head of a request may have; 1,000 partitions with a billion outcomes each take half of it."""


def event_id(nexts: Sequence[int]) -> str:
    """The id behind which these offsets come next, one for each partition."""
    raw = bytearray((_VERSION,))
    for offset in nexts:
        left = offset
        while left > 0x7F:  # noqa: PLR2004 (seven bits)
            raw.append(left & 0x7F | 0x80)
            left >>= 7
        raw.append(left)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_event_id(text: str, partitions: int) -> list[int]:
    """The offsets that come next behind this id. Raises ValueError where it is none of so many partitions."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("no id of an event") from None
    if not raw or raw[0] != _VERSION:
        raise ValueError("no id of an event")
    nexts, value, shift = [], 0, 0
    for byte in raw[1:]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte & 0x80:
            if shift >= 7 * _VARINT_BYTES_MAX:
                raise ValueError("no id of an event")
            continue
        nexts.append(value)
        value = shift = 0
    if shift or len(nexts) != partitions:
        raise ValueError("no id of an event of these partitions")
    return nexts
