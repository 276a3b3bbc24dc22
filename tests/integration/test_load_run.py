"""Loads against a stand-in for the worker: the real transfers stage, fed by a plain consumer."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from aiokafka import TopicPartition

from ops.load import settling
from ops.load.run import run_flood, run_kafka
from ops.load.wallets import StalledError, wait_applied
from ops.topic_reader import group_free_consumer
from schemas.settings import Settings
from sinks.kafka.publisher import KafkaPublisher
from streams.transfers import TransfersStage


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[None]:
    stage = TransfersStage(settings, KafkaPublisher(settings))
    await stage.start()
    async with group_free_consumer(settings) as consumer:
        partitions = [TopicPartition(stage.input_topic, number) for number in range(settings.topic_partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)

        async def work() -> None:
            while True:
                for tp, records in (await consumer.getmany(timeout_ms=100)).items():
                    await stage.process(tp.partition, records)

        task = asyncio.create_task(work())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await stage.stop()


@pytest.fixture(autouse=True)
def _no_other_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "CALM_S_MAX", 0.0)  # nobody works off what notifications and audit lag behind


@pytest.mark.usefixtures("worker")
async def test_an_open_loop_sees_the_outcome_of_everything_it_sends(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    report = await run_kafka(settings, rate=200.0, duration_s=1.0, wallets=20)
    assert report.sound
    assert (report.sent, report.accepted, report.completed, report.failed) == (200, 200, 200, {})
    assert len(report.latencies) == 200
    assert await connection.fetchval("select count(*) from transfers") == 20 + 200
    assert await connection.fetchval("select sum(balance) from wallets") == 0


@pytest.mark.usefixtures("worker")
async def test_a_flood_is_counted_in_the_database(settings: Settings, connection: asyncpg.Connection) -> None:
    told: dict[str, tuple[int, int]] = {}
    report = await run_flood(
        settings, count=3_000, wallets=50, progress=lambda stage, done, of: told.__setitem__(stage, (done, of))
    )
    assert (report.sent, report.applied, report.sound) == (3_000, 3_000, True)
    assert told == dict.fromkeys(("sent", "applied", "published"), (3_000, 3_000))
    assert await connection.fetchval("select count(*) from transfers") == 50 + 3_000


async def test_waiting_without_a_worker_ends_with_a_clear_word(
    settings: Settings, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.load.wallets.STALLED_S_MAX", 0.0)
    with pytest.raises(StalledError, match=r"^7 requests have not moved"):
        await wait_applied(connection, settings, {0: 7})
