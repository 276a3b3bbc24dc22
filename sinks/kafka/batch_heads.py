"""The heads of record batches in the bytes that a fetch has brought (KIP-98)."""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from aiokafka.record.memory_records import MemoryRecords

_HEAD = Struct(">q i 4x b 4x h i")
"""Base offset and length of what follows; behind the leader's epoch the format; behind the checksum the attributes and
the last offset's distance."""

_LENGTH_END = 12


class BatchHead(NamedTuple):
    """What a record batch says of itself. Where ``magic`` is below 2, only the first three fields mean this."""

    begin: int
    """Where it begins in the bytes, and where it ends."""
    end: int
    base_offset: int
    magic: int
    attributes: int
    last_offset_delta: int


class KeptRecords(MemoryRecords):  # type: ignore[misc, valid-type]  # it is chosen when aiokafka is imported
    """The record batches of a fetch, and their bytes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.data = data


def batch_heads(data: bytes) -> Iterator[BatchHead]:
    """One after another. The last batch of a fetch may be cut off; what cannot be a batch ends the walk."""
    begin = 0
    while begin + _HEAD.size <= len(data):
        base_offset, length, magic, attributes, last_offset_delta = _HEAD.unpack_from(data, begin)
        if length <= 0:
            return
        end = begin + _LENGTH_END + length
        yield BatchHead(begin, end, base_offset, magic, attributes, last_offset_delta)
        begin = end
