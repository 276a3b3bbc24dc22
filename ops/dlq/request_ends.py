"""Where the partitions of the topic of requests end, records of open transactions included."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from ops.topic_reader import Span, partition_counts
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED
from sinks.kafka.options import client_options


class RequestEnds:
    """Asks for offsets of the topic of requests."""

    def __init__(self, consumer: AIOKafkaConsumer, topic: str, partitions: int) -> None:
        self._consumer = consumer
        self._topic = topic
        self.partitions = partitions

    async def ends(self, partitions: Iterable[int]) -> dict[int, int]:
        """The offset behind the last record of each partition."""
        asked = [TopicPartition(self._topic, partition) for partition in partitions]
        return {where.partition: end for where, end in (await self._consumer.end_offsets(asked)).items()}

    async def spans_from(self, begins: Mapping[int, int]) -> tuple[list[Span], bool]:
        """What stands from these offsets on, and whether all of it is still there."""
        asked = [TopicPartition(self._topic, partition) for partition in begins]
        firsts = {where.partition: first for where, first in (await self._consumer.beginning_offsets(asked)).items()}
        ends = await self.ends(begins)
        spans = [Span(self._topic, p, max(begin, firsts[p]), ends[p]) for p, begin in begins.items()]
        return spans, all(firsts[p] <= begin for p, begin in begins.items())


@asynccontextmanager
async def request_ends(settings: Settings) -> AsyncIterator[RequestEnds]:
    """Raises TopicReadError when there is no such topic, and KafkaError."""
    topic = settings.topic_name(TRANSFERS_REQUESTED)
    partitions = (await partition_counts(settings, [topic]))[topic]
    # Sees open transactions, unlike what reads the records: an end without them could stand before ours.
    consumer = AIOKafkaConsumer(**client_options(settings), group_id=None, enable_auto_commit=False)
    try:
        await consumer.start()
        consumer.assign([TopicPartition(topic, partition) for partition in range(partitions)])
        yield RequestEnds(consumer, topic, partitions)
    finally:
        await consumer.stop()
