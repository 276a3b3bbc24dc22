"""Outcomes that were published before, from any offsets on."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from aiokafka import TopicPartition

from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES
from sinks.kafka.records import Consumed
from sinks.kafka.stretches import records_between
from sinks.kafka.tails import Bounds, bounds_of, committed_reader

RECORDS_AT_ONCE = 500


class PastOutcomes:
    """Reads stretches of the outcomes topic, each over a connection of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topic_name(TRANSFERS_OUTCOMES)

    @asynccontextmanager
    async def opened(self, partitions: int) -> AsyncIterator["OpenPast"]:
        """The topic as it stands now. Raises KafkaError when no broker answers."""
        async with committed_reader(self._settings) as consumer:
            found = await bounds_of(consumer, self._topic, range(partitions))
            consumer.assign(list(found))
            yield OpenPast(consumer, [found[TopicPartition(self._topic, p)] for p in range(partitions)], self._topic)


class OpenPast:
    """``bounds``: of each partition the first offset there is, and the first there is not yet."""

    def __init__(self, consumer: Any, bounds: Sequence[Bounds], topic: str) -> None:
        self._consumer = consumer
        self._topic = topic
        self.bounds = bounds

    async def between(self, partition: int, begin: int, end: int) -> AsyncGenerator[list[Consumed]]:
        """The records of a partition from ``begin`` on and before ``end``. Raises KafkaError."""
        where = TopicPartition(self._topic, partition)
        bounds = (max(begin, self.bounds[partition][0]), end)
        async with aclosing(records_between(self._consumer, where, bounds, RECORDS_AT_ONCE)) as reading:
            async for records in reading:
                yield records
