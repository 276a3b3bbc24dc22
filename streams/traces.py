"""Traces carried on: what follows from a record has the record's own ``traceparent``.

So everything that is done for a request can be found from it, also long after the request itself has ended.
"""

from collections.abc import Mapping, Sequence

from schemas.headers import SOURCE_OFFSET, TRACEPARENT, Headers
from schemas.traceparent import traceparent_of
from sinks.kafka.records import Consumed

Traces = Mapping[tuple[int, int], bytes]
"""The traceparent of each record that has one, by partition and offset."""


def traces_of(batches: Mapping[int, Sequence[Consumed]]) -> Traces:
    """Those of these records."""
    return {
        (partition, record.offset): found
        for partition, records in batches.items()
        for record in records
        if record.headers and (found := traceparent_of(record.headers)) is not None
    }


def headers_after(record: Consumed) -> Headers:
    """The headers of what follows from a record."""
    source = (SOURCE_OFFSET, str(record.offset).encode())
    traceparent = traceparent_of(record.headers)
    return [source] if traceparent is None else [(TRACEPARENT, traceparent), source]
