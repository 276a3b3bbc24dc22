"""Kafka record headers: where an output record comes from. Names are ASCII, values ASCII text."""

from collections.abc import Sequence

SOURCE_TOPIC = "source-topic"
SOURCE_PARTITION = "source-partition"
SOURCE_OFFSET = "source-offset"
"""On every record we publish: the offset, in the co-partitioned input topic, of the record it follows from."""
CAUSE = "cause"
DETAIL = "detail"

Headers = Sequence[tuple[str, bytes | None]]
"""A record's headers. Only a producer's own have no value, ours always have one."""


def source_offset(headers: Headers) -> int | None:
    """The source offset in a record's headers, or None where there is none. Ours stands behind the producer's own."""
    for name, value in reversed(headers):
        if name == SOURCE_OFFSET and value is not None:
            return int(value)
    return None
