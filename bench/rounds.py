"""Runs parts in turns, so that whatever the machine does meanwhile meets all of them."""

import asyncio
import math
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Protocol

from bench.contest import Measured
from bench.parts import Part
from bench.results import Result, summary
from bench.server import BenchServer

TIME_IS_UP = "it took too long"


class Told(Protocol):
    """Hears of the progress."""

    def begins(self, part: Part, done: int, total: int) -> None:
        """A run begins; so many of so many are done."""

    def ended(self, part: Part, measured: Measured, took_s: float) -> None:
        """It came to this, and took so long with all that goes before and after."""

    def failed(self, part: Part, problem: str) -> None:
        """It could not be run, or its figures did not agree."""


async def run_in_turns(
    server: BenchServer, parts: Sequence[Part], told: Told, deadline_s: float = math.inf
) -> dict[str, Result]:
    """The parts' results by key, in the order of the parts. A part that fails says so, and holds up nothing.

    What is under way at ``deadline_s``, on the event loop's clock, is cut off, and nothing begins after it.
    """
    runs: dict[str, list[Measured]] = defaultdict(list)
    problems: dict[str, list[str]] = defaultdict(list)
    turns = [part for number in range(_rounds(parts)) for part in parts if number < part.rounds]
    for done, part in enumerate(turns):
        told.begins(part, done, len(turns))
        began_s = time.perf_counter()
        try:
            async with asyncio.timeout_at(deadline_s):
                measured = await _run(server, part, _results(parts, runs, problems))
        except Exception as error:  # noqa: BLE001 (whatever it is, it is shown and recorded)
            problems[part.key].append(problem_of(error))
            told.failed(part, problem_of(error))
        else:
            runs[part.key].append(measured)
            told.ended(part, measured, time.perf_counter() - began_s)
    return _results(parts, runs, problems)


def problem_of(error: BaseException) -> str:
    """One line, also of several errors at once."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, TimeoutError) and not str(error):
        return TIME_IS_UP
    first = str(error).strip().splitlines()[:1]
    return f"{type(error).__name__}: {first[0]}" if first else type(error).__name__


async def _run(server: BenchServer, part: Part, results: Mapping[str, Result]) -> Measured:
    contender = part.made(results)
    wallets = part.workload.wallets if part.wallets else 0
    async with server.place(wallets=wallets, workers=part.workers, partitions=part.partitions) as place:
        return await contender(place, part.workload)


def _results(
    parts: Sequence[Part], runs: Mapping[str, Sequence[Measured]], problems: Mapping[str, Sequence[str]]
) -> dict[str, Result]:
    return {
        part.key: summary(part.key, part.workload.name, runs.get(part.key, ()), problems.get(part.key, ()))
        for part in parts
    }


def _rounds(parts: Sequence[Part]) -> int:
    return max((part.rounds for part in parts), default=0)
