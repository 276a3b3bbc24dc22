"""Compares the demo's own tally with the ledger and the topics. Pure."""

from dataclasses import dataclass

from ops.demo.tally import COMPLETED, Tally
from ops.reconcile.report import Facts
from schemas.money import format_units

Value = int | str


@dataclass(frozen=True, slots=True)
class Figure:
    """One count as three sides see it; None where a side does not know it."""

    name: str
    tally: Value
    ledger: Value | None
    topics: Value | None

    @property
    def agrees(self) -> bool:
        """Whether all sides that know it say the same."""
        return all(side in (None, self.tally) for side in (self.ledger, self.topics))


def compare(tally: Tally, facts: Facts) -> list[Figure]:
    """Every count, also of what nobody expected."""
    records = facts.records
    answered = records.get("outcomes", 0) + records.get("dead_letters", 0)
    rows = sum(facts.transfers.values())
    figures = [
        Figure("submitted", tally.records, None, records.get("requests", 0)),
        Figure("transfers decided", tally.transfers, rows, records.get("outcomes", 0)),
        Figure(
            "completed",
            tally.results[COMPLETED],
            facts.transfers.get(COMPLETED, 0),
            facts.outcomes.get(COMPLETED, 0),
        ),
    ]
    for reason in sorted({*tally.results, *facts.transfers, *facts.outcomes} - {COMPLETED}):
        found = facts.transfers.get(reason, 0), facts.outcomes.get(reason, 0)
        figures.append(Figure(f"failed: {reason}", tally.results[reason], *found))
    for cause in sorted({*tally.dead_letters, *facts.dead_letters}):
        found_count = facts.dead_letters.get(cause, 0)
        figures.append(Figure(f"dead letter: {cause}", tally.dead_letters[cause], None, found_count))
    figures.append(Figure("duplicates (no effect)", tally.duplicates, None, records.get("requests", 0) - answered))
    for recipient in ("sender", "receiver"):
        found_count = facts.notifications.get(recipient, 0)
        figures.append(Figure(f"{recipient}s notified", tally.notifications[recipient], None, found_count))
    figures.append(Figure("audit records", tally.transfers, rows, records.get("audit", 0)))
    for currency, given in sorted(facts.paid_in.items()):
        figures.append(Figure(f"paid in, {currency}", format_units(tally.paid_in_units[currency]), given, None))
    return figures
