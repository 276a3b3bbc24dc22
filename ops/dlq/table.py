"""Letters as a table and as JSON, and the summary by cause."""

from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.dlq.actions import Known
from ops.dlq.letters import UNREADABLE
from ops.dlq.plain import plain
from ops.dlq.selection import State
from schemas.codes import DeadLetterCause

OTHER = "(other)"
"""Causes that this version does not know are counted together, so that there is a bound on how many there are."""


def letter_json(known: Known) -> dict[str, Any]:
    """A letter without its bytes, as a JSON object."""
    letter, note, action = known.letter, known.letter.note, known.action
    return {
        "address": str(letter.address),
        "partition": letter.address.partition,
        "offset": letter.address.offset,
        "at": letter.at,
        "cause": letter.cause,
        "detail": None if note is None else note.detail,
        "source_topic": None if note is None else note.topic,
        "source_partition": None if note is None else note.partition,
        "source_offset": None if note is None else note.offset,
        "transfer_id": letter.transfer_id,
        "state": known.state,
        "actor": None if action is None else action.actor,
        "done_at": None if action is None else action.done_at,
        "reason": None if action is None else action.reason,
        "request_partition": None if action is None else action.request_partition,
        "request_offset": None if action is None else action.request_offset,
    }


class LetterTable:
    """Keeps the first letters to show, and counts all."""

    def __init__(self, rows_max: int) -> None:
        self._rows_max = rows_max
        self._table = Table(title="Dead letters")
        for name in ("letter", "written", "cause", "detail", "source", "transfer", "state"):
            self._table.add_column(name, overflow="fold")
        self._counts: Counter[tuple[str, State]] = Counter()

    def add(self, known: Known) -> None:
        """Count a letter, and show it while there is room."""
        if self._counts.total() < self._rows_max:
            self._table.add_row(*_cells(known))
        self._counts[counted_cause(known.letter.cause), known.state] += 1

    def print(self, console: Console) -> None:
        """Print the letters and the summary."""
        total = self._counts.total()
        if not total:
            console.print("There are no such dead letters.")
            return
        console.print(self._table)
        if total > self._table.row_count:
            console.print(f"The first {self._table.row_count:,} of {total:,}: --limit shows more, filters narrow it.")
        console.print(summary_table(self._counts))


def counted_cause(cause: str) -> str:
    """The cause under which a letter is counted."""
    return cause if cause == UNREADABLE or cause in frozenset(DeadLetterCause) else OTHER


def summary_table(counts: Counter[tuple[str, State]]) -> Table:
    """How many letters there are of each cause and state."""
    states = [state for state in State if any(found is state for _, found in counts)]
    table = Table(title="By cause")
    table.add_column("cause")
    for state in states:
        table.add_column(state.value, justify="right")
    for cause in sorted({cause for cause, _ in counts}):
        table.add_row(cause, *(f"{counts[cause, state]:,}" for state in states))
    return table


def _cells(known: Known) -> list[Text]:
    letter, note = known.letter, known.letter.note
    return [
        Text(str(letter.address)),
        Text(f"{letter.at:%Y-%m-%d %H:%M:%S}Z"),
        Text(plain(letter.cause)),
        Text("" if note is None else plain(note.detail)),
        Text("" if note is None else f"{note.partition}:{note.offset}"),
        Text(letter.transfer_id or ""),
        Text(known.state.value),
    ]
