r"""Fetched record batches with header names that are no UTF-8."""

from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.memory_records import MemoryRecords
from raw_headers import RawRecord, built

from sinks.kafka.reading import patch_reading

PLAIN: RawRecord = (b"k", b"v", [(b"name", b"held"), ("ж".encode(), None)])
POISON: RawRecord = (None, b"\xff\x00", [(b"\xff\xfe", b"\xff"), (b"good", None), (b"", b"")])
EMPTY: RawRecord = (b"", None, [])
COMPRESSIONS = (0, 1, 2, 3, 4)


@pytest.fixture(autouse=True)
def _patched(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MemoryRecords", "PartitionRecords", "FetchResult"):
        monkeypatch.setattr(fetcher, name, getattr(fetcher, name))  # put back what was there
    patch_reading()


def fetched(data: bytes, fetch_offset: int = 0, *, check_crcs: bool = True) -> Any:
    """What a consumer gets of these bytes: an iterator of records."""
    library: Any = fetcher
    records = library.MemoryRecords(data)
    return library.PartitionRecords(
        TopicPartition("t", 0), records, None, fetch_offset, None, None, check_crcs, fetcher.READ_COMMITTED
    )


def moved(data: bytes, base_offset: int) -> bytes:
    """The batch at another place; the checksum does not cover it."""
    return base_offset.to_bytes(8, "big") + data[8:]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_poison_record_and_all_around_it_are_read(compression: int) -> None:
    records = list(fetched(built([PLAIN, POISON, EMPTY, PLAIN, POISON], compression)))
    plain = (b"k", b"v", (("name", b"held"), ("ж", None)))
    poison = (None, b"\xff\x00", (("\\xff\\xfe", b"\xff"), ("good", None), ("", b"")))
    assert [(r.key, r.value, r.headers) for r in records] == [plain, poison, (b"", None, ()), plain, poison]
    assert [(r.offset, r.timestamp) for r in records] == [(n, 1_000 + n) for n in range(5)]
    assert (records[1].serialized_key_size, records[1].serialized_value_size) == (-1, 2)


def test_batches_before_and_behind_go_through() -> None:
    good, bad = built([PLAIN] * 3), built([PLAIN, POISON])
    data = moved(good, 0) + moved(bad, 3) + moved(good, 10) + moved(bad, 13) + moved(bad, 15)
    records = fetched(data, fetch_offset=1)
    assert [r.offset for r in records] == [1, 2, 3, 4, 10, 11, 12, 13, 14, 15, 16]
    assert records.next_fetch_offset == 17


def test_reading_on_behind_a_poison_record_of_the_same_batch() -> None:
    records = fetched(built([POISON, PLAIN, PLAIN]), fetch_offset=2)
    assert [r.offset for r in records] == [2]
    assert records.next_fetch_offset == 3


def test_a_record_of_another_length_than_it_says_is_still_corrupt() -> None:
    data = bytearray(built([POISON]))
    data[61] += 2  # the record's length, as a zigzag varint
    with pytest.raises(CorruptRecordException):
        list(fetched(bytes(data), check_crcs=False))


def test_the_library_alone_does_not_read_it() -> None:
    """Once this fails, all of this can go."""
    batch: Any = MemoryRecords(built([POISON])).next_batch()
    with pytest.raises((UnicodeDecodeError, CorruptRecordException)):
        list(batch)
