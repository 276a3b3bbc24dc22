"""When the end of the records is looked for, and what is remembered of it. The search itself is a stand-in."""

from collections.abc import Mapping

from aiokafka import TopicPartition
from builders import consumed

from ops.lag.records_end import NEAR_OFFSETS, RecordsEnds
from ops.topic_reader import Span
from sinks.kafka.records import Consumed
from sinks.kafka.tails import Bounds

WHERE = TopicPartition("t", 0)


class Log:
    """A partition's records by offset; all other offsets are markers. Notes what is searched."""

    def __init__(self, *records: int) -> None:
        self.records = set(records)
        self.searched: list[Bounds] = []
        self.ends = RecordsEnds(self._search)

    async def _search(self, bounds: Mapping[TopicPartition, Bounds]) -> Mapping[TopicPartition, Consumed]:
        begin, end = bounds[WHERE]
        self.searched.append((begin, end))
        within = [offset for offset in self.records if begin <= offset < end]
        return {WHERE: consumed(max(within), b"")} if within else {}

    async def behind_last(self, end: int, reached: int, begin: int = 0) -> int:
        return (await self.ends.find([Span("t", 0, begin, end)], {WHERE: reached}))[WHERE]


async def test_a_group_at_the_end_needs_no_search() -> None:
    log = Log(0, 1)
    assert await log.behind_last(end=2, reached=2) == 2
    assert log.searched == []


async def test_an_unchanged_end_is_searched_once() -> None:
    log = Log(0, 1, 2)
    assert [await log.behind_last(end=6, reached=reached) for reached in (0, 0, 2, 3)] == [3, 3, 3, 3]
    assert log.searched == [(0, 6)]


async def test_only_what_is_new_is_searched() -> None:
    log = Log(0, 1, 2)
    assert await log.behind_last(end=6, reached=1) == 3
    assert await log.behind_last(end=8, reached=1) == 3
    log.records.add(8)
    assert await log.behind_last(end=9, reached=3) == 9
    assert log.searched == [(1, 6), (6, 8), (8, 9)]


async def test_where_no_record_is_left_nothing_is_behind() -> None:
    log = Log()
    assert await log.behind_last(end=5, reached=0) == 0
    assert await log.behind_last(end=7, reached=0) == 0
    assert await log.behind_last(end=7, reached=0, begin=4) == 0


async def test_a_group_that_is_set_back_is_searched_again() -> None:
    log = Log(0, 1, 2)
    assert await log.behind_last(end=6, reached=3) == 3
    assert await log.behind_last(end=6, reached=0) == 3
    assert log.searched == [(3, 6), (0, 6)]


async def test_a_topic_made_anew_is_searched_anew() -> None:
    log = Log(0, 1, 2)
    assert await log.behind_last(end=6, reached=0) == 3
    log.records = {0}
    assert await log.behind_last(end=2, reached=0) == 1


async def test_far_behind_a_moving_end_no_search_is_made_at_each_look() -> None:
    end = 10 * NEAR_OFFSETS
    log = Log(*range(end))
    assert await log.behind_last(end=end, reached=0) == end
    assert await log.behind_last(end=end + 5, reached=0) == end + 5
    assert log.searched == [(0, end)]
    assert await log.behind_last(end=end + 5, reached=0) == end
    assert await log.behind_last(end=end + 6, reached=end - 10) == end
