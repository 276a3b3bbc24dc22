"""Points in time as an operator writes them."""

import re
from datetime import datetime, timedelta

_AGO = re.compile(r"([0-9]{1,6})(s|m|h|d|w)", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
# RFC 3339 section 5.6; fromisoformat alone would take more.
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_moment(text: str, now: datetime) -> datetime:
    """The moment of a text such as ``2030-01-31T12:00:00Z`` or ``2h``, which is that long before ``now``.

    Raises ValueError.
    """
    ago = _AGO.fullmatch(text)
    try:
        if ago is not None:
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if _RFC_3339.fullmatch(text) is not None:
            return datetime.fromisoformat(text.upper())
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{text[:50]!r} is no moment: write RFC 3339 with an offset, as in 2030-01-31T12:00:00Z, or 2h")
