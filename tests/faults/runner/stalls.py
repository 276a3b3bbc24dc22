"""How long things stood still after each fault. Pure: times in, the longest of each kind out."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise

SLACK_S = 0.5
"""A standstill begins with the last outcome before it, which may be a little older than the fault."""


@dataclass(frozen=True, slots=True)
class Made:
    """A fault that was made: when (``time.monotonic``), which, and whether it struck."""

    began_s: float
    label: str
    struck: bool = True


@dataclass(slots=True)
class Stall:
    """Of all faults of a kind: how many, how many of them struck, and the longest seconds after one of them."""

    made: int = 0
    struck: int = 0
    pipeline_s: float = 0.0
    """Without any outcome."""
    partition_s: float = 0.0
    """Without an outcome of some partition."""
    transfer_s: float = 0.0
    """From an acknowledgement to the transfer's outcome."""
    answer_s: float = 0.0
    """From a request to its acknowledgement, with all its repetitions."""


@dataclass(slots=True)
class Times:
    """When what happened, in ``time.monotonic``; the spans are (begin, end)."""

    outcomes: Mapping[int, Sequence[float]] = field(default_factory=dict)
    """By partition."""
    transfers: Iterable[tuple[float, float]] = ()
    answers: Iterable[tuple[float, float]] = ()


def longest_stalls(made: Sequence[Made], times: Times) -> dict[str, Stall]:
    """By label. What began before the first fault counts for ``(none)``."""
    before = Made(float("-inf"), "(none)")
    faults = [before, *sorted(made, key=lambda fault: fault.began_s)]
    stalls: dict[str, Stall] = {}
    for fault in made:
        stall = stalls.setdefault(fault.label, Stall())
        stall.made += 1
        stall.struck += fault.struck
    moments = [fault.began_s for fault in faults]

    def note(which: str, spans: Iterable[tuple[float, float]]) -> None:
        for begin_s, end_s in spans:
            last = moments[bisect_right(moments, begin_s + SLACK_S) - 1]
            for fault in faults[bisect_left(moments, last - SLACK_S) : bisect_right(moments, last)]:
                stall = stalls.setdefault(fault.label, Stall())
                setattr(stall, which, max(getattr(stall, which), end_s - begin_s))

    note("pipeline_s", pairwise(sorted(moment for some in times.outcomes.values() for moment in some)))
    for some in times.outcomes.values():
        note("partition_s", pairwise(some))
    note("transfer_s", times.transfers)
    note("answer_s", times.answers)
    return stalls


def worst(stalls: Iterable[Stall]) -> Stall:
    """The sums of the counts and the longest of each."""
    total = Stall()
    for stall in stalls:
        for each in fields(Stall):
            mine, other = getattr(total, each.name), getattr(stall, each.name)
            setattr(total, each.name, mine + other if each.type is int or each.type == "int" else max(mine, other))
    return total
