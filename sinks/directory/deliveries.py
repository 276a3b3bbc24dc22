"""The delivery log, as those read it who are told."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from schemas.notifications import Party
from sinks.channels import Channel
from sinks.directory import statements
from sinks.directory.database import Database

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    """A notification on one channel, and what became of it so far. ``next_try_at`` is None once that is decided."""

    transfer_id: str
    recipient: Party
    channel: Channel
    status: Literal["pending", "delivered", "failed"]
    attempts: int
    digest_id: str | None
    last_error: str | None
    created_at: datetime
    tried_at: datetime | None
    next_try_at: datetime | None


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Of a row in the log, which is in order of time, the newest first, and then of the others."""

    created_at: datetime
    transfer_id: str
    recipient: Party
    channel: Channel


TOP = LogPlace(datetime(9999, 1, 1, tzinfo=UTC), str(UUID(int=0)), "receiver", "email")


class Deliveries:
    """The table of deliveries, for reading."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_user(self, user_id: str, behind: LogPlace, count_max: int) -> list[DeliveryRow]:
        """What this account was told, or is to be, the newest first. Raises DatabaseAwayError."""
        place = (behind.created_at, behind.transfer_id, behind.recipient, behind.channel)
        rows = await self._database.rows(statements.LIST_DELIVERIES, user_id, *place, count_max)
        return [DeliveryRow(**row) for row in rows]


class _Packed(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    moment: int
    transfer_id: bytes
    recipient: Party
    channel: Channel


def encode_place(row: DeliveryRow) -> str:
    """The row's place as text that is safe in an address."""
    moment = (row.created_at - _EPOCH) // _MICROSECOND
    packed = _Packed(moment, UUID(row.transfer_id).bytes, row.recipient, row.channel)
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(packed)).decode().rstrip("=")


def decode_place(text: str) -> LogPlace:
    """The place that ``encode_place`` makes this text of. Raises ValueError."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        packed = msgspec.msgpack.decode(raw, type=_Packed)
        moment, transfer_id = _EPOCH + packed.moment * _MICROSECOND, str(UUID(bytes=packed.transfer_id))
    except (binascii.Error, msgspec.MsgspecError, ValueError, OverflowError):
        raise ValueError("not a cursor of ours") from None
    return LogPlace(moment, transfer_id, packed.recipient, packed.channel)
