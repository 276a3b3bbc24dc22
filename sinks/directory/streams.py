"""Transfers that come one after another in one direction, read ahead stretch by stretch: what pages are made of."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from sinks.directory.filters import MOMENT_MAX, Filters
from sinks.directory.history import Examined, History, Leg, Place
from sinks.directory.transfers import TransferRow

STRETCH_MAX = 2_000
"""Transfers that one statement examines."""

TOP = Place(MOMENT_MAX, str(UUID(int=2**128 - 1)), is_above=True)
"""Above every transfer."""

_BOTTOM = Place(datetime(1970, 1, 1, tzinfo=UTC), str(UUID(int=0)), is_above=False)


class Budget:
    """How many transfers may still be examined for a page."""

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, wanted: int) -> int:
        """As many as there are, up to ``wanted``."""
        taken = min(wanted, self.left)
        self.left -= taken
        return taken


class Stream(ABC):
    """Older and older transfers, or newer and newer. ``stretch`` are examined first, then twice as many each time."""

    def __init__(self, stretch: int, *, newer: bool) -> None:
        self.newer = newer
        self.is_read = False
        """Whether there is nothing behind what has been read."""
        self._stretch = stretch

    @property
    @abstractmethod
    def head(self) -> TransferRow | None:
        """The next transfer, as far as one has been read."""

    @abstractmethod
    def pop(self) -> TransferRow:
        """Go past the next transfer, and return it."""

    @abstractmethod
    async def _read(self, count: int) -> None:
        """Examine that many more."""

    async def begin(self, budget: Budget) -> None:
        """Read the first stretch. Raises DatabaseAwayError."""
        if not self.is_read:
            await self._read_stretch(budget)

    async def fill(self, budget: Budget) -> None:
        """Read on until there is a next transfer, or nothing more to read or to read with. Raises DatabaseAwayError."""
        while self.head is None and not self.is_read and budget.left:
            await self._read_stretch(budget)

    async def _read_stretch(self, budget: Budget) -> None:
        await self._read(budget.take(self._stretch))
        self._stretch = min(2 * self._stretch, STRETCH_MAX)


class LegStream(Stream):
    """The transfers behind entries of a wallet, from the first to the last version of ``bounds``.

    Those that come out of a wallet of ``elsewhere`` are in the stream of that one.
    """

    def __init__(
        self,
        history: History,
        wallet_id: str,
        bounds: tuple[int, int],
        filters: Filters,
        stretch: int,
        *,
        elsewhere: Sequence[str],
        newer: bool,
    ) -> None:
        super().__init__(stretch, newer=newer)
        self._history = history
        self._wallet_id = wallet_id
        self._low, self._high = bounds  # what has not been examined
        self._filters = filters
        self._elsewhere = elsewhere
        self._legs: deque[Leg] = deque()
        self.is_read = self._low > self._high

    def preset(self, rows: Sequence[TransferRow]) -> None:
        """Take these instead of reading: all that there are of this wallet, and maybe others."""
        versions = ((self._version(row), row) for row in rows)
        legs = [Leg(version, row) for version, row in versions if version and self._low <= version <= self._high]
        self._legs = deque(sorted(legs, key=lambda leg: leg.version, reverse=not self.newer))
        self.is_read = True
        if self.newer:
            self._low = max(self._low, self._high + 1)
        else:
            self._high = min(self._high, self._low - 1)

    @property
    def head(self) -> TransferRow | None:  # noqa: D102 (as above)
        return self._legs[0].row if self._legs else None

    @property
    def gap(self) -> int:
        """The lowest version above the place that has been reached."""
        if self.newer:
            return self._legs[0].version if self._legs else self._low
        return (self._legs[0].version if self._legs else self._high) + 1

    def pop(self) -> TransferRow:  # noqa: D102 (as above)
        return self._legs.popleft().row

    async def _read(self, count: int) -> None:
        first, last = self._low, self._high
        if self.newer:
            last = min(last, first + count - 1)
            self._low = last + 1
        else:
            first = max(first, last - count + 1)
            self._high = first - 1
        legs = await self._history.legs(self._wallet_id, first, last, self._filters, self._elsewhere)
        self._legs.extend(reversed(legs) if self.newer else legs)
        self.is_read = self._low > self._high

    def _version(self, row: TransferRow) -> int | None:
        if row.source_wallet_id == self._wallet_id:
            return row.source_version
        if row.destination_wallet_id == self._wallet_id and row.source_wallet_id not in self._elsewhere:
            return row.destination_version
        return None


ReadOn = Callable[[Place, int], Awaitable[list[Examined]]]
"""Examines so many transfers onwards from a place."""


class TimeStream(Stream):
    """Transfers in the order of time, onwards from a place."""

    def __init__(self, read_on: ReadOn, start: Place, stretch: int, *, newer: bool) -> None:
        super().__init__(stretch, newer=newer)
        self._gap = start
        self._read_on = read_on
        self._start = start
        self._first: TransferRow | None = None
        self._last = start
        self._examined: deque[Examined] = deque()

    def preset(self, rows: Sequence[TransferRow]) -> None:
        """Take these instead of reading: all that there are."""
        onwards = [row for row in rows if self._is_onwards(row)]
        onwards.sort(key=lambda row: (row.completed_at, row.transfer_id), reverse=not self.newer)
        self._add([Examined(row, passes=True) for row in onwards])
        self.is_read = True

    @property
    def gap(self) -> Place:
        """The place that has been reached."""
        return self.top if self._gap == TOP else self._gap

    @property
    def top(self) -> Place:
        """Where it began: when that was above everything, then above the first transfer that there was."""
        if self._start != TOP:
            return self._start
        if self._first is None:
            return _BOTTOM
        return Place(self._first.completed_at, self._first.transfer_id, is_above=True)

    @property
    def head(self) -> TransferRow | None:  # noqa: D102 (as above)
        return self._examined[0].row if self._examined else None

    def pop(self) -> TransferRow:  # noqa: D102 (as above)
        row = self._pass()
        self._skip()
        return row

    async def _read(self, count: int) -> None:
        found = await self._read_on(self._last, count)
        self._add(found)
        self.is_read = len(found) < count

    def _add(self, found: Sequence[Examined]) -> None:
        if found:
            self._first = self._first or found[0].row
            self._last = self._behind(found[-1].row)
        self._examined.extend(found)
        self._skip()

    def _skip(self) -> None:
        while self._examined and not self._examined[0].passes:
            self._pass()

    def _pass(self) -> TransferRow:
        row = self._examined.popleft().row
        self._gap = self._behind(row)
        return row

    def _behind(self, row: TransferRow) -> Place:
        return Place(row.completed_at, row.transfer_id, is_above=self.newer)

    def _is_onwards(self, row: TransferRow) -> bool:
        at, start = (row.completed_at, row.transfer_id), (self._start.completed_at, self._start.transfer_id)
        if at == start:
            return self._start.is_above is not self.newer
        return (at > start) is self.newer
