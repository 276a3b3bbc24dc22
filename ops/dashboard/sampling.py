"""Which of the records that have come in are read, when there are more than may be. Pure."""

from collections.abc import Mapping, Sequence

from ops.topic_reader import Span


def first_offsets(spans: Sequence[Span], budget: int) -> dict[int, int]:
    """Where to begin, by partition: so many offsets before the ends, shared out evenly."""
    share = budget // max(1, len(spans))
    return {span.partition: max(span.begin, span.end - share) for span in spans}


def newest(spans: Sequence[Span], nexts: Mapping[int, int], budget: int) -> tuple[list[Span], int]:
    """The newest part of what stands from ``nexts`` on, ``budget`` offsets at most, and how many are passed over.

    Each partition gets a share of the budget by what is new on it, so that the sample is fair.
    """
    begins = {span.partition: max(span.begin, nexts.get(span.partition, span.begin)) for span in spans}
    news = {span.partition: max(0, span.end - begins[span.partition]) for span in spans}
    total = sum(news.values())
    wanted = news if total <= budget else {partition: count * budget // total for partition, count in news.items()}
    read = [
        Span(span.topic, span.partition, span.end - wanted[span.partition], span.end)
        for span in spans
        if wanted[span.partition]
    ]
    return read, total - sum(wanted.values())
