"""Audit records made up: values as they stand on the topic, chained."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from schemas.audit import GENESIS_HASH, chain_record
from schemas.transfers import Outcome, encode_outcome

ANNA = "00000000-0000-0000-0000-00000000000a"
BEN = "00000000-0000-0000-0000-00000000000b"
MIDNIGHT = datetime(2026, 2, 1, tzinfo=UTC)


def outcome(number: int, completed_at: datetime = MIDNIGHT, **changes: Any) -> Outcome:
    """The nth payment of 1.0000 from Anna to Ben."""
    fields: dict[str, Any] = {
        "transfer_id": f"dddddddd-0000-0000-0000-{number:012}",
        "source_wallet_id": ANNA,
        "destination_wallet_id": BEN,
        "amount": "1.0000",
        "currency": "USD",
        "requested_at": completed_at - timedelta(seconds=1),
        "status": "COMPLETED",
        "reason": None,
        "source_balance": f"{-1 - number}.0000",
        "source_version": number + 1,
        "destination_balance": f"{number + 1}.0000",
        "destination_version": number + 1,
        "completed_at": completed_at,
        **changes,
    }
    return Outcome(**fields)


def failed(number: int, reason: str, completed_at: datetime = MIDNIGHT, **changes: Any) -> Outcome:
    nothing = dict.fromkeys(("source_balance", "source_version", "destination_balance", "destination_version"))
    return outcome(number, completed_at, status="FAILED", reason=reason, **nothing, **changes)


def chained(outcomes: Iterable[Outcome]) -> list[bytes]:
    """Their records, from the beginning of a partition."""
    values, prev_hash = [], GENESIS_HASH
    for number, one in enumerate(outcomes):
        document = orjson.loads(encode_outcome(one))
        value, prev_hash = chain_record(document, outcome_offset=number * 2, sequence=number, prev_hash=prev_hash)
        values.append(value)
    return values


def payments(count: int, completed_at: datetime = MIDNIGHT) -> list[bytes]:
    return chained(outcome(number, completed_at) for number in range(count))
