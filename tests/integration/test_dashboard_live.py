"""What the page is told live, on real servers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import orjson
import pytest
from live_api import LiveApi, app_client
from pipeline_run import ANNA, run_pipeline
from prometheus_client import REGISTRY

from ops.dashboard import board, follower, pulse
from ops.dashboard.board import Board, open_board
from ops.dashboard.extension import dashboard
from ops.lag.reader import group_name
from ops.monitor import last_reconcile, watch, worker_watch
from ops.reconcile.record import RUNS_MAX, record_run
from ops.reconcile.run import reconcile
from schemas.settings import Settings

TOLD_S_MAX = 60.0

WORKER = """
insert into workers values ('w1', '{transfers}', 'host', 7, '0.1.0', now() - interval '1 minute', $1, 1024,
    '{"transfers": [0, 2]}', $2::jsonb)
on conflict (worker_id) do update set seen_at = excluded.seen_at, figures = excluded.figures
"""


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (follower, pulse, worker_watch, last_reconcile, watch):
        monkeypatch.setattr(module, "INTERVAL_S", 0.05)


@pytest.fixture
async def opened(settings: Settings) -> AsyncIterator[Board]:
    async with open_board(settings) as opened:
        yield opened


async def told(opened: Board, holds: Callable[[Any], bool]) -> Any:
    """The first event that is as expected."""
    number = 0
    async with asyncio.timeout(TOLD_S_MAX):
        while True:
            number, event = await opened.pulse.event_after(number)
            document = orjson.loads(event.partition(b"data: ")[2])
            if holds(document):
                return document


async def test_the_pipeline_is_told_as_it_is(settings: Settings) -> None:
    await run_pipeline(settings)
    group = group_name(settings, "transfers")
    async with open_board(settings) as opened:
        with opened.streams.one_more("somebody"):
            look = await told(opened, lambda look: look["groups"] and look["outcomes"]["read"] != "0")
            found = {one["group"]: one for one in look["groups"]}[group]
            assert found["total"] == "0"
            assert found["partition"] == "0 1 2"
            assert sum(map(int, found["next"].split())) >= 10
            assert look["outcomes"]["state"] == "following"
            assert look["outcomes"]["passed_over"] == "0"
            assert dict(look["outcomes"]["failed"]) == {"insufficient_funds": "1", "wallet_not_found": "1"}
            assert look["outcomes"]["completed"] == "3"
            assert look["outcomes"]["wallets"][0] == {"wallet_id": ANNA, "sent": "4", "received": "1"}
            assert look["money"] == {"amounts": {}, "records": "0", "unreadable": "0", "is_all": True}
        _, first = opened.pulse.first_event()
        history = orjson.loads(first.partition(b"data: ")[2])["history"]
        assert history["groups"][group]["lag"].split()[-1] == "0"


async def test_nothing_is_read_for_pages_while_none_is_open(opened: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    async with asyncio.timeout(TOLD_S_MAX):
        while not opened.history.points:  # noqa: ASYNC110 (nobody tells when it is)
            await asyncio.sleep(0.05)
    _, event = opened.pulse.first_event()
    assert orjson.loads(event.partition(b"data: ")[2])["outcomes"]["state"] == "idle"
    monkeypatch.setattr("ops.dashboard.streams.LINGER_S", 0.0)
    with opened.streams.one_more("somebody"):
        await told(opened, lambda look: look["outcomes"]["state"] == "following")
    async with asyncio.timeout(TOLD_S_MAX):
        while orjson.loads(opened.pulse.first_event()[1].partition(b"data: ")[2])["outcomes"]["state"] != "idle":  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_workers_are_told_with_what_they_do_a_second(opened: Board, connection: asyncpg.Connection) -> None:
    now = datetime.now(UTC)
    await connection.execute(WORKER, now, '{"applied": 100, "version_conflicts": 0}')
    with opened.streams.one_more("somebody"):
        look = await told(opened, lambda look: look["workers"]["rows"])
        [row] = look["workers"]["rows"]
        assert (row["worker_id"], row["is_live"], row["assigned"]) == ("w1", True, {"transfers": [0, 2]})
        assert row["figures"] == {"applied": "100", "version_conflicts": "0"}
        later = datetime.fromtimestamp(now.timestamp() + 2, UTC)
        await connection.execute(WORKER, later, '{"applied": 9007199254740993, "version_conflicts": 3}')
        look = await told(opened, lambda look: look["workers"]["conflicts_per_s"])
        assert look["workers"]["rows"][0]["figures"]["applied"] == "9007199254740993"
        assert look["workers"]["conflicts_per_s"] == 1.5
        await connection.execute(WORKER, datetime.fromtimestamp(now.timestamp() - 60, UTC), "{}")
        look = await told(opened, lambda look: look["workers"]["live"] == 0)
        assert look["workers"]["conflicts_per_s"] is None


async def test_the_last_reconciliation_is_told(
    settings: Settings, opened: Board, connection: asyncpg.Connection
) -> None:
    report = await reconcile(settings, settled=True)

    async def finding_of_a_run(faults: int, *, passed: bool) -> Any:
        report.findings[0].faults = faults
        assert await record_run(settings, datetime.now(UTC), report) is None
        with opened.streams.one_more("somebody"):
            look = await told(opened, lambda look: look["reconcile"] and look["reconcile"]["passed"] is passed)
        assert REGISTRY.get_sample_value("hfts_reconcile_passed") == passed
        finding = look["reconcile"]["invariants"][0]
        return finding["verdict"], finding["faults"]

    assert await finding_of_a_run(1, passed=False) == ("broken", "1")
    assert await finding_of_a_run(0, passed=True) == ("holds", "0")
    newest = await connection.fetchval("select max(run_id) from reconcile_runs")
    await connection.execute(f"alter table reconcile_runs alter run_id restart with {newest + RUNS_MAX}")
    assert await record_run(settings, datetime.now(UTC), report) is None
    assert await connection.fetchval("select count(*) from reconcile_runs") == 1


async def test_servers_that_are_away_end_nothing(settings: Settings) -> None:
    away = settings.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1", "postgres_port": 1})
    async with open_board(away) as opened:
        with opened.streams.one_more("somebody"):
            look = await told(
                opened, lambda look: look["outcomes"]["state"] == "away" and look["workers"]["is_away"] is True
            )
    assert (look["at"], look["groups"], look["reconcile"]) == (None, [], None)


async def test_too_many_errands_are_turned_away(
    settings: Settings, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "ERRANDS_MAX", 0)
    async with app_client(settings, dashboard()) as (app, client):
        api = LiveApi(app, client, connection, settings)
        answer = await api.get("/ops/dead-letters", await api.person("ops", "ops"))
    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")


async def test_the_history_of_a_partition_is_told(settings: Settings, connection: asyncpg.Connection) -> None:
    await run_pipeline(settings)
    async with app_client(settings, dashboard()) as (app, client):
        api = LiveApi(app, client, connection, settings)
        async with asyncio.timeout(TOLD_S_MAX):
            while not app.state.beside.history.points:  # noqa: ASYNC110 (nobody tells when it is)
                await asyncio.sleep(0.05)
        answer = await api.get(f"/ops/lag/{group_name(settings, 'transfers')}/1", await api.person("ops", "ops"))
    assert answer.status_code == 200, answer.text
    assert set(answer.json()["lag"].split()) == {"0"}
    assert len(answer.json()["at"]) == len(answer.json()["next"].split())
