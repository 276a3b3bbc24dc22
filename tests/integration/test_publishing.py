"""Record batches and the tails of partitions on a real Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import ProducerFenced

from ops.topic_reader import group_free_consumer
from schemas.headers import SOURCE_OFFSET
from schemas.settings import Settings
from schemas.topics import AUDIT, RECORD_BYTES_MAX, TRANSFERS_OUTCOMES
from sinks.errors import SinkError
from sinks.kafka.options import client_options
from sinks.kafka.publisher import ClaimedBatch, KafkaPublisher, _filled, last_source_offsets
from sinks.kafka.records import Consumed, Record
from sinks.kafka.tails import last_records


@pytest.fixture
def topic(settings: Settings) -> str:
    return settings.topic_name(TRANSFERS_OUTCOMES)


@asynccontextmanager
async def a_publisher(settings: Settings, topic: str) -> AsyncIterator[KafkaPublisher]:
    """One that has just taken all partitions over."""
    publisher = KafkaPublisher(settings, settings.topic_prefix + "writer")
    await publisher.start()
    await publisher.take_over([topic], range(settings.topic_partitions))
    try:
        yield publisher
    finally:
        await publisher.stop()


@pytest.fixture
async def publisher(settings: Settings, topic: str) -> AsyncIterator[KafkaPublisher]:
    async with a_publisher(settings, topic) as publisher:
        yield publisher


async def read_all(settings: Settings, topic: str, partition: int) -> list[Consumed]:
    async with group_free_consumer(settings) as consumer:
        where = TopicPartition(topic, partition)
        consumer.assign([where])
        await consumer.seek_to_beginning(where)
        end = (await consumer.end_offsets([where]))[where]
        records: list[Consumed] = []
        while await consumer.position(where) < end:
            records += (await consumer.getmany(where, timeout_ms=200)).get(where, [])
        return records


async def test_records_arrive_in_order_whatever_their_size(
    settings: Settings, topic: str, publisher: KafkaPublisher
) -> None:
    sizes = [1, RECORD_BYTES_MAX + 100_000, 10, 400_000, 400_000, 400_000, 0]
    records = [Record(b"k", b"x" * size, [(SOURCE_OFFSET, str(n).encode())]) for n, size in enumerate(sizes)]
    await publisher.publish(topic, 1, ((record,) for record in records))
    await publisher.publish(topic, 1, ())
    found = await read_all(settings, topic, 1)
    assert [len(record.value or b"") for record in found] == sizes
    assert await last_source_offsets(publisher, topic, [0, 1, 2]) == {0: -1, 1: 6, 2: -1}


async def test_a_tail_is_found_behind_the_markers_of_transactions(settings: Settings, topic: str) -> None:
    producer = AIOKafkaProducer(**client_options(settings), transactional_id=f"{topic}-test")
    await producer.start()
    async with producer.transaction():
        await producer.send_and_wait(topic, b"kept", partition=0)
    for _ in range(5):
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"dropped", partition=0)
        await producer.abort_transaction()
    await producer.stop()
    found = await last_records(settings, topic, [0, 1])
    assert {partition: record.value for partition, record in found.items()} == {0: b"kept"}


async def test_many_partitions_are_published_to_at_once(
    settings: Settings, topic: str, publisher: KafkaPublisher
) -> None:
    groups = {
        p: [(Record(None, f"{p}-{n}".encode(), [(SOURCE_OFFSET, str(n).encode())]),) for n in range(1000)]
        for p in range(3)
    }
    await asyncio.gather(*(publisher.publish(topic, partition, those) for partition, those in groups.items()))
    for partition in range(3):
        values = [record.value for record in await read_all(settings, topic, partition)]
        assert values == [f"{partition}-{n}".encode() for n in range(1000)]


async def test_what_came_compressed_leaves_in_order_with_its_bytes_untouched(
    settings: Settings, topic: str, publisher: KafkaPublisher
) -> None:
    values = [b"before", b"\x00" * 30_000_000, b"between", b"x" * 5_000_000, b"after"]
    records = [Record(b"k", value, [("empty", None), (SOURCE_OFFSET, b"1")]) for value in values]
    await publisher.publish(topic, 0, ((record,) for record in records))
    assert [record.value for record in await read_all(settings, topic, 0)] == values


async def test_headers_are_counted_in_bytes(settings: Settings, topic: str, publisher: KafkaPublisher) -> None:
    """Names of other scripts take more bytes than characters; every record arrives all the same."""
    records = [Record(None, str(n).encode(), [("ж" * 5_000, b"x"), (SOURCE_OFFSET, b"1")]) for n in range(200)]
    await publisher.publish(topic, 0, ((record,) for record in records))
    assert [record.value for record in await read_all(settings, topic, 0)] == [str(n).encode() for n in range(200)]


def a_group(value: bytes) -> list[tuple[Record]]:
    return [(Record(None, value, []),)]


async def test_who_was_taken_over_from_can_write_no_more(settings: Settings, topic: str) -> None:
    async with a_publisher(settings, topic) as first, a_publisher(settings, topic) as second:
        with pytest.raises(ProducerFenced):
            await first.publish(topic, 0, a_group(b"too late"))
        await second.publish(topic, 0, a_group(b"one"))
        await second.publish(topic, 0, a_group(b"two"))
        with pytest.raises(ProducerFenced):
            await first.publish(topic, 0, a_group(b"still too late"))
        assert [record.value for record in await read_all(settings, topic, 0)] == [b"one", b"two"]


async def test_a_batch_made_before_a_takeover_is_refused_after_it(settings: Settings, topic: str) -> None:
    """Also when it is the same process that takes over: what waits was counted by nobody."""
    async with a_publisher(settings, topic) as publisher:
        stale = _filled(ClaimedBatch(publisher._claims[TopicPartition(topic, 0)]), [Record(None, b"stale", [])])
        await publisher.take_over([topic], [0])
        await publisher.publish(topic, 0, a_group(b"one"))
        with pytest.raises(ProducerFenced):
            await (await publisher._send(stale, TopicPartition(topic, 0)))
        await publisher.publish(topic, 0, a_group(b"two"))
        assert [record.value for record in await read_all(settings, topic, 0)] == [b"one", b"two"]


async def test_a_claim_is_renewed_between_records_and_by_nobody_else(settings: Settings, topic: str) -> None:
    async with a_publisher(settings, topic) as first:
        await first.publish(topic, 0, a_group(b"one"))
        await first.renew()
        await first.publish(topic, 0, a_group(b"two"))
        await first.renew()
        await first.publish(topic, 0, a_group(b"three"))
        async with a_publisher(settings, topic) as second:
            with pytest.raises(ProducerFenced):
                await first.renew()
            first.release([0, 1, 2])
            await first.renew()
            await second.publish(topic, 0, a_group(b"four"))
        values = [record.value for record in await read_all(settings, topic, 0)]
    assert values == [b"one", b"two", b"three", b"four"]


async def test_only_what_was_taken_over_is_written_to(settings: Settings, topic: str) -> None:
    async with a_publisher(settings, topic) as publisher:
        with pytest.raises(SinkError, match="not taken over"):
            await publisher.publish(settings.topic_name(AUDIT), 0, a_group(b"x"))


@pytest.mark.parametrize("partition", range(3))
async def test_takeovers_at_the_same_moment_leave_one_writer(settings: Settings, topic: str, partition: int) -> None:
    async with AsyncExitStack() as open_ones:
        publishers = [await open_ones.enter_async_context(a_publisher(settings, topic)) for _ in range(4)]
        takeovers = (publisher.take_over([topic], [partition]) for publisher in publishers)
        await asyncio.gather(*takeovers, return_exceptions=True)
        written = await asyncio.gather(
            *(publisher.publish(topic, partition, a_group(b"%d" % n)) for n, publisher in enumerate(publishers)),
            return_exceptions=True,
        )
    values = [record.value for record in await read_all(settings, topic, partition)]
    assert values == [b"%d" % number for number, refusal in enumerate(written) if refusal is None]
    # None is left where the last of them was overtaken in the middle of it, and gave up.
    assert len(values) <= 1
