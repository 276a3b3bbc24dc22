"""The peers of the benchmark, each for a moment, as far as their programs come with Python packages."""

from pathlib import Path

import asyncpg
import httpx2
import pytest

from bench.contest import Place
from bench.ground import check_ledger, prepared_ground
from bench.limits.bare_fastapi import bodies_of
from bench.peers import pgbench
from bench.peers.classical.app import PATH, create_app
from bench.peers.classical.contender import classical, make_tables
from bench.peers.classical.tasks import create_celery
from bench.peers.stock_faust import stock_faust
from bench.wallets import wallet_id
from bench.workloads import Workload
from schemas.settings import Settings

TINY = Workload("tiny", wallets=50, count=300)
MIXED = Workload("mixed", wallets=50, count=300, hot_share=0.3, hot_side="source", failing_share=0.2, zipf=1.0)


def place_of(settings: Settings) -> Place:
    return Place(settings, settings.topic_partitions)


async def test_pgbench_runs_its_own_transaction(database_settings: Settings, connection: asyncpg.Connection) -> None:
    measured = await pgbench.tpc_b(place_of(database_settings), TINY, run_s=1, scale=1, clients=[1, 2])
    rows = await connection.fetchval("select count(*) from pgbench_history")
    assert 0 < measured.transfers < rows, "the better of two runs, whose rows are all there"


async def test_pgbench_transfers_as_the_workload_says(
    database_settings: Settings, connection: asyncpg.Connection
) -> None:
    measured = await pgbench.single_transfer(place_of(database_settings), MIXED, run_s=1, clients=[2])
    found = await connection.fetch("select status, reason, count(*) as rows from transfers group by 1, 2")
    by_status = {(row["status"], row["reason"]): row["rows"] for row in found}
    assert by_status.keys() == {("COMPLETED", None), ("FAILED", "insufficient_funds")}
    assert sum(by_status.values()) == measured.transfers
    paid: int = await connection.fetchval("select count(*) from transfers where source_wallet_id = $1", wallet_id(0))
    assert paid >= 0.2 * measured.transfers


async def test_stock_faust_applies_and_publishes_everything(settings: Settings) -> None:
    measured = await stock_faust(place_of(settings), TINY)
    assert measured.transfers == TINY.count


async def test_the_classical_route_makes_a_transfer_and_queues_two_tasks(
    database_settings: Settings, connection: asyncpg.Connection
) -> None:
    celery = create_celery("memory://")
    async with prepared_ground(database_settings, TINY, everyone=True) as database:
        await make_tables(database_settings, database)
    app = create_app(database_settings, celery)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://classical") as client,
    ):
        made = await client.post(PATH, content=bodies_of(TINY)[0], headers={"Content-Type": "application/json"})
        body = made.json()
        refused = await client.post(
            PATH,
            json={name: body[name] for name in ("source_wallet_id", "destination_wallet_id", "currency")}
            | {"amount": "99999999999"},
        )
    assert (made.status_code, body["status"]) == (201, "COMPLETED")
    assert (refused.status_code, refused.json()["reason"]) == (201, "insufficient_funds")
    versions = "select version from classical_wallets where wallet_id = any($1::uuid[])"
    ids = [body["source_wallet_id"], body["destination_wallet_id"]]
    assert [row["version"] for row in await connection.fetch(versions, ids)] == [2, 2]
    with celery.connection_for_read() as broker:
        assert broker.default_channel._size("celery") == 4
        broker.default_channel.queue_purge("celery")


async def test_money_that_is_missing_is_found(database_settings: Settings) -> None:
    async with prepared_ground(database_settings, TINY) as database:
        await check_ledger(database)
        await database.execute("update wallets set version = 1 where wallet_id = $1", wallet_id(0))
        with pytest.raises(RuntimeError, match="0 completed transfers, but the wallets have changed 1 times"):
            await check_ledger(database)


async def test_a_missing_redis_is_named(
    database_settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"^redis-server is missing: install Redis"):
        await classical(place_of(database_settings), TINY)
