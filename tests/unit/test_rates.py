"""What wallets pay in a minute: counted once each, and found again after a crash."""

import json
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from told_outcomes import NOW, consumed, failed, outcome

from schemas.headers import SOURCE_OFFSET
from schemas.settings import Settings
from schemas.topics import RATES_TABLE
from schemas.transfers import Outcome, encode_outcome
from sinks.kafka.records import Consumed
from streams.rates import counted
from streams.tables import BatchTable, TableApp

ADA = "00000000-0000-0000-0000-00000000000a"
BOB = "00000000-0000-0000-0000-00000000000b"
KEY = f"{ADA} USD"


def told(source_offset: int, said: Outcome) -> Consumed:
    return consumed(encode_outcome(said), (SOURCE_OFFSET, str(source_offset).encode()))


def paid(source_offset: int, *, after_s: int = 0, **changes: Any) -> Consumed:
    changes.setdefault("source_wallet_id", ADA)
    return told(source_offset, outcome(completed_at=NOW + timedelta(seconds=after_s), **changes))


def test_completed_transfers_are_counted_by_wallet_currency_and_minute() -> None:
    found = counted(
        {},
        [
            paid(3),
            paid(4, amount="2.5000"),
            told(5, failed(source_wallet_id=ADA)),
            paid(6, currency="EUR"),
            paid(7, source_wallet_id=BOB),
            paid(9, after_s=60),
        ],
    )
    assert found == {
        (KEY, "2026-01-02T03:04"): ["2026-01-02T03:04", 2, 35_000, 4],
        (f"{ADA} EUR", "2026-01-02T03:04"): ["2026-01-02T03:04", 1, 10_000, 6],
        (f"{BOB} USD", "2026-01-02T03:04"): ["2026-01-02T03:04", 1, 10_000, 7],
        (KEY, "2026-01-02T03:05"): ["2026-01-02T03:05", 1, 10_000, 9],
    }


def test_it_goes_on_from_the_table_and_counts_nothing_twice() -> None:
    known = {KEY: ["2026-01-02T03:04", 2, 20_000, 4]}
    assert counted(known, [paid(3), paid(4)]) == {}
    assert counted(known, [paid(4), paid(5)]) == {(KEY, "2026-01-02T03:04"): ["2026-01-02T03:04", 3, 30_000, 5]}


def test_a_clock_that_was_set_back_loses_nothing() -> None:
    known = {KEY: ["2026-01-02T03:09", 2, 20_000, 4]}
    assert counted(known, [paid(5)]) == {(KEY, "2026-01-02T03:09"): ["2026-01-02T03:09", 3, 30_000, 5]}


SETTINGS = Settings(_env_file=None, postgres_password="x", secret_key="x" * 32)


def entry(key: str, value: Any, offset: int) -> Consumed:
    record = consumed(json.dumps(value).encode(), partition=1, offset=offset)
    return replace(record, key=json.dumps(key).encode(), value=None if value is None else record.value)


def test_a_table_is_made_again_of_record_batches() -> None:
    table = TableApp("rates", SETTINGS).table_on(RATES_TABLE)
    assert isinstance(table, BatchTable)
    batches = [[entry("a", [1], 0), entry("b", [2], 1)], [entry("a", [3], 2), entry("b", None, 3)]]
    table.apply_changelog_batch([SimpleNamespace(message=SimpleNamespace(value=batch)) for batch in batches])
    assert dict(table.data) == {"a": [3]}
