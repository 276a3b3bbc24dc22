"""What a run came to: a table for people, JSON for programs."""

from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.faults.runner.run import Result
from tests.faults.runner.stalls import Stall, worst


def show(result: Result, console: Console) -> None:
    """Print the table, the totals, and what is wrong."""
    table = Table(
        title=f"Faults made with seed {result.options.seed}, and the longest standstills after them",
        caption="without any outcome; without one of some partition; until a transfer's outcome; until an answer",
    )
    table.add_column("fault", no_wrap=True)
    columns = ("made", "struck", "pipeline", "partition", "transfer", "answer")
    for name in columns:
        table.add_column(name, justify="right")
    for label, stall in sorted(result.stalls.items()):
        table.add_row(label, *_cells(stall))
    table.add_section()
    table.add_row("all", *_cells(worst(result.stalls.values())))
    console.print(table)
    verdict = result.verdict
    console.print(
        f"acknowledged {verdict.acknowledged:,}   applied {verdict.applied:,}   "
        f"duplicates {verdict.duplicates:,}   lost {verdict.lost:,}   never acknowledged {verdict.unsure:,}"
    )
    console.print("completed: " + "   ".join(f"{kind} {count:,}" for kind, count in sorted(verdict.completed.items())))
    if result.crash_points:
        missed = [point for point, reached in result.crash_points.items() if not reached]
        console.print(f"crash points reached: {len(result.crash_points) - len(missed)} of {len(result.crash_points)}")
        for point in missed:
            console.print(f"  not reached: {point}")
    for name, statuses in result.exits.items():
        ends = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
        console.print(f"{name}: ended {statuses.total()} times ({ends})" if ends else f"{name}: never ended")
    for what, count in result.refusals.most_common():
        console.print(f"not acknowledged {count:,} times: {what}")
    for problem, count in verdict.problems.items():
        console.print(f"[red]{count:,} {problem}[/red]")
        for example in verdict.examples.get(problem, []):
            console.print(f"    {example}", highlight=False)
    console.print(
        "[green]nothing lost, nothing doubled[/green]" if verdict.sound else "[red]the promise is broken[/red]"
    )


def as_json(result: Result) -> dict[str, Any]:
    """The same for programs."""
    return {
        "seed": result.options.seed,
        "verdict": asdict(result.verdict),
        "faults": {label: asdict(stall) for label, stall in result.stalls.items()},
        "crash_points": result.crash_points,
        "exits": {name: dict(statuses) for name, statuses in result.exits.items()},
        "refusals": dict(result.refusals),
        "replications": {topic: asdict(one) for topic, one in result.replications.items()},
    }


def _cells(stall: Stall) -> list[str]:
    seconds = (stall.pipeline_s, stall.partition_s, stall.transfer_s, stall.answer_s)
    return [str(stall.made), str(stall.struck), *(f"{each:.1f} s" for each in seconds)]
