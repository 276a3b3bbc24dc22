"""How much a consumer hands over at once."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from raw_headers import RawRecord, built

from sinks.kafka.fetch_bytes import BYTES_AT_ONCE_MAX, holds_compressed
from sinks.kafka.reading import patch_reading

ZSTD = 4
HALF = b"x" * (BYTES_AT_ONCE_MAX // 2)


class Assignment:
    """An active assignment of one partition that is read from offset 0 on."""

    active = True

    def __init__(self) -> None:
        self.state = SimpleNamespace(paused=False, position=0, consumed_to=self.consumed_to)

    def state_value(self, _where: TopicPartition) -> SimpleNamespace:
        return self.state

    def consumed_to(self, position: int) -> None:
        self.state.position = position


@pytest.fixture(autouse=True)
def _patched(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MemoryRecords", "PartitionRecords", "FetchResult"):
        monkeypatch.setattr(fetcher, name, getattr(fetcher, name))  # put back what was there
    patch_reading()


def fetched(records: list[RawRecord], assignment: Assignment) -> Any:
    where = TopicPartition("t", 0)
    library: Any = fetcher
    data = library.MemoryRecords(built(records, ZSTD))
    unpacked = library.PartitionRecords(where, data, None, 0, None, None, True, fetcher.READ_COMMITTED)
    return library.FetchResult(where, assignment=assignment, partition_records=unpacked, backoff=0)


def offsets(result: Any, max_records: int | None = None) -> list[int]:
    return [record.offset for record in result.getall(max_records)]


def test_it_stops_at_so_many_bytes_and_goes_on_there() -> None:
    assignment = Assignment()
    result = fetched(
        [(HALF, b"", []), (b"", HALF, []), (b"", b"", [(b"name", HALF + HALF)]), (b"", b"", [])], assignment
    )
    assert offsets(result) == [0, 1]
    assert (assignment.state.position, result.has_more()) == (2, True)
    assert offsets(result) == [2]
    assert offsets(result) == [3]
    assert (assignment.state.position, result.has_more()) == (4, False)


def test_small_records_are_counted_as_before() -> None:
    assignment = Assignment()
    result = fetched([(b"", b"v", [])] * 5, assignment)
    assert offsets(result, max_records=2) == [0, 1]
    assert assignment.state.position == 2
    assert offsets(result, max_records=3) == [2, 3, 4]
    assert offsets(result) == []
    assert not result.has_more()


def test_nothing_is_handed_over_of_a_partition_that_was_sought_elsewhere() -> None:
    assignment = Assignment()
    result = fetched([(b"", b"v", [])] * 5, assignment)
    assignment.state.position = 3
    assert offsets(result) == []
    assert not result.has_more()


@pytest.mark.parametrize("codec", range(5))
def test_what_is_compressed_is_told_from_its_head(codec: int) -> None:
    plain = built([(b"k", b"v" * 100, [])] * 3)
    assert not holds_compressed(plain + plain)
    assert holds_compressed(plain + built([(b"k", b"v" * 100, [])] * 3, codec) + plain[:20]) == (codec > 0)
