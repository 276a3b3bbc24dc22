"""Whether we have become much slower, beside pgbench on the same machine, than when the figures were recorded."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.parts import OURS, TPC_B
from bench.results import BenchRun, ratio
from bench.tables import number

SHARE_MIN = 0.5
"""Machines are noisy: less of a loss than this may be chance."""

MEASURING_S_MAX = 95.0
"""With starting and stopping the servers, less than two minutes. What has been measured by then counts."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to say, and whether to say it loudly."""

    text: str
    fell: bool = False
    ratio: float | None = None


def recorded_ratio(runs: Mapping[str, BenchRun]) -> float | None:
    """Ours with one worker ÷ pgbench, as recorded: by the long run, or else by the short one."""
    ratios = (ratio(runs[kind].rate(OURS), runs[kind].rate(TPC_B)) for kind in ("full", "quick") if kind in runs)
    return next((found for found in ratios if found is not None), None)


def verdict(now: BenchRun, recorded: float | None) -> Verdict:
    """Compare the ratio of a guard's run with the recorded one."""
    found = ratio(now.rate(OURS), now.rate(TPC_B))
    if found is None:
        problems = [f"{result.key}: {result.problem}" for result in now.results.values() if result.problem]
        return Verdict(f"no verdict: {'; '.join(problems) or 'nothing was measured'}")
    text = f"{number(found)} times pgbench's TPC-B"
    if recorded is None:
        return Verdict(f"{text}; nothing is recorded to compare it with: run `make bench`", ratio=found)
    text += f"; recorded are {number(recorded)} times"
    if found < SHARE_MIN * recorded:
        return Verdict(f"SLOWER: {text}. That is less than half", True, found)
    return Verdict(f"as it should be: {text}", ratio=found)
