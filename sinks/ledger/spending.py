"""What has left a wallet over the last day, to the minute."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime

DAY_MINUTES = 24 * 60


def minute_of(moment: datetime) -> int:
    """Whole minutes since 1970."""
    return int(moment.timestamp()) // 60


def first_minute(now: datetime) -> int:
    """The minute from which on what has left a wallet counts against a limit for the day.

    It lies a day ago, its seconds cut off: what left counts for a day and up to a minute more.
    """
    return minute_of(now) - DAY_MINUTES


class Spending:
    """Of one wallet: units by minute, in the order of time, and their sum."""

    def __init__(self, by_minute: Iterable[tuple[int, int]] = ()) -> None:
        self._by_minute = deque(by_minute)
        self._units = sum(units for _, units in self._by_minute)

    def since(self, minute: int) -> int:
        """The units that have left from this minute on; what left before is forgotten."""
        while self._by_minute and self._by_minute[0][0] < minute:
            self._units -= self._by_minute.popleft()[1]
        return self._units

    def add(self, minute: int, units: int) -> None:
        """So much more has left; a minute before the last counts as that one."""
        self._units += units
        if self._by_minute and self._by_minute[-1][0] >= minute:
            last, before = self._by_minute.pop()
            self._by_minute.append((last, before + units))
        else:
            self._by_minute.append((minute, units))
