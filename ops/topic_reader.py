"""Reading topics from their first record to an end fixed beforehand, without a consumer group."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas.settings import Settings
from sinks.kafka.options import client_options
from sinks.kafka.reading import patch_reading
from sinks.kafka.records import Consumed

RECORDS_PER_POLL_MAX = 5_000
POLL_TIMEOUT_MS = 50
"""Short: a fetch that holds nothing but transaction markers moves the position and wakes nobody."""

FETCH_WAIT_MS_MAX = 50
"""Short, because a fetch under way at the end of one topic holds up the start of the next."""

FETCH_BYTES_MAX = 2 * 1024 * 1024

SILENT_S_MAX = 60.0
"""Without a record or a step forward for so long, the broker counts as stuck."""


class TopicReadError(Exception):
    """A topic could not be read to its end; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Span:
    """The records of one partition from offset ``begin`` up to, and without, ``end``."""

    topic: str
    partition: int
    begin: int
    end: int


async def partition_counts(settings: Settings, topics: Iterable[str]) -> dict[str, int]:
    """How many partitions each topic has. Raises TopicReadError for a topic that does not exist."""
    admin = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        # Asking for all topics by no name: naming an unknown one may create it.
        known = {found["topic"]: len(found["partitions"]) for found in await admin.describe_topics()}
    finally:
        await admin.close()
    wanted = list(topics)
    missing = [topic for topic in wanted if topic not in known]
    if missing:
        raise TopicReadError(f"there is no topic {', '.join(missing)}: make the topics with `hfts topics`")
    return {topic: known[topic] for topic in wanted}


@asynccontextmanager
async def group_free_consumer(
    settings: Settings, *, fetch_bytes_max: int = FETCH_BYTES_MAX, check_crcs: bool = True
) -> AsyncIterator[AIOKafkaConsumer]:
    """A started consumer outside any group that sees committed records only, so many bytes of a partition at once.

    Who checks the records by stronger sums need not have their CRCs checked.
    """
    patch_reading()
    consumer = AIOKafkaConsumer(
        **client_options(settings),
        group_id=None,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="none",
        max_partition_fetch_bytes=fetch_bytes_max,
        check_crcs=check_crcs,
        fetch_max_wait_ms=FETCH_WAIT_MS_MAX,
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def topic_spans(consumer: AIOKafkaConsumer, counts: dict[str, int]) -> list[Span]:
    """What each partition holds now. Topics are asked in the order of ``counts``, one after another."""
    spans: list[Span] = []
    for topic, count in counts.items():
        partitions = [TopicPartition(topic, partition) for partition in range(count)]
        consumer.assign(partitions)
        begins: dict[Any, int] = await consumer.beginning_offsets(partitions)
        ends: dict[Any, int] = await consumer.end_offsets(partitions)
        spans.extend(Span(topic, tp.partition, begins[tp], ends[tp]) for tp in partitions)
    return spans


async def read_spans(
    consumer: AIOKafkaConsumer, spans: Sequence[Span], *, records_per_poll: int = RECORDS_PER_POLL_MAX
) -> AsyncGenerator[tuple[TopicPartition, list[Consumed]]]:
    """The records of the spans in lists of one partition each, in order of offset within it.

    Holds at most one poll's records. Raises TopicReadError when the broker delivers nothing for a minute.
    """
    ends = {TopicPartition(span.topic, span.partition): span.end for span in spans if span.end > span.begin}
    if not ends:
        return
    consumer.assign(list(ends))
    for span in spans:
        if span.end > span.begin:
            consumer.seek(TopicPartition(span.topic, span.partition), span.begin)
    moved_s = time.monotonic()
    positions: dict[Any, int] = {}
    while ends:
        polled = await consumer.getmany(*ends, timeout_ms=POLL_TIMEOUT_MS, max_records=records_per_poll)
        for tp, records in polled.items():
            below = [record for record in records if record.offset < ends[tp]]
            if below:
                yield tp, below
        if await _drop_finished(consumer, ends, positions) or polled:
            moved_s = time.monotonic()
        elif time.monotonic() - moved_s > SILENT_S_MAX:
            left = ", ".join(f"{tp.topic}-{tp.partition} below {end}" for tp, end in sorted(ends.items())[:3])
            raise TopicReadError(f"the broker delivered nothing for {SILENT_S_MAX:.0f} s; still to read: {left}")


async def _drop_finished(consumer: AIOKafkaConsumer, ends: dict[Any, int], positions: dict[Any, int]) -> bool:
    """Pause partitions that are read to their end. Whether any position moved: markers move it without a record."""
    moved = False
    for tp in list(ends):
        position = await consumer.position(tp)
        moved = moved or positions.get(tp) != position
        positions[tp] = position
        if position >= ends[tp]:
            del ends[tp]
            consumer.pause(tp)
    return moved
