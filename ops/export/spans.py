"""Which records of the audit topic come behind what is there already."""

from collections.abc import Mapping, Sequence

from aiokafka import AIOKafkaConsumer

from ops.export.errors import BrokenChainError
from ops.export.link import Link
from ops.topic_reader import Span, partition_counts, topic_spans
from schemas.settings import Settings
from schemas.topics import AUDIT


async def spans_behind(settings: Settings, consumer: AIOKafkaConsumer, links: Mapping[int, Link]) -> list[Span]:
    """What comes behind the links, up to the present end. Raises as ``spans_from``, and TopicReadError."""
    topic = settings.topic_name(AUDIT)
    return spans_from(await topic_spans(consumer, await partition_counts(settings, [topic])), links)


def spans_from(present: Sequence[Span], links: Mapping[int, Link]) -> list[Span]:
    """Of what is present, what comes behind the links; the longest first.

    Raises BrokenChainError where the topic has lost records that come next, or such as were exported from it.
    """
    ends = {span.partition: span.end for span in present}
    for partition, link in links.items():
        if ends.get(partition, 0) < link.next_offset:
            raise BrokenChainError(
                f"audit partition {partition} ends at offset {ends.get(partition, 0)}, and records up to "
                f"{link.next_offset - 1} were exported: this is not the topic they came from, or it was cut off"
            )
    spans = []
    for span in present:
        due = links.get(span.partition, Link()).next_offset
        if span.begin > due:
            raise BrokenChainError(f"audit partition {span.partition}: records from offset {due} on are gone")
        if span.end > due:
            spans.append(Span(span.topic, span.partition, due, span.end))
    return sorted(spans, key=lambda span: span.begin - span.end)
