from typing import Any

import msgspec
import orjson
import pytest
from aiokafka import ConsumerRecord

from ops.reconcile.facts import audit_row, dead_letter_row, notification_row, outcome_row, request_row
from sinks.kafka.records import Consumed

SOURCE = "11111111-1111-1111-1111-111111111111"
DESTINATION = "22222222-2222-2222-2222-222222222222"
TRANSFER = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa"

REQUEST = {
    "transfer_id": TRANSFER,
    "source_wallet_id": SOURCE,
    "destination_wallet_id": DESTINATION,
    "amount": "1.5",
    "currency": "USD",
    "requested_at": "2026-01-02T03:04:05Z",
}
OUTCOME = {
    **REQUEST,
    "amount": "1.5000",
    "requested_at": "2026-01-02T03:04:05.000000Z",
    "status": "COMPLETED",
    "reason": None,
    "source_balance": "-3.0000",
    "source_version": 1,
    "destination_balance": "1.5000",
    "destination_version": 2,
    "completed_at": "2026-01-02T03:04:06.000000Z",
}
NOTIFICATION = {
    "transfer_id": TRANSFER,
    "recipient": "sender",
    "user_id": TRANSFER,
    "wallet_id": SOURCE,
    "email": "a@example.com",
    "status": "COMPLETED",
    "reason": None,
    "amount": "1.5000",
    "currency": "USD",
    "reference": None,
    "completed_at": "2026-01-02T03:04:06.000000Z",
}


def record(
    value: object, *, key: bytes | None = SOURCE.encode(), headers: tuple[tuple[str, bytes], ...] | None = None
) -> Consumed:
    raw = value if isinstance(value, bytes) or value is None else orjson.dumps(value)
    return ConsumerRecord(
        topic="t",
        partition=2,
        offset=7,
        timestamp=0,
        timestamp_type=0,
        key=key,
        value=raw,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=(("source-offset", b"5"),) if headers is None else headers,
    )


def test_a_request_is_read_by_the_rules_of_the_agent() -> None:
    row = request_row(record(REQUEST))
    assert row[:2] == (2, 7)
    assert row[3:8] == (None, TRANSFER, SOURCE, DESTINATION, 15_000)


@pytest.mark.parametrize(
    ("value", "key", "cause"),
    [
        (None, SOURCE.encode(), "undecodable"),
        (b"\xff", SOURCE.encode(), "undecodable"),
        ({**REQUEST, "amount": "-1"}, SOURCE.encode(), "invalid_request"),
        (REQUEST, DESTINATION.encode(), "wrong_key"),
        (REQUEST, None, "wrong_key"),
    ],
)
def test_a_request_that_cannot_be_a_transfer_has_its_cause(value: object, key: bytes | None, cause: str) -> None:
    assert request_row(record(value, key=key))[3] == cause


def test_no_key_and_an_empty_key_are_told_apart() -> None:
    digests = {request_row(record(value, key=key))[2] for value in (None, b"") for key in (None, b"")}
    assert len(digests) == 4


def test_an_outcome_becomes_units_and_moments() -> None:
    row = outcome_row(record(OUTCOME))
    assert row[4] == 5
    assert row[8] == 15_000
    assert row[18:22] == (-30_000, 1, 15_000, 2)


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "1.5"},
        {"amount": 1.5},
        {"transfer_id": TRANSFER.upper()},
        {"source_version": -1},
        {"source_version": 2**63},
        {"completed_at": "2026-01-02T03:04:06+00:00"},
        {"reference": "\x00"},
        {"extra": 1},
        {"status": None},
    ],
)
def test_an_outcome_that_we_never_write_is_unreadable(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        outcome_row(record({**OUTCOME, **changes}))


@pytest.mark.parametrize("headers", [(), (("source-offset", b"x"),), (("source-offset", b"1"),) * 2])
def test_an_outcome_must_say_once_where_it_comes_from(headers: tuple[tuple[str, bytes], ...]) -> None:
    with pytest.raises(ValueError, match=r"."):
        outcome_row(record(OUTCOME, headers=headers))


def test_a_lone_surrogate_is_unreadable() -> None:
    raw = orjson.dumps({**OUTCOME, "reference": "X"}).replace(b'"X"', b'"\\ud800"')
    with pytest.raises(ValueError, match="canonical"):
        outcome_row(record(raw))


def test_an_audit_record_stands_for_its_outcome_whatever_the_order_of_keys() -> None:
    outcome = outcome_row(record(OUTCOME))
    sealed = {"hash": "h", "prev_hash": "p", "sequence": 0, "outcome_offset": 7, **dict(reversed(OUTCOME.items()))}
    assert audit_row(record(sealed), sealed)[2] == outcome[2]
    other = {**sealed, "amount": "2.0000"}
    assert audit_row(record(other), other)[2] != outcome[2]


def test_what_draws_on_another_is_read_with_it() -> None:
    drawn = {"kind": "void", "parent_id": TRANSFER}
    assert request_row(record({**REQUEST, **drawn}))[-3:] == ("void", TRANSFER, None)
    assert outcome_row(record({**OUTCOME, **drawn}))[13:16] == ("void", TRANSFER, None)
    assert notification_row(record({**NOTIFICATION, "kind": "void"}))[-2] == "void"
    with pytest.raises(ValueError, match="UUID"):
        outcome_row(record({**OUTCOME, **drawn, "parent_id": "x"}))


def test_a_notification_is_read_strictly() -> None:
    assert notification_row(record(NOTIFICATION))[5] == "sender"
    with pytest.raises(msgspec.ValidationError):
        notification_row(record({**NOTIFICATION, "recipient": "everybody"}))
    with pytest.raises(ValueError, match="unknown fields"):
        notification_row(record({**NOTIFICATION, "note": "!"}))


def test_a_dead_letter_must_name_partition_offset_and_a_known_cause() -> None:
    headers = (("source-partition", b"2"), ("source-offset", b"5"), ("cause", b"undecodable"))
    assert dead_letter_row(record(None, key=None, headers=headers))[3:] == (2, 5, "undecodable")
    again = dead_letter_row(record(None, headers=(("source-offset", b"1"), *headers)))
    assert again[4] == 5  # a request that was a dead letter before: its own headers come first
    for broken in (headers[1:], headers[:2], (*headers[:2], ("cause", b"mood"))):
        with pytest.raises(ValueError, match=r"."):
            dead_letter_row(record(None, headers=broken))
