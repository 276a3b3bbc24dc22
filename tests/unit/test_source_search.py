"""Finding a record by the offset that it follows from."""

import asyncio

from builders import consumed
from hypothesis import given
from hypothesis import strategies as st

from ops.source_search import find_all, find_from
from schemas.headers import SOURCE_OFFSET
from sinks.kafka.records import Consumed


class Partition:
    """Records at some offsets; every look is counted."""

    def __init__(self, sources: dict[int, int]) -> None:
        self.records = {
            offset: consumed(offset, b"", headers=[(SOURCE_OFFSET, str(source).encode())])
            for offset, source in sources.items()
        }
        self.looks = 0

    async def first(self, begin: int, end: int) -> Consumed | None:
        self.looks += 1
        return next((record for offset, record in sorted(self.records.items()) if begin <= offset < end), None)


@st.composite
def partitions(draw: st.DrawFn) -> tuple[dict[int, int], int]:
    """Offsets with gaps, and beside them sources that never fall; and the partition's end."""
    offsets = sorted(draw(st.sets(st.integers(0, 300), max_size=40)))
    sources = sorted(draw(st.lists(st.integers(0, 60), min_size=len(offsets), max_size=len(offsets))))
    return dict(zip(offsets, sources, strict=True)), draw(st.integers(301, 400))


@given(partitions(), st.integers(0, 61))
def test_it_finds_what_reading_everything_finds(found: tuple[dict[int, int], int], wanted: int) -> None:
    sources, end = found
    partition = Partition(sources)
    expected = [offset for offset, source in sources.items() if source == wanted]
    later = [offset for offset, source in sources.items() if source >= wanted]
    record = asyncio.run(find_from(partition.first, 0, end, wanted))
    assert (None if record is None else record.offset) == (later[0] if later else None)
    assert partition.looks <= 10
    records = asyncio.run(find_all(partition.first, 0, end, wanted, 99))
    assert [record.offset for record in records] == expected


async def test_it_looks_a_few_dozen_times_among_billions() -> None:
    partition = Partition({4_000_000_000_000: 7})
    record = await find_from(partition.first, 0, 2**43, 7)
    assert record is not None
    assert partition.looks <= 44


async def test_so_many_at_most_are_returned() -> None:
    partition = Partition(dict.fromkeys(range(10), 5))
    assert len(await find_all(partition.first, 0, 10, 5, 3)) == 3


async def test_what_somebody_else_has_written_follows_from_nothing() -> None:
    partition = Partition({0: 1, 1: 2})
    partition.records[0].headers = ((SOURCE_OFFSET, b"none"),)
    assert await find_all(partition.first, 0, 2, 1, 1) == []
    [found] = await find_all(partition.first, 0, 2, 2, 1)
    assert found.offset == 1
