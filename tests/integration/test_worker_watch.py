"""The worker processes as the API's metrics tell them, whoever they are."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from prometheus_client import REGISTRY

from ops.monitor import worker_watch as watch_module
from ops.monitor.worker_watch import SILENT_S, WorkerWatch, workers_watched
from schemas.settings import Settings
from sinks.directory.database import Database
from sinks.worker_rows import FORGOTTEN_AFTER, WorkerProcess, WorkerRows

TOLD_S_MAX = 60.0


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "INTERVAL_S", 0.05)


@pytest.fixture
async def database(database_settings: Settings) -> AsyncIterator[Database]:
    database = await Database.open(database_settings)
    yield database
    await database.close()


@pytest.fixture
def rows(database: Database) -> WorkerRows:
    return WorkerRows(database)


async def counts(database: Database) -> tuple[int, int]:
    watch = WorkerWatch(database)
    await watch.look()
    assert watch.counted is not None
    return watch.counted[:2]


async def tell(rows: WorkerRows, worker_id: str) -> None:
    process = WorkerProcess(worker_id, ["transfers"], "host", 1, "0.1.0", datetime.now(UTC))
    await rows.tell(process, memory_bytes=1, assigned={"transfers": [0]}, figures={"applied": 1})


async def grow_old(connection: asyncpg.Connection, worker_id: str, by: timedelta) -> None:
    await connection.execute("update workers set seen_at = seen_at - $2::interval where worker_id = $1", worker_id, by)


async def told(state: str, count: float | None) -> None:
    async with asyncio.timeout(TOLD_S_MAX):
        while REGISTRY.get_sample_value("hfts_workers", {"state": state}) != count:  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0.05)


async def test_workers_that_fall_silent_are_told(
    database: Database, connection: asyncpg.Connection, rows: WorkerRows
) -> None:
    async with workers_watched(database):
        await told("live", 0)
        await tell(rows, "a")
        await tell(rows, "b")
        await told("live", 2)
        await told("silent", 0)
        await grow_old(connection, "b", timedelta(seconds=SILENT_S))
        await told("silent", 1)
        await told("live", 1)
        await tell(rows, "b")
        await told("live", 2)
    await told("live", None)


async def test_a_row_that_nobody_renews_goes_after_an_hour(
    database: Database, connection: asyncpg.Connection, rows: WorkerRows
) -> None:
    for worker_id in ("a", "b", "c"):
        await tell(rows, worker_id)
    await grow_old(connection, "a", FORGOTTEN_AFTER)
    await grow_old(connection, "b", FORGOTTEN_AFTER - timedelta(minutes=1))
    await tell(rows, "c")
    assert await counts(database) == (1, 1)
    await tell(rows, "a")  # it was only asleep
    assert await counts(database) == (2, 1)
    await rows.remove("a")
    assert {row["worker_id"] for row in await connection.fetch("select worker_id from workers")} == {"b", "c"}


async def test_a_database_that_is_away_leaves_nothing_to_tell(database_settings: Settings) -> None:
    database = await Database.open(database_settings.model_copy(update={"postgres_port": 1}))
    async with workers_watched(database) as watch, asyncio.timeout(TOLD_S_MAX):
        while not watch.is_away:  # noqa: ASYNC110 (nobody tells when it is)
            await asyncio.sleep(0.05)
        assert watch.counted is None
        assert REGISTRY.get_sample_value("hfts_workers", {"state": "live"}) is None
    await database.close()
