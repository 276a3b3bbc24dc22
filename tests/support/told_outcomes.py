"""Outcomes and dead letters as they stand on their topics, made up."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiokafka import ConsumerRecord

from schemas.headers import CAUSE, SOURCE_OFFSET
from schemas.transfers import Outcome, TransferRequest, encode_outcome
from sinks.kafka.records import Consumed

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def outcome(**changes: Any) -> Outcome:
    """A completed payment of 1 USD into a wallet that has had others."""
    values: dict[str, Any] = {
        "transfer_id": str(uuid4()),
        "source_wallet_id": str(uuid4()),
        "destination_wallet_id": str(uuid4()),
        "amount": "1.0000",
        "currency": "USD",
        "requested_at": NOW,
        "status": "COMPLETED",
        "reason": None,
        "source_balance": "9.0000",
        "source_version": 2,
        "destination_balance": "5.0000",
        "destination_version": 5,
        "completed_at": NOW,
    }
    return Outcome(**(values | changes))


def failed(**changes: Any) -> Outcome:
    """One that its wallet could not pay."""
    nothing = dict.fromkeys(("source_balance", "source_version", "destination_balance", "destination_version"))
    return outcome(status="FAILED", reason="insufficient_funds", **nothing, **changes)


def outcome_of(request: TransferRequest, **changes: Any) -> Outcome:
    """What became of this request, which was completed."""
    fields = ("transfer_id", "source_wallet_id", "destination_wallet_id", "amount", "currency", "requested_at")
    said = {name: getattr(request, name) for name in fields}
    for name in ("reference", "metadata"):
        if getattr(request, name) is not None:
            said[name] = getattr(request, name)
    return outcome(**(said | changes))


def consumed(value: bytes, *headers: tuple[str, bytes], partition: int = 0, offset: int = 0) -> Consumed:
    return ConsumerRecord("topic", partition, offset, 0, 0, b"key", value, None, 3, len(value), headers)


def told(said: Outcome, partition: int = 0, offset: int = 0) -> Consumed:
    """Its record."""
    return consumed(encode_outcome(said), (SOURCE_OFFSET, b"0"), partition=partition, offset=offset)


def letter(value: bytes, cause: str, partition: int, source_offset: int) -> Consumed:
    """The dead letter of the request that stood there."""
    headers = ((SOURCE_OFFSET, str(source_offset).encode()), (CAUSE, cause.encode()))
    return consumed(value, *headers, partition=partition)
