"""Reads a topic of outcomes to its present end and says what is missing there. See `ops/audit/gaps.py`."""

import asyncio
import time
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaConsumer

from ops.audit.gaps import GapCheck, GapReport
from ops.topic_reader import Span, group_free_consumer, partition_counts, read_spans, topic_spans
from schemas.settings import Settings
from schemas.topics import Topic

SETTLE_S = 10.0
"""Two payments into a wallet may be told in another order than they were committed, and the end be in between them: so
long what is missing is looked for behind it."""

LOOK_EVERY_S = 0.1

Progress = Callable[[str, int, int], None]
"""Told for a reading how many offsets of how many are done."""


async def find_gaps(
    settings: Settings,
    topic: Topic,
    progress: Progress = lambda _name, _done, _total: None,
    *,
    settle_s: float = SETTLE_S,
) -> GapReport:
    """Check a topic of outcomes, or of audit records. Raises TopicReadError when it cannot be read.

    Memory grows by the wallet, not by the record: some 110 bytes each.
    """
    name = settings.topic_name(topic)
    counts = await partition_counts(settings, [name])
    check = GapCheck()
    async with group_free_consumer(settings) as consumer:
        spans = await topic_spans(consumer, counts)
        await _read(consumer, spans, check.note, progress, name)
        await _look_behind(consumer, spans, counts, check, settle_s)
        if check.wants_second_reading:
            await _read(consumer, spans, lambda _partition, _offset, value: check.compare(value), progress, "comparing")
    return check.report(name)


async def _read(
    consumer: AIOKafkaConsumer,
    spans: Sequence[Span],
    take: Callable[[int, int, bytes | None], None],
    progress: Progress,
    name: str,
) -> None:
    total = sum(span.end - span.begin for span in spans)
    done = 0
    progress(name, 0, total)
    async for tp, records in read_spans(consumer, spans):
        for record in records:
            take(tp.partition, record.offset, record.value)
        done += records[-1].offset - records[0].offset + 1  # offsets, for markers of transactions take some as well
        progress(name, min(done, total), total)
    progress(name, total, total)


async def _look_behind(
    consumer: AIOKafkaConsumer, spans: Sequence[Span], counts: dict[str, int], check: GapCheck, settle_s: float
) -> None:
    """Read on until nothing is missing any more of what was before the first end, for a bounded time."""
    deadline_s = time.monotonic() + settle_s
    while (holes := check.holes_by_wallet()) and time.monotonic() < deadline_s:
        ends = {span.partition: span.end for span in spans}
        spans = [
            Span(span.topic, span.partition, ends[span.partition], span.end)
            for span in await topic_spans(consumer, counts)
        ]
        async for _, records in read_spans(consumer, spans):
            for record in records:
                check.fill(holes, record.value)
        await asyncio.sleep(LOOK_EVERY_S)
