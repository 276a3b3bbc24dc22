"""Finds the record of a partition that follows from a given one, without reading all that stands before it. Pure.

Our records name the offset that they follow from, and stand in the order of these offsets. So a few dozen looks find
one among billions. Between two looks nothing is assumed about how offsets are spread: transactions leave gaps.
"""

from collections.abc import Awaitable, Callable

from schemas.headers import source_offset
from sinks.kafka.records import Consumed

FirstRecord = Callable[[int, int], Awaitable[Consumed | None]]
"""The first record from an offset on and before another, or None where none stands there."""


async def find_from(first_record: FirstRecord, begin: int, end: int, source: int) -> Consumed | None:
    """The first record between ``begin`` and ``end`` that follows from the offset ``source`` or a later one."""
    found: Consumed | None = None
    low, high = begin, end
    while low < high:
        middle = (low + high) // 2
        record = await first_record(middle, high)
        if record is None:
            high = middle
        elif _source(record) < source:
            low = record.offset + 1
        else:
            found, high = record, middle
    return found


async def find_all(first_record: FirstRecord, begin: int, end: int, source: int, count_max: int) -> list[Consumed]:
    """The records that follow from the offset ``source``, which stand one behind another; so many at most."""
    found: list[Consumed] = []
    record = await find_from(first_record, begin, end, source)
    while record is not None and _source(record) == source and len(found) < count_max:
        found.append(record)
        record = await first_record(record.offset + 1, end)
    return found


def _source(record: Consumed) -> int:
    """The offset that it follows from. What somebody else has written follows from none."""
    try:
        named = source_offset(record.headers)
    except ValueError:
        named = None
    return -1 if named is None else named
