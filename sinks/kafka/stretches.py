"""Stretches of partitions, read in order, several of them in turns over one consumer."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from sinks.kafka.records import Consumed
from sinks.kafka.tails import POLL_TIMEOUT_MS, STALLED_S_MAX, Bounds

RECORDS_AT_ONCE = 1_000


async def records_between(
    consumer: AIOKafkaConsumer, where: TopicPartition, bounds: Bounds, at_once: int = RECORDS_AT_ONCE
) -> AsyncGenerator[list[Consumed]]:
    """The records of a stretch, so many at once at most. ``consumer`` is assigned to the partition, among others.

    Raises KafkaError, and KafkaTimeoutError when nothing comes for a minute.
    """
    position, end = bounds
    if position >= end:
        return
    consumer.seek(where, position)
    moved_s = time.monotonic()
    while position < end:
        fetched = await consumer.getmany(where, timeout_ms=POLL_TIMEOUT_MS, max_records=at_once)
        records = [record for record in fetched.get(where, ()) if record.offset < end]
        if records:
            yield records
        before, position = position, await consumer.position(where)
        if records or position != before:  # markers move it without a record
            moved_s = time.monotonic()
        elif time.monotonic() - moved_s > STALLED_S_MAX:
            raise KafkaTimeoutError(f"the broker delivered nothing for {STALLED_S_MAX:.0f} s of {where}")


async def first_record(consumer: AIOKafkaConsumer, where: TopicPartition, bounds: Bounds) -> Consumed | None:
    """The first record of a stretch. Raises KafkaError."""
    async with aclosing(records_between(consumer, where, bounds, at_once=1)) as found:
        async for records in found:
            return records[0]
    return None
