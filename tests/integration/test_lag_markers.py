"""The lag where transactions have left markers behind the last record, and records that count for nothing."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from plain_topics import commit_offsets, put_records

from ops.lag.reader import group_name, lag_reader
from ops.lag.report import PartitionLag
from ops.load.settling import wait_settled
from ops.topic_reader import group_free_consumer, read_spans, topic_spans
from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from sinks.kafka.fence import take_over
from sinks.kafka.options import client_options
from sinks.kafka.records import Record


@pytest.fixture
def requests(settings: Settings) -> str:
    return settings.topic_name(TRANSFERS_REQUESTED)


@pytest.fixture
async def producer(settings: Settings) -> AsyncIterator[AIOKafkaProducer]:
    """Somebody's transactional producer."""
    producer = AIOKafkaProducer(**client_options(settings), transactional_id=f"{settings.topic_prefix}somebody")
    await producer.start()
    yield producer
    await producer.stop()


async def commit_records(producer: AIOKafkaProducer, topic: str, partition: int, count: int) -> None:
    """Each in a transaction of its own, so that a marker follows each."""
    for _ in range(count):
        async with producer.transaction():
            await producer.send_and_wait(topic, b"kept", partition=partition)


async def abort_records(producer: AIOKafkaProducer, topic: str, partition: int, count: int) -> None:
    """All in one transaction."""
    await producer.begin_transaction()
    for _ in range(count):
        await producer.send(topic, b"dropped", partition=partition)
    await producer.flush()
    await producer.abort_transaction()


async def leave_markers(producer: Any, topic: str, partition: int, count: int) -> None:
    for _ in range(count):
        await take_over(producer.client, "another", [TopicPartition(topic, partition)])


async def transfers_lag(settings: Settings) -> list[PartitionLag]:
    async with lag_reader(settings) as reader:
        return (await reader.read()).of_group(group_name(settings, "transfers"))


async def test_the_lag_counts_up_to_the_last_record(
    settings: Settings, connection: asyncpg.Connection, producer: AIOKafkaProducer, requests: str
) -> None:
    await commit_records(producer, requests, 0, 2)  # at 0 and 2
    await leave_markers(producer, requests, 0, 20)
    await commit_records(producer, requests, 1, 1)
    await abort_records(producer, requests, 1, 60)
    await leave_markers(producer, requests, 2, 3)
    lags = await transfers_lag(settings)
    assert [lag.lag for lag in lags] == [3, 1, 0]
    assert all(lag.end > end for lag, end in zip(lags, (23, 62, 2), strict=True)), "markers count for the end"

    insert = "insert into stream_progress (topic, partition, next_offset) values ($1, $2, $3)"
    await connection.executemany(insert, [(requests, 0, 1), (requests, 1, 1)])
    assert [(lag.applied, lag.lag) for lag in await transfers_lag(settings)] == [(1, 2), (1, 0), (None, 0)]
    await connection.execute("update stream_progress set next_offset = 3 where partition = 0")
    await wait_settled(settings, timeout_s=5)


async def test_groups_of_one_topic_stand_at_different_places(settings: Settings, producer: AIOKafkaProducer) -> None:
    outcomes = settings.topic_name(TRANSFERS_OUTCOMES)
    await put_records(settings, outcomes, 1, [Record(b"k", b"v", [])] * 5)
    await leave_markers(producer, outcomes, 1, 4)
    await commit_offsets(settings, "audit", TRANSFERS_OUTCOMES, {1: 3})
    await commit_offsets(settings, "notifications", TRANSFERS_OUTCOMES, {1: 5})
    async with lag_reader(settings) as reader:
        for _ in range(2):
            totals = (await reader.read()).totals
            assert [totals[group_name(settings, agent)] for agent in ("audit", "notifications")] == [2, 0]
        await commit_offsets(settings, "audit", TRANSFERS_OUTCOMES, {1: 5})
        assert (await reader.read()).total == 0
        await put_records(settings, outcomes, 1, [Record(b"k", b"v", [])])
        report = await reader.read()
        [end] = [lag.end for lag in report.of_group(group_name(settings, "audit")) if lag.partition == 1]
        # All offsets from 5 on, for both groups: who reads on does not know of the markers before the record.
        assert report.total == 2 * (end - 5)


async def test_an_open_transaction_counts_once_it_has_ended(
    settings: Settings, connection: asyncpg.Connection, producer: AIOKafkaProducer, requests: str
) -> None:
    await commit_records(producer, requests, 0, 1)
    await connection.execute("insert into stream_progress (topic, partition, next_offset) values ($1, 0, 1)", requests)
    async with lag_reader(settings) as reader:
        await producer.begin_transaction()
        await producer.send_and_wait(requests, b"open", partition=0)
        await put_records(settings, requests, 0, [Record(b"k", b"behind it", [])])
        lag = (await reader.read()).of_group(group_name(settings, "transfers"))[0]
        assert (lag.end, lag.lag) == (2, 0)
        await producer.commit_transaction()
        lag = (await reader.read()).of_group(group_name(settings, "transfers"))[0]
        assert (lag.end, lag.lag) == (5, 3)


async def test_a_topic_is_read_to_its_end_across_markers(
    settings: Settings, producer: AIOKafkaProducer, requests: str
) -> None:
    await commit_records(producer, requests, 0, 2)
    await abort_records(producer, requests, 0, 30)
    await leave_markers(producer, requests, 1, 3)
    async with group_free_consumer(settings) as consumer:
        spans = await topic_spans(consumer, {requests: settings.topic_partitions})
        read = [(tp.partition, record.value) async for tp, records in read_spans(consumer, spans) for record in records]
    assert read == [(0, b"kept")] * 2
