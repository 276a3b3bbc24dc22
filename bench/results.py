"""What the runs of a part came to, and how that is kept between bench runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, median_low
from typing import Any

import msgspec

from bench.contest import Measured


@dataclass(frozen=True, slots=True)
class Result:
    """A part's runs. ``problem`` says why there are none, or not all of them."""

    key: str
    contender: str
    workload: str
    transfers: int = 0
    rates: Sequence[float] = ()
    further: Mapping[str, float] = field(default_factory=dict)
    """Each the median of its runs, by a name that ends in the unit."""
    problem: str | None = None

    @property
    def rate(self) -> float | None:
        """The median of the runs, in transfers a second; None without any."""
        return median(self.rates) if self.rates else None


@dataclass(frozen=True, slots=True)
class BenchRun:
    """A whole bench run."""

    machine: Mapping[str, str]
    results: Mapping[str, Result]

    def rate(self, key: str) -> float | None:
        """A part's rate, None where it was not measured."""
        found = self.results.get(key)
        return found.rate if found else None

    def figure(self, key: str, name: str) -> float | None:
        """One of a part's further figures."""
        found = self.results.get(key)
        return found.further.get(name) if found else None


def summary(key: str, workload: str, runs: Sequence[Measured], problems: Sequence[str]) -> Result:
    """The runs of one part, put together."""
    problem = "; ".join(dict.fromkeys(problems)) or None
    if not runs:
        return Result(key, key, workload, problem=problem)
    names = dict.fromkeys(name for run in runs for name in run.further)
    further = {name: median(run.further[name] for run in runs if name in run.further) for name in names}
    transfers = median_low([run.transfers for run in runs])
    rates = [run.rate for run in runs]
    return Result(key, runs[0].contender, runs[0].workload, transfers, rates, further, problem)


def ratio(one: float | None, other: float | None) -> float | None:
    """``one`` ÷ ``other``, None where either is missing."""
    return one / other if one is not None and other else None


def read_runs(path: Path) -> dict[str, BenchRun]:
    """The recorded runs, by kind (``quick``, ``full``); none where there is no file. Raises msgspec.MsgspecError."""
    return msgspec.json.decode(path.read_bytes(), type=dict[str, BenchRun]) if path.exists() else {}


def write_runs(path: Path, runs: Mapping[str, BenchRun]) -> None:
    """Record them, with four digits a figure: more is noise."""
    document: Any = msgspec.to_builtins(runs)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(_rounded(document))) + b"\n")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value
