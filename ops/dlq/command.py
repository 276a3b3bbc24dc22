"""What `hfts dlq` does with letters that are chosen: asks, acts and tells."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

import orjson
import typer
from rich.console import Console

from ops.configuration import load_settings
from ops.dlq.actions import Known
from ops.dlq.actor import current_actor
from ops.dlq.address import Address
from ops.dlq.discard import DiscardReport, discard_letters, undo_discard
from ops.dlq.display import letter_lines
from ops.dlq.dry_run import Plan, plan_letters
from ops.dlq.listing import STILL_OPEN, find_letter, list_letters
from ops.dlq.reading import Progress
from ops.dlq.replay import ReplayReport, replay_letters
from ops.dlq.replaying import is_request
from ops.dlq.selection import Selection, State
from ops.dlq.settle import Settled
from ops.dlq.table import LetterTable, letter_json
from ops.reading_progress import reading_progress
from ops.server_errors import explained
from schemas.settings import Settings

TABLE_ROWS_DEFAULT = 100
TABLE_ROWS_MAX = 10_000

T = TypeVar("T")


def run_list(selection: Selection, states: frozenset[State], *, limit: int | None, as_json: bool) -> None:
    """Print letters. A pipe that closes early, as of `head`, is no fault."""
    settings = load_settings()
    try:
        if as_json:
            _run(settings, lambda progress: _print_lines(settings, selection, states, limit, progress))
        else:
            rows_max = min(limit or TABLE_ROWS_DEFAULT, TABLE_ROWS_MAX)
            table = _run(settings, lambda progress: _tabulate(settings, selection, states, rows_max, progress))
            table.print(Console())
    except _PipeClosedError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered goes nowhere


def run_show(address: Address, *, raw: bool) -> None:
    """Print one letter, or write its value's bytes."""
    settings = load_settings()
    known = _run(settings, lambda _progress: find_letter(settings, address))
    if raw:
        sys.stdout.buffer.write(known.letter.value or b"")
        sys.stdout.buffer.flush()
        return
    for line in letter_lines(known):
        print(line)


def run_replay(selection: Selection, *, dry_run: bool, yes: bool) -> None:
    """Replay after asking. Exit status 1 if a letter named by its address, or one left behind, could not be."""
    settings = load_settings()
    wanted = frozenset({State.OPEN})

    def fits(known: Known) -> bool:
        return is_request(known.letter, settings)

    if not _agreed(settings, selection, "replay", wanted, fits, dry_run=dry_run, yes=yes):
        return
    report = _run(
        settings, lambda progress: replay_letters(settings, selection, actor=current_actor(), progress=progress)
    )
    _tell_settled(report.settled)
    _tell("replayed", report.replayed.total(), report.left)
    if report.no_requests:
        print(f"{_letters(report.no_requests)} left alone: none of them was a request")
    raise typer.Exit(_status(report, selection))


def run_discard(selection: Selection, *, reason: str, dry_run: bool, yes: bool) -> None:
    """Discard after asking."""
    settings = load_settings()
    if _agreed(settings, selection, "discard", STILL_OPEN, lambda _known: True, dry_run=dry_run, yes=yes):
        actor = current_actor()
        _tell_discard(
            "discarded",
            _run(
                settings, lambda told: discard_letters(settings, selection, reason=reason, actor=actor, progress=told)
            ),
        )


def run_undo(selection: Selection, *, dry_run: bool, yes: bool) -> None:
    """Open discarded letters again, after asking."""
    settings = load_settings()
    wanted = frozenset({State.DISCARDED})
    if _agreed(settings, selection, "open again", wanted, lambda _known: True, dry_run=dry_run, yes=yes):
        report = _run(settings, lambda progress: undo_discard(settings, selection, progress=progress))
        _tell_discard("opened again", report)


class _PipeClosedError(Exception):
    """Nobody reads our output any more."""


def _run(settings: Settings, work: Callable[[Progress], Coroutine[Any, Any, T]]) -> T:
    with explained(settings), reading_progress() as progress:
        return asyncio.run(work(progress))


async def _print_lines(
    settings: Settings, selection: Selection, states: frozenset[State], limit: int | None, progress: Progress
) -> None:
    left = sys.maxsize if limit is None else limit
    async with aclosing(list_letters(settings, selection, states, progress)) as found:
        async for letters in found:
            try:
                for known in letters[:left]:
                    print(orjson.dumps(letter_json(known), option=orjson.OPT_UTC_Z).decode())
                sys.stdout.flush()
            except BrokenPipeError as error:
                raise _PipeClosedError from error
            left -= len(letters)
            if left <= 0:
                return


async def _tabulate(
    settings: Settings, selection: Selection, states: frozenset[State], rows_max: int, progress: Progress
) -> LetterTable:
    table = LetterTable(rows_max)
    async for letters in list_letters(settings, selection, states, progress):
        for known in letters:
            table.add(known)
    return table


def _agreed(
    settings: Settings,
    selection: Selection,
    verb: str,
    wanted: frozenset[State],
    fits: Callable[[Known], bool],
    *,
    dry_run: bool,
    yes: bool,
) -> bool:
    """Whether to go on. Counts first, unless nobody is asked."""
    if yes and not dry_run:
        return True
    plan = _run(settings, lambda progress: plan_letters(settings, selection, wanted, fits, progress))
    _print_plan(plan, verb)
    if dry_run:
        return False
    return bool(typer.confirm(f"{verb.capitalize()} {_letters(plan.taken.total())}?", abort=True))


def _print_plan(plan: Plan, verb: str) -> None:
    print(f"would {verb} {_letters(plan.taken.total())}")
    for cause, count in sorted(plan.taken.items()):
        print(f"  {cause}: {count:,}")
    if plan.first:
        more = ", …" if plan.taken.total() > len(plan.first) else ""
        print(f"  in this order: {', '.join(map(str, plan.first))}{more}")
    if plan.unfit:
        print(f"would leave {_letters(plan.unfit)} alone: none of them was a request")
    for state, count in sorted(plan.left.items()):
        print(f"would leave {_letters(count)} alone: {state}")
    if State.REPLAYING in plan.left:
        print("a replay is under way or was interrupted: what became of it is found out first")


def _tell(done: str, count: int, left: dict[State, int]) -> None:
    print(f"{_letters(count)} {done}")
    for state, number in sorted(left.items()):
        print(f"{_letters(number)} left alone: {state}")


def _tell_discard(done: str, report: DiscardReport) -> None:
    _tell_settled(report.settled)
    _tell(done, report.changed.total(), report.left)


def _tell_settled(settled: Settled) -> None:
    if settled.published:
        print(f"an interrupted replay had put back {_letters(settled.published)}: noted")
    if settled.reopened:
        print(f"an interrupted replay had not put back {_letters(settled.reopened)}: open again")
    if settled.undecided:
        print(
            f"an interrupted replay may have put back {_letters(settled.undecided)}, and the requests of that time are "
            "deleted. Look for their transfers in the ledger. Then discard the letters; those whose transfers are "
            "missing open again with discard --undo, and replay"
        )


def _letters(count: int) -> str:
    return "1 letter" if count == 1 else f"{count:,} letters"


def _status(report: ReplayReport, selection: Selection) -> int:
    return 1 if report.settled.undecided or (selection.addresses and report.no_requests) else 0
