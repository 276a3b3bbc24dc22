"""What stands on the audit topic behind an export, as Arrow."""

from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from ops.export.columns import columns_of
from ops.export.link import Link
from ops.export.records import read_records
from ops.export.spans import spans_behind
from ops.topic_reader import group_free_consumer, read_spans
from schemas.settings import Settings

Progress = Callable[[int, int], None]
"""Told how many offsets of how many have been read."""


async def read_tail(settings: Settings, links: Mapping[int, Link], progress: Progress) -> AsyncGenerator[Any]:
    """The records behind the links, up to the present end, in record batches that follow ``SCHEMA``.

    Raises BrokenChainError, TopicReadError and KafkaError.
    """
    known = dict(links)
    async with group_free_consumer(settings) as consumer:
        spans = await spans_behind(settings, consumer, links)
        total, done = sum(span.end - span.begin for span in spans), 0
        async for tp, consumed in read_spans(consumer, spans):
            offsets = [record.offset for record in consumed]
            link = known.get(tp.partition, Link())
            records, known[tp.partition] = read_records(
                tp.partition, link, offsets, [record.value for record in consumed]
            )
            yield columns_of(tp.partition, offsets, records)
            done += offsets[-1] - offsets[0] + 1
            progress(min(done, total), total)
