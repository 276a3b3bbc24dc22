"""Whether the topic of outcomes and the ledger say the same: each record against its row, and rows against the records
that were read. Pure; what it is given must have been read in the order that ``StreamWatch`` keeps to.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from ops.reconcile.reading import source_offset_of, uuid_text
from schemas.headers import REPUBLISHED
from schemas.transfers import Outcome, decode_outcome
from sinks.kafka.records import Consumed
from sinks.ledger.types import Transfer
from streams.outcomes import outcome_of

ROUNDS_KEPT = 30
"""Of so many readings it is remembered what was told: a row is looked for some ten of them after it was committed."""

WAITING_MAX = 10_000
"""So many rows whose outcome is still to come are remembered."""


class Kind(StrEnum):
    """In what way topic and ledger differ."""

    UNREADABLE = "unreadable"
    ROW_MISSING = "row_missing"
    FIELDS_DIFFER = "fields_differ"
    OUTCOME_MISSING = "outcome_missing"
    TOLD_AGAIN = "told_again"


class Difference(NamedTuple):
    """One of them. ``at`` is where the outcome stands, or of one that is missing where its request does."""

    kind: Kind
    partition: int
    at: int
    detail: str


class Told(NamedTuple):
    """An outcome and where it and its request stand, in the same partition."""

    partition: int
    offset: int
    source_offset: int
    is_republished: bool
    outcome: Outcome


class Row(NamedTuple):
    """A row of the ledger, by the place of its request."""

    transfer_id: str
    partition: int
    source_offset: int
    completed_at: datetime


class _Stretch(NamedTuple):
    """Outcomes of all requests behind ``after`` up to ``upto`` that have one."""

    after: int
    upto: int
    source_offsets: frozenset[int]


def read_told(record: Consumed) -> Told:
    """The record's outcome. Raises ValueError for what we did not write."""
    outcome = decode_outcome(record.value or b"")
    uuid_text(outcome.transfer_id)
    is_republished = any(name == REPUBLISHED for name, _ in record.headers)
    return Told(record.partition, record.offset, source_offset_of(record), is_republished, outcome)


def compare(told: Told, row: Transfer | None) -> Difference | None:
    """How an outcome differs from its row, when the ledger has applied its request."""
    if row is None:
        return Difference(
            Kind.ROW_MISSING, told.partition, told.offset, f"transfer {told.outcome.transfer_id} has no row"
        )
    said, stored = told.outcome, outcome_of(row)
    wrong = [name for name in Outcome.__struct_fields__ if getattr(said, name) != getattr(stored, name)]
    if (told.partition, told.source_offset) != (row.request_partition, row.request_offset):
        wrong.append("source-offset")
    if not wrong:
        return None
    detail = f"transfer {said.transfer_id} differs in: {', '.join(wrong)}"
    return Difference(Kind.FIELDS_DIFFER, told.partition, told.offset, detail)


class History:
    """What was told of late, by the offsets of the requests, and which rows wait for their outcome.

    Outcomes of a partition stand in the order of their requests. So a row whose request lies between two that were
    told of, one after the other, has none, and never will; one behind the last of them is still to be told.
    """

    def __init__(self, told_upto: Mapping[int, int]) -> None:
        """``told_upto`` has the last request told of before anything is read, by partition; -1 where there is none."""
        self._upto = dict(told_upto)
        self._rounds: deque[dict[int, _Stretch]] = deque(maxlen=ROUNDS_KEPT)
        self._waiting: dict[tuple[int, int], Row] = {}

    def forget(self, partition: int) -> None:
        """The partition is not the one that it was: what was told of it before the next reading is not known."""
        self._upto.pop(partition, None)
        for stretches in self._rounds:
            stretches.pop(partition, None)
        self._waiting = {place: row for place, row in self._waiting.items() if place[0] != partition}

    def read(self, told: Mapping[int, Sequence[Told]], passed_over: Collection[int]) -> list[Difference]:
        """The outcomes of one reading, some of each partition, in order; what was before them was read, or else its
        partition is among ``passed_over``."""
        differences: list[Difference] = []
        stretches: dict[int, _Stretch] = {}
        for partition, outcomes in told.items():
            in_order = []
            if any(each.is_republished for each in outcomes):
                self.forget(partition)
            is_joined = partition in self._upto and partition not in passed_over
            after = self._upto[partition] if is_joined else outcomes[0].source_offset - 1
            for each in outcomes:
                if each.source_offset > self._upto.get(partition, -1):
                    in_order.append(each.source_offset)
                    self._upto[partition] = each.source_offset
                elif not each.is_republished:
                    differences.append(_again(each))
            if in_order:
                stretches[partition] = _Stretch(after, in_order[-1], frozenset(in_order))
        self._rounds.append(stretches)
        return differences + self._judge_waiting()

    def look_for(self, rows: Iterable[Row]) -> list[Difference]:
        """Rows that were committed a while ago, each once."""
        differences = []
        for row in rows:
            upto = self._upto.get(row.partition)
            if upto is None:
                continue
            if row.source_offset > upto:
                if len(self._waiting) < WAITING_MAX:
                    self._waiting[row.partition, row.source_offset] = row
            elif self._is_missing(row):
                differences.append(_missing(row))
        return differences

    def untold_since(self) -> datetime | None:
        """When the oldest row was committed whose outcome is still to come."""
        return min((row.completed_at for row in self._waiting.values()), default=None)

    def _judge_waiting(self) -> list[Difference]:
        come = [row for row in self._waiting.values() if row.source_offset <= self._upto[row.partition]]
        for row in come:
            del self._waiting[row.partition, row.source_offset]
        return [_missing(row) for row in come if self._is_missing(row)]

    def _is_missing(self, row: Row) -> bool:
        """Whether all around it was read, and it is not there."""
        for stretches in self._rounds:
            stretch = stretches.get(row.partition)
            if stretch is not None and stretch.after < row.source_offset <= stretch.upto:
                return row.source_offset not in stretch.source_offsets
        return False


def _again(told: Told) -> Difference:
    detail = f"transfer {told.outcome.transfer_id} is told behind later ones, or again"
    return Difference(Kind.TOLD_AGAIN, told.partition, told.offset, detail)


def _missing(row: Row) -> Difference:
    detail = f"transfer {row.transfer_id} has no outcome, and later ones have"
    return Difference(Kind.OUTCOME_MISSING, row.partition, row.source_offset, detail)
