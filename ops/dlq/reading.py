"""Streams the selected letters, one partition after another, each in the order of its offsets."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import replace

from aiokafka import AIOKafkaConsumer, TopicPartition

from ops.dlq.address import Address
from ops.dlq.errors import NoLetterError
from ops.dlq.letters import Letter, read_letter
from ops.dlq.selection import Selection
from ops.topic_reader import Span, partition_counts, read_spans, topic_spans
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS

Progress = Callable[[str, int, int], None]
"""Told for a kind of work how much of how much is done."""


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Tells nobody."""


async def read_letters(
    consumer: AIOKafkaConsumer, settings: Settings, selection: Selection, progress: Progress = no_progress
) -> AsyncGenerator[list[Letter], None]:
    """Letters that are on the topic now, in lists of one partition; later ones are left out.

    Holds at most one poll's records. Raises NoLetterError, before the first list, for a partition that does not exist
    and for an address without a letter; TopicReadError.
    """
    spans = await _spans(consumer, settings, selection)
    await _require(consumer, spans, selection.addresses)
    total = sum(span.end - span.begin for span in spans)
    done = 0
    progress("dead letters", 0, total)
    for span in spans:
        async for _, records in read_spans(consumer, [span]):
            found = [letter for letter in map(read_letter, records) if selection.admits(letter)]
            if found:
                yield found
            progress("dead letters", done + records[-1].offset + 1 - span.begin, total)
        done += span.end - span.begin
        progress("dead letters", done, total)


async def _spans(consumer: AIOKafkaConsumer, settings: Settings, selection: Selection) -> list[Span]:
    """What must be read, in the order of partitions and offsets."""
    topic = settings.topic_name(DEAD_LETTERS)
    counts = await partition_counts(settings, [topic])
    asked = selection.partitions | {address.partition for address in selection.addresses}
    unknown = sorted(partition for partition in asked if not 0 <= partition < counts[topic])
    if unknown:
        raise NoLetterError(f"there is no partition {unknown[0]}: {topic} has 0 to {counts[topic] - 1}")
    spans = [span for span in await topic_spans(consumer, counts) if not asked or span.partition in asked]
    if selection.addresses:
        whole = {span.partition: span for span in spans}
        return [
            Span(topic, partition, offset, offset + 1)
            for partition, offset in sorted(selection.addresses)
            if whole[partition].begin <= offset < whole[partition].end
        ]
    return await _since(consumer, _behind(spans, selection.after), selection)


async def _require(consumer: AIOKafkaConsumer, spans: list[Span], addresses: frozenset[Address]) -> None:
    missing = set(addresses)
    for span in spans if addresses else []:
        async for _, records in read_spans(consumer, [span]):
            missing -= {Address(record.partition, record.offset) for record in records}
    if missing:
        raise NoLetterError(f"there is no dead letter {min(missing)}: `hfts dlq list --state all` shows what there is")


def _behind(spans: list[Span], after: Address | None) -> list[Span]:
    """What stands behind this letter, in the order of partitions and offsets."""
    if after is None:
        return spans
    later = [span for span in spans if span.partition > after.partition]
    own = [span for span in spans if span.partition == after.partition and after.offset + 1 < span.end]
    return [replace(span, begin=max(span.begin, after.offset + 1)) for span in own] + later


async def _since(consumer: AIOKafkaConsumer, spans: list[Span], selection: Selection) -> list[Span]:
    """The spans from the first letter on that is not too old. Clocks may jump, so single letters are still asked."""
    if selection.since is None or not spans:
        return spans
    # A millisecond early: of equal times, the index that is asked may know a later one first.
    moment_ms = max(int(selection.since.timestamp() * 1000) - 1, 0)
    asked = {TopicPartition(span.topic, span.partition): moment_ms for span in spans}
    found = await consumer.offsets_for_times(asked)
    later: list[Span] = []
    for span in spans:
        first = found[TopicPartition(span.topic, span.partition)]
        begin = span.end if first is None else max(span.begin, first.offset)
        later.append(Span(span.topic, span.partition, min(begin, span.end), span.end))
    return later
