"""A worker process asked how it is, from before its servers are there until it has gone."""

import asyncio
from pathlib import Path

import asyncpg
import orjson
from payments import funded_fleet, payments, send
from worker_status import listening, samples, status_client, wait_missing, wait_sample
from workers import database_away, stop, wait_settled, worker

from schemas.settings import Settings
from sinks.kafka.topics import ensure_topics
from sinks.postgres.pool import connect

ROW_S_MAX = 60.0
WAITING = "has not started: it waits for the servers"


async def wait_figures(connection: asyncpg.Connection, **figures: int) -> asyncpg.Record:
    """The only row, once it tells these figures."""
    async with asyncio.timeout(ROW_S_MAX):
        while True:
            rows = await connection.fetch("select * from workers")
            if rows and orjson.loads(rows[0]["figures"]).items() >= figures.items():
                [row] = rows
                return row
            await asyncio.sleep(0.1)


async def test_a_worker_tells_how_it_is(
    database_settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    settings, log = listening(database_settings), tmp_path / "worker.log"
    async with worker(settings, log, "transfers,deliveries") as process, status_client(settings) as client:
        await wait_missing(client, broker="topics are missing", transfers=WAITING, deliveries=WAITING)
        assert (await client.get("/healthz")).status_code == 200
        await ensure_topics(settings)
        await wait_missing(client)
        partitions = settings.topic_partitions
        agents = {("transfers",): partitions, ("deliveries",): partitions}
        assert await samples(client, "hfts_assigned_partitions") == agents
        assert all(times >= 1 for times in (await samples(client, "hfts_rebalances_total")).values())

        fleet = await funded_fleet(settings, connection, 5)
        await send(settings, [*payments(fleet, 20), (b"k", b"\xff")])
        await wait_settled(settings, ["transfers"], process)
        assert await samples(client, "hfts_transfers_applied_total") == {(): 5 + 18}
        assert (await samples(client, "hfts_transfers_failed_total"))[("insufficient_funds",)] == 2
        # These two once they are published, which follows.
        await wait_sample(client, "hfts_dead_letters_total", "undecodable", value=1)
        await wait_sample(client, "hfts_end_to_end_seconds_count", value=5 + 20)
        steps = await samples(client, "hfts_batch_seconds_count")
        assert {step for agent, step in steps if agent == "transfers"} == {"decode", "decide", "commit", "publish"}
        assert sum((await samples(client, "hfts_pool_connections")).values()) >= 1

        row = await wait_figures(connection, applied=23, failed=2, dead_letters=1, version_conflicts=0)
        assert (row["pid"], row["agents"]) == (process.pid, ["transfers", "deliveries"])
        everything = list(range(partitions))
        assert orjson.loads(row["assigned"]) == {"transfers": everything, "deliveries": everything}
        assert row["memory_bytes"] > 10_000_000
        assert row["started_at"] <= row["seen_at"]

        async with database_away(settings):
            await wait_missing(client, database="is away")
        await wait_missing(client)
        assert await stop(process) == 0, log.read_text()
    another = await connect(settings)  # the test's own went with the database
    assert await another.fetchval("select count(*) from workers") == 0
    await another.close()
