"""Where the records of a partition end: its end offset may stand behind the last record.

Transactions end in markers, which take an offset and are no records, and what was aborted is none either. A worker
that reads committed records comes to the last of them and no further.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import TopicPartition

from ops.topic_reader import Span
from sinks.kafka.records import Consumed
from sinks.kafka.tails import Bounds

Search = Callable[[Mapping[TopicPartition, Bounds]], Awaitable[Mapping[TopicPartition, Consumed]]]
"""Finds the last record within the bounds of each partition, as ``last_between`` does."""

NEAR_OFFSETS = 1_000
"""A group that is this close to the end is worth a search at every read."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Behind ``behind`` and below ``end`` there is no record, as far as was searched: down to ``floor``."""

    end: int
    floor: int
    behind: int


class RecordsEnds:
    """Finds where records end, and remembers it: what is below an end offset never changes.

    End offsets are those of a consumer that reads committed records only, the last stable ones: they stop before the
    first record of a transaction that is still open. Records from there on count once that transaction has ended, by
    itself or, at the latest after its ``transaction.timeout.ms``, by the broker.
    """

    def __init__(self, search: Search) -> None:
        self._search_between = search
        self._known: dict[TopicPartition, _Known] = {}
        self._ends: dict[TopicPartition, int] = {}

    async def find(self, spans: Sequence[Span], reached: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """The offset behind the last record of each span, or its ``reached`` where none is there or behind.

        ``reached`` has the lowest offset from where anyone will read on, by partition. While a partition fills and its
        groups are far behind, its end offset stands in: the few markers it may be too high by are not worth a search
        at each look. Raises KafkaError.
        """
        wanted = {}
        for span in spans:
            where = TopicPartition(span.topic, span.partition)
            floor = max(span.begin, reached.get(where, span.begin))
            if self._is_worth_a_search(where, floor, span.end):
                wanted[where] = (floor, span.end)
            self._ends[where] = span.end
        await self._search(wanted)
        return {where: self._behind(where, end) for where, end in self._ends.items()}

    def _is_worth_a_search(self, where: TopicPartition, floor: int, end: int) -> bool:
        known = self._known.get(where)
        if known is not None and (floor < known.floor or end < known.end):
            known = None  # a group was set back, or the topic was made anew
            del self._known[where]
        if floor >= end or (known is not None and known.end == end):
            return False
        return end - floor <= NEAR_OFFSETS or self._ends.get(where, end) == end

    async def _search(self, wanted: Mapping[TopicPartition, Bounds]) -> None:
        if not wanted:
            return
        bounds = {}
        for where, (floor, end) in wanted.items():
            known = self._known.get(where)
            bounds[where] = (floor if known is None else max(floor, known.end), end)
        found = await self._search_between(bounds)
        for where, (floor, end) in wanted.items():
            known, record = self._known.get(where), found.get(where)
            before = floor if known is None else max(floor, known.behind)
            self._known[where] = _Known(end, floor, before if record is None else record.offset + 1)

    def _behind(self, where: TopicPartition, end: int) -> int:
        known = self._known.get(where)
        return end if known is None or known.end != end else known.behind
