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
    shares = _shares({span.partition: span.end - wanted[span.partition] for span in found}, offsets_max)
    spans, passed_over, offsets = [], set[int](), 0
    for span in found:
        begin = span.end - shares[span.partition]
        if begin > wanted[span.partition]:
            passed_over.add(span.partition)
            offsets += begin - wanted[span.partition]
        spans.append(Span(span.topic, span.partition, begin, span.end))
    return Plan(spans, frozenset(passed_over), offsets, anew)


def _shares(news: Mapping[int, int], offsets_max: int) -> dict[int, int]:
    """How many of each partition are read: what one does not need the others may have, and each gets one at least."""
    shares, left = {}, offsets_max
    for done, partition in enumerate(sorted(news, key=news.__getitem__)):
        shares[partition] = min(news[partition], max(1, left // (len(news) - done)))
        left -= shares[partition]
    return shares
