"""The gap between two pages of transfers, and its text, the cursor.

It says of each wallet which of its versions lie above, and of transfers in the order of time which of those do. New
versions are added above it, and where it stands depends on nothing that is added: pages never shift.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from sinks.directory.history import Place
from sinks.directory.wallets import VERSION_MAX

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Gap:
    """The lowest version above it, by wallet, and the place among transfers in the order of time."""

    versions: Mapping[str, int]
    place: Place


class _Packed(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    moment: int
    transfer_id: bytes
    is_above: bool
    versions: dict[bytes, int]


def encode_gap(gap: Gap) -> str:
    """The gap as text that is safe in an address: 45 characters, and some 30 for each wallet."""
    packed = _Packed(
        (gap.place.completed_at - _EPOCH) // _MICROSECOND,
        UUID(gap.place.transfer_id).bytes,
        gap.place.is_above,
        {UUID(wallet_id).bytes: version for wallet_id, version in gap.versions.items()},
    )
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(packed)).decode().rstrip("=")


def decode_gap(text: str) -> Gap:
    """The gap that ``encode_gap`` makes this text of. Raises ValueError.

    A text that somebody has made up may be one as well. It does no harm: it says where to read, not whose.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        packed = msgspec.msgpack.decode(raw, type=_Packed)
        moment = _EPOCH + packed.moment * _MICROSECOND
        place = Place(moment, str(UUID(bytes=packed.transfer_id)), is_above=packed.is_above)
        versions = {str(UUID(bytes=wallet_id)): version for wallet_id, version in packed.versions.items()}
    except (binascii.Error, msgspec.MsgspecError, ValueError, OverflowError):
        raise ValueError("not a cursor of ours") from None
    if not all(0 <= version <= VERSION_MAX for version in versions.values()):
        raise ValueError("not a cursor of ours")
    return Gap(versions, place)
