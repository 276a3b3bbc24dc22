"""The outcome of a transfer, made from its row alone, so that it says the same whenever it is made; and back."""

import msgspec

from schemas import headers
from schemas.money import format_units, parse_units
from schemas.transfers import Outcome, decode_outcome, encode_outcome
from sinks.kafka.records import Consumed, Record
from sinks.ledger.types import Transfer


def outcome_of(transfer: Transfer) -> Outcome:
    """What is told of a transfer."""
    outcome = Outcome(
        transfer_id=transfer.transfer_id,
        source_wallet_id=transfer.source_wallet_id,
        destination_wallet_id=transfer.destination_wallet_id,
        amount=format_units(transfer.units),
        currency=transfer.currency,
        requested_at=transfer.requested_at,
        reference=msgspec.UNSET if transfer.reference is None else transfer.reference,
        metadata=msgspec.UNSET if transfer.metadata is None else transfer.metadata,
        status="COMPLETED" if transfer.reason is None else "FAILED",
        reason=transfer.reason,
        source_balance=_balance(transfer.source_units),
        source_version=transfer.source_version,
        destination_balance=_balance(transfer.destination_units),
        destination_version=transfer.destination_version,
        completed_at=transfer.completed_at,
    )
    if transfer.kind is not None:
        outcome.kind = transfer.kind
        outcome.parent_id = msgspec.UNSET if transfer.parent_id is None else transfer.parent_id
        outcome.expires_at = msgspec.UNSET if transfer.expires_at is None else transfer.expires_at
    return outcome


def outcome_record(transfer: Transfer, traceparent: bytes | None = None) -> Record:
    """The record for the outcomes topic, in the trace of its request if that has one."""
    source = (headers.SOURCE_OFFSET, str(transfer.request_offset).encode())
    return Record(
        transfer.source_wallet_id.encode(),
        encode_outcome(outcome_of(transfer)),
        [source] if traceparent is None else [(headers.TRACEPARENT, traceparent), source],
    )


def told_transfer(record: Consumed) -> Transfer:
    """The row that an outcome was made of. Raises ValueError for a record that we did not write."""
    outcome = decode_outcome(record.value or b"")
    request_offset = headers.source_offset(record.headers)
    if request_offset is None:
        raise ValueError(f"outcome {record.partition}-{record.offset} does not say what request it follows from")
    return Transfer(
        transfer_id=outcome.transfer_id,
        source_wallet_id=outcome.source_wallet_id,
        destination_wallet_id=outcome.destination_wallet_id,
        units=parse_units(outcome.amount),
        currency=outcome.currency,
        reason=outcome.reason,
        source_units=_units(outcome.source_balance),
        source_version=outcome.source_version,
        destination_units=_units(outcome.destination_balance),
        destination_version=outcome.destination_version,
        requested_at=outcome.requested_at,
        completed_at=outcome.completed_at,
        reference=None if outcome.reference is msgspec.UNSET else outcome.reference,
        metadata=None if outcome.metadata is msgspec.UNSET else outcome.metadata,
        request_partition=record.partition,
        request_offset=request_offset,
        kind=None if outcome.kind is msgspec.UNSET else outcome.kind,
        parent_id=None if outcome.parent_id is msgspec.UNSET else outcome.parent_id,
        expires_at=None if outcome.expires_at is msgspec.UNSET else outcome.expires_at,
    )


def _balance(units: int | None) -> str | None:
    return None if units is None else format_units(units)


def _units(balance: str | None) -> int | None:
    return None if balance is None else parse_units(balance)
