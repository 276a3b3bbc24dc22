"""The lag as the API's metrics tell it, without any worker."""

import asyncio

import asyncpg
import pytest
from plain_topics import put_records
from prometheus_client import REGISTRY

from ops.lag.reader import group_name
from ops.monitor import watch as watch_module
from ops.monitor.watch import lag_watched
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED
from sinks.kafka.records import Record

TOLD_S_MAX = 60.0


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch_module, "INTERVAL_S", 0.05)
    monkeypatch.setattr(watch_module, "RETRY_S", 0.05)


async def told(name: str, labels: dict[str, str], value: float) -> None:
    async with asyncio.timeout(TOLD_S_MAX):
        while REGISTRY.get_sample_value(name, labels) != value:  # noqa: ASYNC110 (nobody tells when it is)
            await asyncio.sleep(0.05)


async def test_the_metrics_follow_a_lag(settings: Settings, connection: asyncpg.Connection) -> None:
    topic = settings.topic_name(TRANSFERS_REQUESTED)
    where = {"group": group_name(settings, "transfers"), "topic": topic, "partition": "1"}
    async with lag_watched(settings) as watch:
        await told("hfts_lag_records", where, 0)
        await put_records(settings, topic, 1, [Record(b"k", b'{"amount": "2.5", "currency": "USD"}', [])] * 2)
        await told("hfts_lag_records", where, 2)
        await told("hfts_unapplied_amount", {"currency": "USD"}, 5)
        await connection.execute("insert into stream_progress (topic, partition, next_offset) values ($1, 1, 2)", topic)
        await told("hfts_lag_records", where, 0)
        assert watch.failures == 0
    assert REGISTRY.get_sample_value("hfts_lag_records", where) is None


async def test_servers_that_are_away_are_asked_again(settings: Settings) -> None:
    async with lag_watched(settings.model_copy(update={"postgres_port": 1})) as watch:
        async with asyncio.timeout(TOLD_S_MAX):
            while watch.failures < 2:  # noqa: ASYNC110 (nobody tells when it is)
                await asyncio.sleep(0.05)
        assert REGISTRY.get_sample_value("hfts_lag_read_failures_total") == watch.failures
        assert watch.seen is None
