"""What the last quarter of an hour of looks at the lag has shown: bounded, so that a page can begin with it. Pure."""

from array import array
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ops.dashboard.columns import column
from ops.lag.report import LagReport, PartitionLag
from ops.monitor.lag_metrics import Seen

SPAN_S = 900.0
POINTS_MAX = 450
"""One each two seconds, the interval of the looks."""

CELLS_MAX = 500_000
"""Partitions of all groups, times points: 8 MB. With thousands of partitions, their history has fewer points."""

TAKEN_OVER_S = 10.0
"""A rate is taken over at least so long: groups commit each second or so, and a shorter one would jump."""

Where = tuple[str, int]
"""Group and partition."""


@dataclass(frozen=True, slots=True)
class GroupPoint:
    """A group at one moment: records that wait in all partitions, the longest wait, and the sums of offsets."""

    lag: int
    oldest_s: float
    ends: int
    reached: int


@dataclass(frozen=True, slots=True)
class Point:
    """All groups at one moment."""

    at_s: float
    groups: Mapping[str, GroupPoint]


@dataclass(frozen=True, slots=True)
class Rates:
    """Offsets a second that came in, and that were worked on; None where there is nothing to take them from."""

    per_s_in: float | None
    per_s_out: float | None


NO_RATES = Rates(None, None)


@dataclass(slots=True)
class _Cells:
    """Lag and next offset of every partition at one moment, in the order of the report."""

    at_s: float
    lags: "array[int]"
    nexts: "array[int]"


@dataclass(slots=True)
class History:
    """Takes in one look after another, and forgets the oldest."""

    points: deque[Point] = field(default_factory=lambda: deque(maxlen=POINTS_MAX))
    _cells: deque[_Cells] = field(default_factory=deque)
    _order: dict[Where, int] = field(default_factory=dict)

    def add(self, seen: Seen) -> None:
        """Take in a look. A clock that was set back begins anew."""
        if self.points and seen.at_s <= self.points[-1].at_s:
            self.points.clear()
            self._cells.clear()
        self.points.append(point_of(seen))
        while seen.at_s - self.points[0].at_s > SPAN_S:
            self.points.popleft()
        self._add_cells(seen)

    def rates(self, group: str, number: int = -1) -> Rates:
        """What a group did up to one of the points, the last one by default."""
        if not self.points:
            return NO_RATES
        number %= len(self.points)
        now = self.points[number]
        before = self._point_before(number, now.at_s - TAKEN_OVER_S)
        return rates_between(before, now, group)

    def partition(self, group: str, partition: int) -> list[tuple[float, int, int]]:
        """Time, lag and next offset of one partition, oldest first; empty where nothing is known of it."""
        place = self._order.get((group, partition))
        if place is None:
            return []
        return [(cells.at_s, cells.lags[place], cells.nexts[place]) for cells in self._cells]

    def _point_before(self, number: int, at_s: float) -> Point:
        for back in range(number, -1, -1):
            if self.points[back].at_s <= at_s:
                return self.points[back]
        return self.points[0]

    def _add_cells(self, seen: Seen) -> None:
        found = seen.look.report.partitions
        order = {(lag.group, lag.partition): place for place, lag in enumerate(found)}
        if order != self._order:
            self._order = order
            self._cells.clear()
        kept_max = max(1, CELLS_MAX // max(1, len(found)))
        every_s = SPAN_S / min(kept_max, POINTS_MAX)
        # Half an interval less, for looks do not come at even distances.
        if self._cells and seen.at_s - self._cells[-1].at_s < every_s - SPAN_S / POINTS_MAX / 2:
            return
        self._cells.append(_cells_of(seen.at_s, found))
        while len(self._cells) > kept_max or seen.at_s - self._cells[0].at_s > SPAN_S:
            self._cells.popleft()

    def as_json(self) -> dict[str, object]:
        """All points, by group, for a page that has just been opened."""
        groups = dict.fromkeys(name for point in self.points for name in point.groups)
        return {
            "at": [round(point.at_s * 1000) for point in self.points],
            "groups": {name: self._group_json(name) for name in groups},
        }

    def _group_json(self, name: str) -> dict[str, object]:
        found = [point.groups.get(name) for point in self.points]
        rates = [self.rates(name, number) for number in range(len(self.points))]
        return {
            "lag": column(None if one is None else one.lag for one in found),
            "oldest_s": [None if one is None else round(one.oldest_s, 1) for one in found],
            "per_s_in": [rate.per_s_in for rate in rates],
            "per_s_out": [rate.per_s_out for rate in rates],
        }


def point_of(seen: Seen) -> Point:
    """The sums of a look."""
    report, waiting = seen.look.report, seen.look.waiting
    return Point(
        seen.at_s,
        {
            group: GroupPoint(
                lag=sum(lag.lag for lag in found),
                oldest_s=waiting.age_s(group),
                ends=sum(lag.end for lag in found),
                reached=sum(lag.reached for lag in found),
            )
            for group, found in _by_group(report).items()
        },
    )


def rates_between(before: Point, now: Point, group: str) -> Rates:
    """Offsets a second. Of a group that was set back, or whose topic was made anew, nothing is said."""
    first, last = before.groups.get(group), now.groups.get(group)
    passed_s = now.at_s - before.at_s
    if first is None or last is None or passed_s <= 0:
        return NO_RATES
    came, done = last.ends - first.ends, last.reached - first.reached
    return Rates(
        round(came / passed_s, 1) if came >= 0 else None,
        round(done / passed_s, 1) if done >= 0 else None,
    )


def _by_group(report: LagReport) -> dict[str, list[PartitionLag]]:
    found: dict[str, list[PartitionLag]] = {}
    for lag in report.partitions:
        found.setdefault(lag.group, []).append(lag)
    return found


def _cells_of(at_s: float, found: Sequence[PartitionLag]) -> _Cells:
    return _Cells(at_s, array("q", [lag.lag for lag in found]), array("q", [lag.next for lag in found]))
