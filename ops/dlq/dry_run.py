"""What a replay or a discard would do."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from ops.dlq.actions import Known
from ops.dlq.address import Address
from ops.dlq.listing import ANY_STATE, list_letters
from ops.dlq.reading import Progress, no_progress
from ops.dlq.selection import Selection, State
from ops.dlq.table import counted_cause
from schemas.settings import Settings

FIRST_MAX = 10


@dataclass(slots=True)
class Plan:
    """How many letters would be taken, by cause, which come first, and how many selected ones would be left alone."""

    taken: Counter[str] = field(default_factory=Counter)
    first: list[Address] = field(default_factory=list)
    left: Counter[State] = field(default_factory=Counter)
    unfit: int = 0

    def add(self, known: Known, *, wanted: frozenset[State], fits: bool) -> None:
        """Count a letter."""
        if known.state not in wanted:
            self.left[known.state] += 1
        elif not fits:
            self.unfit += 1
        else:
            self.taken[counted_cause(known.letter.cause)] += 1
            if len(self.first) < FIRST_MAX:
                self.first.append(known.letter.address)


async def plan_letters(
    settings: Settings,
    selection: Selection,
    wanted: frozenset[State],
    fits: Callable[[Known], bool],
    progress: Progress = no_progress,
) -> Plan:
    """Count the selected letters by what would become of them. Writes nothing; raises as list_letters does."""
    plan = Plan()
    async for letters in list_letters(settings, selection, ANY_STATE, progress):
        for known in letters:
            plan.add(known, wanted=wanted, fits=fits(known))
    return plan
