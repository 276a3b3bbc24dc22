"""Record batches and the tails of partitions on a real Kafka."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from ops.topic_reader import group_free_consumer
from schemas.headers import SOURCE_OFFSET
from schemas.settings import Settings
from schemas.topics import RECORD_BYTES_MAX, TRANSFERS_OUTCOMES
from sinks.kafka.options import client_options
from sinks.kafka.publisher import KafkaPublisher, last_source_offsets
from sinks.kafka.records import Consumed, Record
from sinks.kafka.tails import last_records


@pytest.fixture
def topic(settings: Settings) -> str:
    return settings.topic_name(TRANSFERS_OUTCOMES)


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


async def test_records_arrive_in_order_whatever_their_size(settings: Settings, topic: str) -> None:
    publisher = KafkaPublisher(settings)
    await publisher.start()
    sizes = [1, RECORD_BYTES_MAX + 100_000, 10, 400_000, 400_000, 400_000, 0]
    records = [Record(b"k", b"x" * size, [(SOURCE_OFFSET, str(n).encode())]) for n, size in enumerate(sizes)]
    await publisher.publish(topic, 1, ((record,) for record in records))
    await publisher.publish(topic, 1, ())
    found = await read_all(settings, topic, 1)
    assert [len(record.value or b"") for record in found] == sizes
    assert await last_source_offsets(publisher, topic, [0, 1, 2]) == {0: -1, 1: 6, 2: -1}
    await publisher.stop()


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


async def test_many_partitions_are_published_to_at_once(settings: Settings, topic: str) -> None:
    publisher = KafkaPublisher(settings)
    await publisher.start()
    groups = {
        p: [(Record(None, f"{p}-{n}".encode(), [(SOURCE_OFFSET, str(n).encode())]),) for n in range(1000)]
        for p in range(3)
    }
    await asyncio.gather(*(publisher.publish(topic, partition, those) for partition, those in groups.items()))
    for partition in range(3):
        values = [record.value for record in await read_all(settings, topic, partition)]
        assert values == [f"{partition}-{n}".encode() for n in range(1000)]
    await publisher.stop()


async def test_what_came_compressed_leaves_in_order_with_its_bytes_untouched(settings: Settings, topic: str) -> None:
    publisher = KafkaPublisher(settings)
    await publisher.start()
    values = [b"before", b"\x00" * 30_000_000, b"between", b"x" * 5_000_000, b"after"]
    records = [Record(b"k", value, [("empty", None), (SOURCE_OFFSET, b"1")]) for value in values]
    await publisher.publish(topic, 0, ((record,) for record in records))
    assert [record.value for record in await read_all(settings, topic, 0)] == values
    await publisher.stop()


async def test_headers_are_counted_in_bytes(settings: Settings, topic: str) -> None:
    """Names of other scripts take more bytes than characters; every record arrives all the same."""
    publisher = KafkaPublisher(settings)
    await publisher.start()
    records = [Record(None, str(n).encode(), [("ж" * 5_000, b"x"), (SOURCE_OFFSET, b"1")]) for n in range(200)]
    await publisher.publish(topic, 0, ((record,) for record in records))
    assert [record.value for record in await read_all(settings, topic, 0)] == [str(n).encode() for n in range(200)]
    await publisher.stop()
