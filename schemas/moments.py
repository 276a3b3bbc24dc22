"""Moments that clients name."""

import re
from datetime import UTC, datetime

MOMENT_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
MOMENT_LAST = datetime(9998, 12, 31, tzinfo=UTC)
"""Nothing happens before the first or after the last: moments beyond mean the same as these."""

_RFC_3339 = re.compile(
    r"(\d{4})-\d{2}-\d{2}[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII
)


def parse_moment(text: str) -> datetime:
    """The moment of a text such as ``2030-01-31T12:00:00Z`` (RFC 3339 section 5.6, without leap seconds), in UTC.

    Raises ValueError.
    """
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise ValueError("must be a time of RFC 3339 with an offset, such as 2030-01-31T12:00:00Z")
    year = int(match[1])
    if year <= MOMENT_FIRST.year - 1:
        return MOMENT_FIRST
    if year > MOMENT_LAST.year:
        return MOMENT_LAST
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        raise ValueError("must be a day that there is") from None
    return min(max(found.astimezone(UTC), MOMENT_FIRST), MOMENT_LAST)
