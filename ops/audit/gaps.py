"""Whether a topic of outcomes is complete: each wallet's versions from 1 on, each once. Pure: bytes in, verdict out.

Versions of a wallet have no gaps, so whoever has seen 1 to n has missed nothing. What was seen twice is remembered by
name and compared in a second reading, so that no contents have to be kept meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from ops.audit.legs import Leg, legs_of
from ops.audit.versions import Hole, SeenVersions

NAMED_MAX = 1_000
"""Of each kind so many findings are named; all are counted, but of entries seen more than once only these compared."""


class Again(NamedTuple):
    """A version of a wallet that stands on the topic more than once: all the same, or not."""

    wallet_id: str
    version: int
    same: bool


class Unreadable(NamedTuple):
    """A record that is no outcome of ours."""

    partition: int
    offset: int
    problem: str


@dataclass(slots=True)
class GapReport:
    """What was found, the first of each kind by name. ``missing`` counts versions, ``repeated`` entries too many."""

    topic: str
    records: int = 0
    wallets: int = 0
    missing: int = 0
    holes: list[Hole] = field(default_factory=list)
    repeated: int = 0
    again: list[Again] = field(default_factory=list)
    unreadable: int = 0
    unreadable_named: list[Unreadable] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing, and nothing stands there twice."""
        return not (self.missing or self.repeated or self.unreadable)

    def as_json(self) -> dict[str, object]:
        """The report as a JSON object."""
        return {
            "topic": self.topic,
            "complete": self.complete,
            "records": self.records,
            "wallets": self.wallets,
            "missing": self.missing,
            "holes": [hole._asdict() for hole in self.holes],
            "repeated": self.repeated,
            "again": [found._asdict() for found in self.again],
            "unreadable": self.unreadable,
            "unreadable_records": [found._asdict() for found in self.unreadable_named],
        }


class GapCheck:
    """Told of every record once, in the order of each partition; of those named in ``again`` a second time."""

    def __init__(self) -> None:
        self.records = 0
        self._seen = SeenVersions()
        self._repeated = 0
        self._again: dict[tuple[str, int], set[tuple[str | None, ...]]] = {}
        self._unreadable = 0
        self._unreadable_named: list[Unreadable] = []

    def note(self, partition: int, offset: int, value: bytes | None) -> None:
        """A record as it is read first."""
        self.records += 1
        try:
            for leg in legs_of(value):
                if not self._seen.note(leg.wallet_id, leg.version):
                    self._note_again(leg)
        except ValueError as error:  # msgspec's errors are ValueErrors too
            self._unreadable += 1
            if len(self._unreadable_named) < NAMED_MAX:
                self._unreadable_named.append(Unreadable(partition, offset, str(error)))

    def _note_again(self, leg: Leg) -> None:
        self._repeated += 1
        if len(self._again) < NAMED_MAX:
            self._again.setdefault((leg.wallet_id, leg.version), set())

    @property
    def wants_second_reading(self) -> bool:
        """Whether anything was seen twice."""
        return bool(self._again)

    def compare(self, value: bytes | None) -> None:
        """A record that is read again."""
        try:
            for leg in legs_of(value):
                contents = self._again.get((leg.wallet_id, leg.version))
                if contents is not None:
                    contents.add(leg.contents)
        except ValueError:
            return  # named already

    def fill(self, holes: Mapping[str, list[Hole]], value: bytes | None) -> None:
        """A record behind the end that was fixed: only what is missing up to there is noted of it."""
        try:
            for leg in legs_of(value):
                if any(hole.first <= leg.version <= hole.last for hole in holes.get(leg.wallet_id, ())):
                    self._seen.note(leg.wallet_id, leg.version)
        except ValueError:
            return  # behind the end, so no matter of this check

    def holes_by_wallet(self) -> dict[str, list[Hole]]:
        """What is missing so far, as far as it will be named."""
        found: dict[str, list[Hole]] = {}
        for hole in islice(self._seen.holes(), NAMED_MAX):
            found.setdefault(hole.wallet_id, []).append(hole)
        return found

    def report(self, topic: str) -> GapReport:
        """The findings."""
        return GapReport(
            topic,
            self.records,
            len(self._seen),
            sum(hole.last - hole.first + 1 for hole in self._seen.holes()),
            list(islice(self._seen.holes(), NAMED_MAX)),
            self._repeated,
            [Again(*leg, same=len(contents) <= 1) for leg, contents in sorted(self._again.items())],
            self._unreadable,
            self._unreadable_named,
        )
