"""What of the topic of outcomes is read next: all that is new, up to a bound, and beyond that the newest. Pure."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from ops.topic_reader import Span


class Plan(NamedTuple):
    """What to read, partitions where something is passed over before it, how much, and those that begin anew."""

    spans: list[Span]
    passed_over: frozenset[int]
    offsets_passed_over: int
    anew: frozenset[int]


def plan_reading(positions: Mapping[int, int], found: Sequence[Span], offsets_max: int) -> Plan:
    """From where each partition was left off to its end; ``found`` are the spans of whole partitions.

    A partition that ends before that position is not the one that it was, and is taken up at its end.
    """
    anew = frozenset(span.partition for span in found if span.end < positions.get(span.partition, 0))
    wanted = {
        span.partition: max(span.begin, positions.get(span.partition, span.begin))
        if span.partition not in anew
        else span.end
        for span in found
    }
    news = sum(1 for span in found if span.end > wanted[span.partition])
    share = max(1, offsets_max // max(1, news))
    spans, passed_over, offsets = [], set[int](), 0
    for span in found:
        begin = max(wanted[span.partition], span.end - share)
        if begin > wanted[span.partition]:
            passed_over.add(span.partition)
            offsets += begin - wanted[span.partition]
        spans.append(Span(span.topic, span.partition, begin, span.end))
    return Plan(spans, frozenset(passed_over), offsets, anew)
