"""The last record of each partition: it says what has been published, and so where to go on."""

import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from schemas.settings import Settings
from sinks.kafka.options import client_options
from sinks.kafka.reading import patch_reading
from sinks.kafka.records import Consumed

POLL_TIMEOUT_MS = 20
"""Short: a fetch that holds nothing but markers moves the position and wakes nobody."""

FETCH_WAIT_MS_MAX = 50
"""Short, because a fetch under way at a partition's end holds up whatever is asked next on its connection."""

DISTANCE_FIRST = 16
"""How far before the end the search begins: behind as many markers as a few takeovers leave, mostly."""

STALLED_S_MAX = 60.0

Bounds = tuple[int, int]
"""The first offset of a stretch, and the first one behind it."""


@asynccontextmanager
async def committed_reader(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of no group that reads committed records only. Raises KafkaError when no broker answers."""
    patch_reading()
    consumer = AIOKafkaConsumer(
        **client_options(settings),
        isolation_level="read_committed",
        enable_auto_commit=False,
        fetch_max_wait_ms=FETCH_WAIT_MS_MAX,
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def partitions_of(consumer: AIOKafkaConsumer, topic: str) -> list[int]:
    """Those that a topic has, whatever the settings say. Raises KafkaError."""
    await consumer.end_offsets([TopicPartition(topic, 0)])  # so that the consumer learns of the topic
    return sorted(consumer.partitions_for_topic(topic) or ())


async def bounds_of(consumer: AIOKafkaConsumer, topic: str, partitions: Iterable[int]) -> dict[TopicPartition, Bounds]:
    """Where each of a topic's partitions begins, and where its committed records end. Raises KafkaError."""
    asked = [TopicPartition(topic, partition) for partition in partitions]
    begins = await consumer.beginning_offsets(asked)
    ends = await consumer.end_offsets(asked)
    return {where: (begins[where], ends[where]) for where in asked}


async def last_records(settings: Settings, topic: str, partitions: Iterable[int]) -> dict[int, Consumed]:
    """The last record of each of a topic's partitions that has one, as the partitions stand now.

    Raises KafkaError when no broker answers.
    """
    async with committed_reader(settings) as consumer:
        found = await last_between(consumer, await bounds_of(consumer, topic, partitions))
        return {where.partition: record for where, record in found.items()}


async def end_offsets(settings: Settings, topic: str, partitions: Iterable[int]) -> dict[int, int]:
    """Where the committed records of each of a topic's partitions end. Raises KafkaError when no broker answers."""
    async with committed_reader(settings) as consumer:
        bounds = await bounds_of(consumer, topic, partitions)
        return {where.partition: end for where, (_, end) in bounds.items()}


async def last_between(
    consumer: AIOKafkaConsumer, bounds: Mapping[TopicPartition, Bounds]
) -> dict[TopicPartition, Consumed]:
    """The last record within the bounds of each partition that has one there.

    An end offset may stand several markers after the last record (each transaction leaves one), and a whole
    transaction that was aborted. So the search steps back twice as far each time, where it has found nothing; it reads
    no offset twice. ``consumer`` reads committed records only, its ends are the last stable offsets; it is left
    assigned to partitions of the search.

    Raises KafkaError, and KafkaTimeoutError when nothing moves for a minute.
    """
    found: dict[TopicPartition, Consumed] = {}
    searched = {where: end for where, (begin, end) in bounds.items() if begin < end}
    distance = DISTANCE_FIRST
    while searched:
        steps = {
            where: (max(bounds[where][0], bounds[where][1] - distance), below) for where, below in searched.items()
        }
        found |= await _last_in(consumer, steps)
        searched = {w: start for w, (start, _) in steps.items() if w not in found and start > bounds[w][0]}
        distance *= 2
    return found


async def _last_in(
    consumer: AIOKafkaConsumer, steps: Mapping[TopicPartition, Bounds]
) -> dict[TopicPartition, Consumed]:
    consumer.assign(list(steps))
    for where, (start, _) in steps.items():
        consumer.seek(where, start)
    found: dict[TopicPartition, Consumed] = {}
    positions = {where: start for where, (start, _) in steps.items()}
    moved_s = time.monotonic()
    while positions:
        fetched = await consumer.getmany(*positions, timeout_ms=POLL_TIMEOUT_MS)
        for where, records in fetched.items():
            below = [record for record in records if record.offset < steps[where][1]]
            if below:
                found[where] = below[-1]
        for where, before in list(positions.items()):
            positions[where] = position = await consumer.position(where)
            if position != before:
                moved_s = time.monotonic()
            if position >= steps[where][1]:
                del positions[where]
                consumer.pause(where)
        if time.monotonic() - moved_s > STALLED_S_MAX:
            stuck = ", ".join(f"{where.topic}-{where.partition}" for where in list(positions)[:3])
            raise KafkaTimeoutError(f"the broker delivered nothing for {STALLED_S_MAX:.0f} s of {stuck}")
    return found
