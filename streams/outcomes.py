"""The outcome of a transfer, made from its row alone, so that it says the same whenever it is made."""

import msgspec

from schemas import headers
from schemas.money import format_units
from schemas.transfers import Outcome, encode_outcome
from sinks.kafka.records import Record
from sinks.ledger.types import Transfer


def outcome_of(transfer: Transfer) -> Outcome:
    """What is told of a transfer."""
    return Outcome(
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


def outcome_record(transfer: Transfer, traceparent: bytes | None = None) -> Record:
    """The record for the outcomes topic, in the trace of its request if that has one."""
    source = (headers.SOURCE_OFFSET, str(transfer.request_offset).encode())
    return Record(
        transfer.source_wallet_id.encode(),
        encode_outcome(outcome_of(transfer)),
        [source] if traceparent is None else [(headers.TRACEPARENT, traceparent), source],
    )


def _balance(units: int | None) -> str | None:
    return None if units is None else format_units(units)
