"""The row that a worker keeps, with a database that comes and goes."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs

from schemas.settings import Settings
from sinks.errors import DatabaseAwayError
from sinks.worker_rows import WorkerProcess
from streams import heartbeat as heartbeat_module
from streams.heartbeat import heartbeat
from streams.metrics import APPLIED, FAILED

SETTINGS = Settings(_env_file=None, postgres_password="none", secret_key="k" * 40, postgres_port=1)


@dataclass
class App:
    assigned: Sequence[int] | None
    should_stop: bool = False


class Rows:
    """The table, which is away as often as it is told."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Any]] = {}
        self.tellings = 0
        self.faults: list[Exception] = []

    async def tell(
        self,
        process: WorkerProcess,
        *,
        memory_bytes: int | None,
        assigned: Mapping[str, Sequence[int]],
        figures: Mapping[str, int],
    ) -> None:
        self.tellings += 1
        if self.faults:
            raise self.faults.pop(0)
        self.rows[process.worker_id] = {"memory": memory_bytes, "assigned": assigned, "figures": figures}

    async def remove(self, worker_id: str) -> None:
        if self.faults:
            raise self.faults.pop(0)
        del self.rows[worker_id]

    async def told(self, times: int) -> None:
        """Wait until so many rows were told, or tried to be."""
        async with asyncio.timeout(30):
            while self.tellings < times:  # noqa: ASYNC110 (nobody tells when it is)
                await asyncio.sleep(0)


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Rows:
    rows = Rows()
    monkeypatch.setattr(heartbeat_module, "WorkerRows", lambda _database: rows)
    monkeypatch.setattr(heartbeat_module, "INTERVAL_S", 0.0)
    return rows


async def test_a_row_comes_is_renewed_and_goes(rows: Rows) -> None:
    audit = App(None)
    before = heartbeat_module._figures()
    async with heartbeat(SETTINGS, {"transfers": App([0, 2]), "audit": audit}):
        await rows.told(1)
        [first] = rows.rows.values()
        assert first["assigned"] == {"transfers": [0, 2], "audit": []}
        assert first["memory"] > 1_000_000
        assert first["figures"] == before
        APPLIED.inc(3)
        FAILED.labels("wallet_frozen").inc()
        audit.assigned = [1]
        await rows.told(rows.tellings + 2)
        [renewed] = rows.rows.values()
        assert renewed["assigned"]["audit"] == [1]
        assert (renewed["figures"]["applied"], renewed["figures"]["failed"]) == (
            before["applied"] + 3,
            before["failed"] + 1,
        )
    assert rows.rows == {}


async def test_a_database_that_is_away_is_told_of_once_and_fails_nothing(rows: Rows) -> None:
    with capture_logs() as logged:
        async with heartbeat(SETTINGS, {"transfers": App([])}):
            rows.faults = [DatabaseAwayError("PostgreSQL is away"), RuntimeError("what nobody expected")]
            await rows.told(5)
            assert len(rows.rows) == 1
            rows.faults = [DatabaseAwayError("PostgreSQL is away")]
            await rows.told(rows.tellings + 3)
    assert [line["event"] for line in logged] == ["heartbeat.not_told", "heartbeat.not_told"]


async def test_a_row_that_cannot_be_taken_away_is_left(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat_module, "INTERVAL_S", 3600.0)
    with capture_logs() as logged:
        async with heartbeat(SETTINGS, {"transfers": App([])}):
            await rows.told(1)
            rows.faults = [DatabaseAwayError("PostgreSQL is away")]
    assert [line["event"] for line in logged] == ["heartbeat.row_left_behind"]
    assert len(rows.rows) == 1


async def test_no_two_processes_have_the_same_row(rows: Rows) -> None:
    async with heartbeat(SETTINGS, {"transfers": App([])}), heartbeat(SETTINGS, {"transfers": App([])}):
        await rows.told(2)
        assert len(rows.rows) == 2
