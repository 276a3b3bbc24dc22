"""Rows in COPY's binary format come back from a real PostgreSQL as they went in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from builders import an_order, new_id

from schemas.money import UNITS_MAX
from sinks.ledger.copy_rows import COLUMNS, encode_rows
from sinks.ledger.transaction import stored_transfers
from sinks.ledger.types import Transfer

MOMENT = datetime(2026, 2, 3, 4, 5, 6, 789_012, tzinfo=UTC)


def a_row(**changes: Any) -> Transfer:
    fields: dict[str, Any] = {
        "transfer_id": new_id(),
        "source_wallet_id": new_id(),
        "destination_wallet_id": new_id(),
        "units": 1,
        "currency": "USD",
        "reason": None,
        "source_units": 0,
        "source_version": 1,
        "destination_units": 1,
        "destination_version": 1,
        "requested_at": MOMENT,
        "completed_at": MOMENT + timedelta(seconds=1),
        "reference": None,
        "metadata": None,
        "request_partition": 3,
        "request_offset": 2**40,
    }
    return Transfer(**fields | changes)


def refused(**changes: Any) -> Transfer:
    nothing = dict.fromkeys(("source_units", "source_version", "destination_units", "destination_version"))
    return a_row(reason="insufficient_funds", **nothing, **changes)


ROWS = [
    *(a_row(units=units) for units in (1, 9_999, 10_000, 10**8, 10**8 - 1, 10**12, 123_456_789_012_345_678, UNITS_MAX)),
    *(a_row(source_units=-units, destination_units=units) for units in (0, 1, 10_000, 10**12 + 7, UNITS_MAX)),
    a_row(source_version=2**62, reference="", metadata={}),
    a_row(reference="für Zoë 💶", metadata={"a": "ü", "b": '"'}),
    a_row(requested_at=datetime(1970, 1, 1, tzinfo=UTC)),
    a_row(requested_at=datetime(9998, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    refused(),
    refused(reference="r", metadata={"k": "v"}),
]


async def test_rows_come_back_as_they_went_in(connection: asyncpg.Connection) -> None:
    source: Any = encode_rows(ROWS)
    await connection.copy_to_table("transfers", source=source, columns=COLUMNS, format="binary")
    orders = [an_order(0, 1, transfer_id=row.transfer_id) for row in ROWS]
    stored = await stored_transfers(connection, orders)
    assert [stored[row.transfer_id] for row in ROWS] == ROWS
    assert await connection.fetchval("select min(amount)::text from transfers") == "0.0001"


@pytest.mark.parametrize(
    "changes",
    [
        {"currency": "EURO"},
        {"transfer_id": "no uuid"},
        {"transfer_id": "00000000-0000"},
        {"reference": "\ud800"},
        {"units": 10**25},
        {"source_version": 2**70},
        {"metadata": {"\ud800": ""}},
    ],
    ids=str,
)
def test_what_no_column_holds_is_a_data_error(changes: dict[str, Any]) -> None:
    with pytest.raises(asyncpg.DataError):
        encode_rows([a_row(), a_row(**changes)])
