from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pytest
from audit_values import ANNA, BEN, MIDNIGHT, chained, failed, outcome, payments

from ops.export.columns import SCHEMA, columns_of, days_of
from ops.export.errors import BrokenChainError
from ops.export.link import Link
from ops.export.records import AuditRecord, read_records
from schemas.audit import chain_record
from schemas.transfers import Outcome


def rows(values: list[bytes]) -> list[dict[str, Any]]:
    offsets = list(range(100, 100 + len(values)))
    records, _ = read_records(3, Link(), offsets, values)
    found: list[dict[str, Any]] = columns_of(3, offsets, records).to_pylist()
    return found


def test_every_field_of_a_record_has_a_column() -> None:
    assert set(SCHEMA.names) == {*AuditRecord.__struct_fields__, "partition", "audit_offset"}
    assert set(Outcome.__struct_fields__) < set(SCHEMA.names)


def test_every_field_keeps_its_value() -> None:
    held = outcome(
        0,
        MIDNIGHT + timedelta(microseconds=1),
        amount="99999999999999.9999",
        source_balance="-99999999999999.9999",
        destination_balance="0.0001",
        destination_version=2**63 - 1,
        reference='für "Äpfel"\n',
        metadata={"z": "1", "a": "ü", "quote": '"\\'},
        kind="hold",
        parent_id="dddddddd-0000-0000-0000-000000000009",
        expires_at=MIDNIGHT + timedelta(days=1),
    )
    [value] = chained([held])
    [row] = rows([value])
    assert row == {
        "transfer_id": held.transfer_id,
        "source_wallet_id": ANNA,
        "destination_wallet_id": BEN,
        "amount": Decimal("99999999999999.9999"),
        "currency": "USD",
        "status": "COMPLETED",
        "reason": None,
        "source_balance": Decimal("-99999999999999.9999"),
        "source_version": 1,
        "destination_balance": Decimal("0.0001"),
        "destination_version": 2**63 - 1,
        "requested_at": held.requested_at,
        "completed_at": held.completed_at,
        "reference": held.reference,
        "metadata": [("a", "ü"), ("quote", '"\\'), ("z", "1")],
        "kind": "hold",
        "parent_id": held.parent_id,
        "expires_at": held.expires_at,
        "partition": 3,
        "audit_offset": 100,
        "outcome_offset": 0,
        "sequence": 0,
        "prev_hash": "0" * 64,
        "hash": orjson.loads(value)["hash"],
    }


def test_what_a_record_does_not_have_is_null() -> None:
    [row] = rows(chained([failed(0, "insufficient_funds")]))
    assert (row["status"], row["reason"]) == ("FAILED", "insufficient_funds")
    empty = ("source_balance", "source_version", "reference", "metadata", "kind", "parent_id", "expires_at")
    assert [row[name] for name in empty] == [None] * len(empty)


def test_a_chain_goes_on_behind_a_link() -> None:
    values = payments(5)
    first, link = read_records(0, Link(), [7, 8], values[:2])
    assert (link.next_sequence, link.next_offset) == (2, 9)
    more, link = read_records(0, link, [11, 12, 13], values[2:])
    assert [record.sequence for record in (*first, *more)] == [0, 1, 2, 3, 4]
    assert read_records(0, link, [], []) == ([], link)


def test_a_record_counts_in_whatever_order_its_members_stand() -> None:
    values = payments(4)
    reversed_values = [values[0], *(orjson.dumps(dict(reversed(orjson.loads(value).items()))) for value in values[1:])]
    assert rows(reversed_values) == rows(values)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"amount": "2.0000"}, "hash does not fit"),
        ({"sequence": 7}, "sequence is 7, 1 is due"),
        ({"prev_hash": "f" * 64}, "prev_hash is not the hash"),
        ({"hash": "f" * 64}, "hash does not fit"),
        ({"source_version": "2"}, "hash does not fit"),
    ],
)
def test_a_tampered_record_is_named(change: dict[str, Any], problem: str) -> None:
    values = payments(3)
    values[1] = orjson.dumps({**orjson.loads(values[1]), **change})
    with pytest.raises(BrokenChainError, match=f"^audit partition 4, offset 11: {problem}"):
        read_records(4, Link(), [10, 11, 12], values)


@pytest.mark.parametrize("value", [None, b"", b"[]", b"{", b"\xff"])
def test_what_is_no_record_is_named(value: bytes | None) -> None:
    with pytest.raises(BrokenChainError, match=r"^audit partition 4, offset 10: the "):
        read_records(4, Link(), [10], [value])


def sealed(**changes: Any) -> bytes:
    document = {**orjson.loads(payments(1)[0]), **changes}
    for name in ("sequence", "outcome_offset", "prev_hash", "hash"):
        del document[name]
    value, _ = chain_record(document, outcome_offset=0, sequence=0, prev_hash="0" * 64)
    return value


def test_a_sealed_record_of_a_later_version_is_not_cut_down() -> None:
    with pytest.raises(BrokenChainError, match=r"not of a form that this version knows: .*`weight`"):
        read_records(4, Link(), [10], [sealed(weight=1)])


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"amount": "1.00001"}, "amount"),
        ({"amount": "100000000000000.0000"}, "amount"),
        ({"source_version": 2**63}, "source_version"),
        ({"completed_at": "yesterday"}, "completed_at"),
    ],
)
def test_what_no_column_can_hold_exactly_is_refused(change: dict[str, Any], name: str) -> None:
    records, _ = read_records(4, Link(), [10], [sealed(**change)])
    with pytest.raises(BrokenChainError, match=f"^audit partition 4, records 0 to 0: {name}: "):
        columns_of(4, [10], records)


def test_blanks_and_escapes_of_others_change_nothing() -> None:
    document = orjson.loads(chained([outcome(0, metadata={"b": "ä", "a": "\x1f/"})])[0])
    [row] = rows([orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)])
    assert dict(row["metadata"]) == {"b": "ä", "a": "\x1f/"}


def test_whole_seconds_are_times_too() -> None:
    [row] = rows(chained([outcome(0, datetime(2026, 2, 1, 12, tzinfo=UTC))]))
    assert row["completed_at"] == datetime(2026, 2, 1, 12, tzinfo=UTC)


def test_days_are_stretches_in_utc() -> None:
    late, early = MIDNIGHT - timedelta(microseconds=1), MIDNIGHT
    values = chained(outcome(number, at) for number, at in enumerate([late, late, early, late, early, early]))
    records, _ = read_records(0, Link(), range(6), values)
    table = pa.Table.from_batches([columns_of(0, range(6), records)])
    assert days_of(table) == [
        ("2026-01-31", 0, 2),
        ("2026-02-01", 2, 3),
        ("2026-01-31", 3, 4),
        ("2026-02-01", 4, 6),
    ]


def test_a_record_of_another_hand_stands_among_ours() -> None:
    values = payments(5)
    values[2] = orjson.dumps(orjson.loads(values[2]), option=orjson.OPT_INDENT_2).replace(
        b'"sequence": 2', b'"sequence": 2.0'
    )
    records, link = read_records(0, Link(), range(5), payments(5))
    assert [record.sequence for record in records] == [0, 1, 2, 3, 4]
    assert link.last_hash == orjson.loads(values[4])["hash"]
