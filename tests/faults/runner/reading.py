"""Reads topics to their very ends, as a consumer that sees committed records only."""

import time
from collections.abc import AsyncIterator
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from schemas.settings import Settings
from sinks.kafka.options import client_options

SILENT_S_MAX = 60.0


class UnreadableError(Exception):
    """A partition could not be read to its end: a transaction was left open, or a broker is away."""


async def read_topic(settings: Settings, topic: str) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    """Every committed record of a topic, in order within each partition. Raises UnreadableError."""
    where = [TopicPartition(topic, partition) for partition in range(settings.topic_partitions)]
    ends = await _true_ends(settings, where)
    consumer = _consumer(settings, "read_committed")
    await consumer.start()
    try:
        consumer.assign(where)
        await consumer.seek_to_beginning(*where)
        moved_s, before = time.monotonic(), -1
        while any([await consumer.position(one) < ends[one] for one in where]):
            polled: dict[Any, list[Any]] = await consumer.getmany(timeout_ms=500)
            for records in polled.values():
                for record in records:
                    yield record
            positions = sum([await consumer.position(one) for one in where])
            if positions != before:
                moved_s, before = time.monotonic(), positions
            if time.monotonic() - moved_s > SILENT_S_MAX:
                raise UnreadableError(f"{topic} cannot be read to its end")
    finally:
        await consumer.stop()


async def _true_ends(settings: Settings, where: list[TopicPartition]) -> dict[TopicPartition, int]:
    """The ends with what is not committed: else an open transaction would hide what stands behind it."""
    consumer = _consumer(settings, "read_uncommitted")
    await consumer.start()
    try:
        consumer.assign(where)
        return dict(await consumer.end_offsets(where))
    finally:
        await consumer.stop()


def _consumer(settings: Settings, isolation: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **client_options(settings), enable_auto_commit=False, isolation_level=isolation, fetch_max_wait_ms=50
    )
