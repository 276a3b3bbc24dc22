"""Reads from topics the records that follow from a given one, each found by a few dozen looks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from ops.lag.oldest import FETCH_BYTES_MAX, first_between
from ops.source_search import find_all
from ops.topic_reader import group_free_consumer
from schemas.settings import Settings
from sinks.kafka.records import Consumed


@dataclass(frozen=True, slots=True)
class SourcePartition:
    """A partition as it stood when it was asked for."""

    consumer: AIOKafkaConsumer
    where: TopicPartition
    begin: int
    end: int

    async def first(self, begin: int, end: int) -> Consumed | None:
        """The first record between two offsets."""
        return (await first_between(self.consumer, {self.where: (begin, end)})).get(self.where)

    async def following(self, source: int, count_max: int) -> list[Consumed]:
        """The records that follow from the offset ``source``, so many at most."""
        return await find_all(self.first, self.begin, self.end, source, count_max)

    async def one_following(self, source: int) -> Consumed | None:
        """The first of them."""
        found = await self.following(source, 1)
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class SourceReader:
    """Reads one partition at a time. What it does raises KafkaError."""

    consumer: AIOKafkaConsumer

    async def partition(self, topic: str, number: int) -> SourcePartition:
        """A partition, to look for records in."""
        where = TopicPartition(topic, number)
        self.consumer.assign([where])
        begins = await self.consumer.beginning_offsets([where])
        ends = await self.consumer.end_offsets([where])
        return SourcePartition(self.consumer, where, begins[where], ends[where])

    async def record_at(self, topic: str, number: int, offset: int) -> Consumed | None:
        """The record, unless retention has removed it."""
        found = await self.partition(topic, number)
        return await found.first(offset, offset + 1) if found.begin <= offset < found.end else None


@asynccontextmanager
async def source_reader(settings: Settings) -> AsyncIterator[SourceReader]:
    """A reader over a connection of its own, which sees committed records only."""
    async with group_free_consumer(settings, fetch_bytes_max=FETCH_BYTES_MAX) as consumer:
        yield SourceReader(consumer)
