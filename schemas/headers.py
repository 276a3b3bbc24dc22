"""Kafka record headers: where an output record comes from. Names are ASCII, values ASCII text."""

from collections.abc import Sequence

SOURCE_TOPIC = "source-topic"
SOURCE_PARTITION = "source-partition"
SOURCE_OFFSET = "source-offset"
"""On every record we publish: the offset, in the co-partitioned input topic, of the record it follows from."""
CAUSE = "cause"
DETAIL = "detail"

DEAD_LETTER_HEADERS = (SOURCE_TOPIC, SOURCE_PARTITION, SOURCE_OFFSET, CAUSE, DETAIL)
"""What a dead letter has behind the headers of the record it was, in this order."""

REPLAY_OF = "replay-of"
"""On a request that was put back: its letter's partition and offset on the dead-letter topic, as in ``3:17``."""
REPLAY_ATTEMPT = "replay-attempt"
"""Beside it: a UUID, known to nobody before, that proves of an interrupted replay that it had been published."""

REPUBLISHED = "republished"
"""On an outcome that was published from the ledger again, after the loss of its topic: people have been told of it."""

SIGNATURE = "signature"
"""On a request: a JWT that proves who sent it, made and checked by ``schemas.signatures``."""

TRACEPARENT = "traceparent"
"""On a request that is part of a trace, and on whatever follows from it: see ``schemas.traceparent``."""

REQUEST_ID = "request-id"
"""On a request that came over HTTP with an id of its client's own (``Request-Id`` or ``X-Request-Id``)."""

Headers = Sequence[tuple[str, bytes | None]]
"""A record's headers. Only a producer's own have no value, ours always have one."""


def source_offset(headers: Headers) -> int | None:
    """The source offset in a record's headers, or None where there is none. Ours stands behind the producer's own."""
    for name, value in reversed(headers):
        if name == SOURCE_OFFSET and value is not None:
            return int(value)
    return None
