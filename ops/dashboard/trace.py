"""The whole way of one transfer: its request, its row, its outcome, who was told, and what the audit says."""

import asyncio
from typing import Any

import msgspec
import orjson

from ops.dashboard.bodies import AuditStep, NotificationStep, OutcomeStep, RequestStep, RowStep, TransferPath
from ops.dashboard.moments import moment_of
from ops.source_reader import source_reader
from schemas.audit import record_hash
from schemas.notifications import decode_notification
from schemas.settings import Settings
from schemas.topics import AUDIT, NOTIFICATIONS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from schemas.transfers import decode_outcome
from sinks.directory.database import Database
from sinks.kafka.records import Consumed
from sinks.postgres.statements import read_statement

TRACE_S_MAX = 20.0
NOTIFICATIONS_MAX = 10
"""Of one transfer; there are two at most."""

_TRANSFER_ROW = read_statement(__file__, "transfer_row")
_COMPARED = (
    "transfer_id",
    "source_wallet_id",
    "destination_wallet_id",
    "amount",
    "currency",
    "status",
    "reason",
    "source_balance",
    "source_version",
    "destination_balance",
    "destination_version",
)
_COMPARED_IF_ANY = ("kind", "parent_id")
"""Not told of an ordinary transfer."""


async def trace_transfer(settings: Settings, database: Database, transfer_id: str) -> TransferPath | None:
    """The way as far as it has come; None where there is no row of it.

    Raises DatabaseAwayError, KafkaError, OSError and TimeoutError.
    """
    row: Any = await database.row(_TRANSFER_ROW, transfer_id, settings.topic_name(NOTIFICATIONS))
    if row is None:
        return None
    number, request_offset = row["request_partition"], row["request_offset"]
    async with asyncio.timeout(TRACE_S_MAX), source_reader(settings) as read:
        request = await read.record_at(settings.topic_name(TRANSFERS_REQUESTED), number, request_offset)
        outcomes = await read.partition(settings.topic_name(TRANSFERS_OUTCOMES), number)
        outcome = await outcomes.one_following(request_offset)
        notifications: list[Consumed] = []
        audit: Consumed | None = None
        if outcome is not None:
            told = await read.partition(settings.topic_name(NOTIFICATIONS), number)
            notifications = await told.following(outcome.offset, NOTIFICATIONS_MAX)
            audited = await read.partition(settings.topic_name(AUDIT), number)
            audit = await audited.one_following(outcome.offset)
    return TransferPath(
        transfer_id=row["transfer_id"],
        request=_request_step(settings, row, request),
        row=_row_step(row),
        outcome=None if outcome is None else _outcome_step(row, outcome),
        notifications=[_notification_step(row, record) for record in notifications],
        audit=None if audit is None else _audit_step(row, audit),
    )


def _request_step(settings: Settings, row: Any, record: Consumed | None) -> RequestStep:
    return RequestStep(
        topic=settings.topic_name(TRANSFERS_REQUESTED),
        partition=row["request_partition"],
        offset=str(row["request_offset"]),
        at=None if record is None else moment_of(record),
    )


def _row_step(row: Any) -> RowStep:
    values = {name: row[name] for name in RowStep.model_fields}
    for name in ("source_version", "destination_version"):
        values[name] = None if values[name] is None else str(values[name])
    if values["metadata"] is not None:
        values["metadata"] = orjson.loads(values["metadata"])
    return RowStep(**values)


def _outcome_step(row: Any, record: Consumed) -> OutcomeStep:
    try:
        told = decode_outcome(record.value or b"")
        is_row = all(getattr(told, name) == row[name] for name in _COMPARED) and all(
            (getattr(told, name) or None) == row[name] for name in _COMPARED_IF_ANY
        )
    except msgspec.MsgspecError:
        is_row = False
    return OutcomeStep(**_place(record), is_row=is_row)


def _notification_step(row: Any, record: Consumed) -> NotificationStep:
    try:
        told = decode_notification(record.value or b"")
    except msgspec.MsgspecError:  # somebody else has written it
        told = None
    delivered_below = row["delivered_below"]
    return NotificationStep(
        **_place(record),
        recipient=told and told.recipient,
        user_id=told and told.user_id,
        wallet_id=told and told.wallet_id,
        is_handed_out=delivered_below is not None and record.offset < delivered_below,
    )


def _audit_step(row: Any, record: Consumed) -> AuditStep:
    try:
        document = orjson.loads(record.value or b"")
        holds = document["hash"] == record_hash(document)
        is_row = all(document[name] == row[name] for name in _COMPARED) and all(
            document.get(name) == row[name] for name in _COMPARED_IF_ANY
        )
        named = {name: str(document[name]) for name in ("sequence", "prev_hash", "hash")}
    except (ValueError, TypeError, KeyError):  # somebody else has written it
        return AuditStep(**_place(record), sequence=None, prev_hash=None, hash=None, hash_holds=False, is_row=False)
    return AuditStep(**_place(record), **named, hash_holds=holds, is_row=is_row)


def _place(record: Consumed) -> dict[str, Any]:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": str(record.offset),
        "at": moment_of(record),
    }
