"""Topics and groups as any client sees them: records put without taking partitions over, and read without a group."""

from collections.abc import Iterable, Mapping

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from ops.topic_reader import group_free_consumer, partition_counts, read_spans, topic_spans
from schemas.settings import Settings
from schemas.topics import Topic
from sinks.kafka.options import client_options
from sinks.kafka.records import Consumed, Record


async def put_records(settings: Settings, topic: str, partition: int, records: Iterable[Record]) -> None:
    """Put records on a partition of the topic of this name."""
    async with AIOKafkaProducer(**client_options(settings), acks="all", enable_idempotence=True) as producer:
        sent = [
            await producer.send(topic, record.value, record.key, partition=partition, headers=record.headers)
            for record in records
        ]
        for confirmed in sent:
            await confirmed


async def records_of(settings: Settings, topic: Topic) -> list[Consumed]:
    """All records that are committed now, by partition and offset."""
    counts = await partition_counts(settings, [settings.topic_name(topic)])
    async with group_free_consumer(settings) as consumer:
        spans = await topic_spans(consumer, counts)
        found = [record async for _, records in read_spans(consumer, spans) for record in records]
    return sorted(found, key=lambda record: (record.partition, record.offset))


async def commit_offsets(settings: Settings, agent: str, topic: Topic, offsets: Mapping[int, int]) -> None:
    """Move the committed offsets of an agent's group that is stopped, as an operator could by mistake."""
    where = {TopicPartition(settings.topic_name(topic), partition): offset for partition, offset in offsets.items()}
    group = f"{settings.topic_prefix}hfts-{agent}"
    async with AIOKafkaConsumer(**client_options(settings), group_id=group, enable_auto_commit=False) as consumer:
        consumer.assign(list(where))
        await consumer.commit(where)
