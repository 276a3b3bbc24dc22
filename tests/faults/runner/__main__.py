"""``python -m tests.faults.runner``: see ``--help``, or ``make faults``."""

import json
import logging
import re
import time
from pathlib import Path
from secrets import randbelow
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from tests.faults.runner.campaign import describe
from tests.faults.runner.deck import choose, full_deck, topology
from tests.faults.runner.disk import own_mounts
from tests.faults.runner.report import as_json, show
from tests.faults.runner.run import Options, run
from tests.faults.runner.schedule import Pace, make_schedule

WIDTH_MIN = 100
"""Of the table, where there is no terminal to fit into."""

_DURATION = re.compile(r"(\d+)([smh]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


def main(
    *,
    duration: Annotated[str, typer.Option(help="How long to make faults: 90, 90s, 15m, 2h.")] = "15m",
    seed: Annotated[int | None, typer.Option(help="The same seed makes the same faults. Random.")] = None,
    brokers: Annotated[int, typer.Option(help="Kafka brokers: 1, 3 or 5.")] = 3,
    workers: Annotated[int, typer.Option(help="Worker processes.", min=1)] = 2,
    partitions: Annotated[int, typer.Option(help="Partitions a topic.", min=1)] = 6,
    faults: Annotated[str, typer.Option(help="Only faults with one of these words, comma-separated.")] = "",
    kills: Annotated[int, typer.Option(help="Instead: kill workers at random moments, so many times.")] = 0,
    release: Annotated[bool, typer.Option(help="Instead: roll a release with migrations out.")] = False,
    crash_points: Annotated[bool, typer.Option(help="Have processes end themselves at every point, too.")] = False,
    rate_kafka: Annotated[float, typer.Option(help="Requests a second over Kafka.")] = 150.0,
    rate_http: Annotated[float, typer.Option(help="Requests a second over HTTP.")] = 30.0,
    pause: Annotated[float, typer.Option(help="The longest pause between two faults, in seconds.")] = 9.0,
    mounts: Annotated[bool, typer.Option(help="Give each server a small disk of its own, where permitted.")] = True,
    report: Annotated[Path | None, typer.Option(help="Write the results to this file, as JSON.")] = None,
    logs: Annotated[Path | None, typer.Option(help="Keep what all processes said in this folder.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="Show the schedule and make nothing.")] = False,
) -> None:
    """Break the pipeline in every way there is, under load, and check that nothing is lost and nothing doubled."""
    console = Console(soft_wrap=True)
    console.width = max(console.width, WIDTH_MIN)
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # brokers that are away are no news here
    seed = randbelow(2**32) if seed is None else seed
    duration_s = seconds(duration)
    try:
        deck = choose(full_deck(topology(workers, brokers)), faults)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    pace = Pace(pause_s_min=min(3.0, pause / 3), pause_s_max=pause)
    schedule = make_schedule(seed, duration_s, deck, pace)
    console.print(f"seed {seed}: " + (f"{kills} kills" if kills else f"{len(schedule)} times a fault or two of them"))
    if list_only:
        for planned in schedule:
            console.print(f"{planned.at_s:7.1f} s  " + "; ".join(map(describe, planned.draws)))
        return
    options = Options(
        seed=seed,
        duration_s=duration_s,
        deck=deck,
        brokers=brokers,
        workers=workers,
        partitions=partitions,
        rate_kafka=rate_kafka,
        rate_http=rate_http,
        kills=kills,
        release=release,
        crash_points=crash_points,
        mounts=mounts and own_mounts(),
        pace=pace,
        logs=logs,
    )
    start_s = time.monotonic()

    def tell(line: str) -> None:
        console.print(f"{time.monotonic() - start_s:7.1f} s  {line}", highlight=False)

    result = uvloop.run(run(options, tell))
    show(result, console)
    if report is not None:
        report.write_text(json.dumps(as_json(result), indent=1))
    if not result.verdict.sound or not all(result.crash_points.values()):
        raise typer.Exit(1)


def seconds(text: str) -> float:
    """From ``90``, ``90s``, ``15m`` or ``2h``. Raises BadParameter."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise typer.BadParameter("a duration is a number of seconds, or 90s, 15m, 2h")
    return float(found[1]) * _SECONDS[found[2]]


if __name__ == "__main__":
    typer.run(main)
