"""Which trace a request belongs to: the header of W3C Trace Context (https://www.w3.org/TR/trace-context/).

``00-<trace id>-<parent id>-<flags>`` in lower-case hexadecimal, 55 bytes. It stands, under the same name, in an HTTP
request and in the headers of Kafka records.
"""

import re

from schemas.headers import TRACEPARENT, Headers

BYTES = 55
SAMPLED = 1
"""The flag of a trace that somebody records."""

_VERSION = b"00"
_FORM = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def checked(value: bytes) -> bytes | None:
    """The value in version 00, or None if it is not valid.

    A later version begins like it and may go on behind another dash (section 3.2.3 of the standard); what it has more
    is left out.
    """
    if _FORM.match(value) is None:
        return None
    if value.startswith(_VERSION):
        return value if len(value) == BYTES else None
    if value[BYTES : BYTES + 1] not in (b"", b"-"):
        return None
    return _VERSION + value[2 : BYTES - 2] + (b"01" if is_sampled(value) else b"00")


def is_sampled(traceparent: bytes) -> bool:
    """Whether somebody records the trace."""
    return bool(int(traceparent[BYTES - 2 : BYTES], 16) & SAMPLED)


def trace_id_of(traceparent: bytes) -> str:
    """The id of the whole trace."""
    return str(traceparent[3:35], "ascii")


def parent_id_of(traceparent: bytes) -> str:
    """The id of the span in it that the request comes from."""
    return str(traceparent[36:52], "ascii")


def traceparent_of(headers: Headers) -> bytes | None:
    """The one in a record's headers, if it is valid; of several the last, as Kafka's own client has it."""
    for name, value in reversed(headers):
        if name == TRACEPARENT:
            return None if value is None else checked(value)
    return None
