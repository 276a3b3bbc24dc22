"""`python -m bench`: everything side by side on servers of its own, printed and written to `docs/benchmarks.md`."""

import asyncio
import math
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from bench.document import DOCUMENT, PLOTS, RECORD, write_document
from bench.guard import MEASURING_S_MAX, recorded_ratio, verdict
from bench.machine import machine
from bench.parts import Part, chosen, full, guard, quick
from bench.plots import draw_all
from bench.progress import Progress
from bench.results import BenchRun, read_runs, write_runs
from bench.rounds import TIME_IS_UP, run_in_turns
from bench.scaling import write_scaling
from bench.server import bench_server
from bench.tables import terminal_tables

WIDTH_MIN = 150
"""Of a file or a pipe, which has no width of its own."""

KINDS = ("full", "quick")
"""Pictures are drawn of the first of them that is recorded."""


def main(
    *,
    everything: Annotated[bool, typer.Option("--full", help="All workloads: about an hour.")] = False,
    only: Annotated[list[str] | None, typer.Option(help="Only parts with this in their key; repeat it.")] = None,
    guarding: Annotated[bool, typer.Option("--guard", help="Compare ours ÷ pgbench with the record.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="Show the keys of the parts.")] = False,
    write: Annotated[bool, typer.Option(help="Write the figures down, when all parts have run.")] = True,
) -> None:
    """Measure our pipeline beside its peers and the limits of what lies below it."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_MIN)
    if guarding:
        _guard(console)
        return
    parts = chosen(full() if everything else quick(), only or ())
    if listing or not parts:
        console.print("\n".join(part.key for part in parts) or "no part has that in its key")
        return
    run = uvloop.run(_measure(console, parts))
    for table in terminal_tables(run):
        console.print(table)
    if write and not only:
        _record(console, "full" if everything else "quick", run)
    if any(result.problem for result in run.results.values()):
        sys.exit("some parts could not be run: see the table")


async def _measure(console: Console, parts: Sequence[Part], seconds_max: float = math.inf) -> BenchRun:
    deadline_s = asyncio.get_running_loop().time() + seconds_max
    async with bench_server(lambda line: console.print(f"[dim]{line}[/]", highlight=False)) as server:
        results = await run_in_turns(server, parts, Progress(console), deadline_s)
        return BenchRun(await machine(server.settings), results)


def _guard(console: Console) -> None:
    """Say what was found. The exit status is 1 only when something broke: a slow machine breaks nothing."""
    run = uvloop.run(_measure(console, guard(), MEASURING_S_MAX))
    found = verdict(run, recorded_ratio(read_runs(RECORD)))
    console.print(f"bench-guard: {found.text}", style="bold white on red" if found.fell else "bold green")
    problems = [result.problem for result in run.results.values() if result.problem]
    if any(TIME_IS_UP not in problem for problem in problems):
        sys.exit(1)


def _record(console: Console, kind: str, run: BenchRun) -> None:
    runs = {**read_runs(RECORD), kind: run}
    write_runs(RECORD, runs)
    kept = {name: runs[name] for name in KINDS if name in runs}
    write_document(kept, draw_all(next(iter(kept.values())), PLOTS))
    if "full" in kept:
        write_scaling(kept["full"])
    console.print(f"written to {DOCUMENT.parent.name}/{DOCUMENT.name}")


if __name__ == "__main__":
    typer.run(main)
