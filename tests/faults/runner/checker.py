"""Whether everything acknowledged was done once and told once, and nothing else. Pure: memory against evidence."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ingest_api.hold_expiry import void_id
from schemas.transfers import CAPTURE, HOLD, VOID
from tests.faults.runner.book import Book
from tests.faults.runner.evidence import Evidence, Told

EXAMPLES_MAX = 10


@dataclass(slots=True)
class Verdict:
    """The totals, and every fault found, by what is wrong, with the first few ids."""

    acknowledged: int = 0
    unsure: int = 0
    applied: int = 0
    duplicates: int = 0
    lost: int = 0
    completed: dict[str, int] = field(default_factory=dict)
    """By kind; ``expiry`` are the voids that the pipeline asked for itself."""
    problems: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.problems

    def add(self, problem: str, at: Iterable[str]) -> int:
        """Note these as wrong; how many they are."""
        found = sorted(at)
        if found:
            self.problems[problem] = self.problems.get(problem, 0) + len(found)
            self.examples[problem] = found[:EXAMPLES_MAX]
        return len(found)


def check(book: Book, evidence: Evidence) -> Verdict:
    """Compare what was acknowledged with what there is."""
    verdict = Verdict(acknowledged=len(book.acknowledged_s), unsure=book.unsure, applied=len(evidence.rows))
    expiries = _expiries(evidence)
    kinds = Counter(
        "expiry" if one in expiries else row.payment.kind or "transfer"
        for one, row in evidence.rows.items()
        if row.status == "COMPLETED"
    )
    verdict.completed.update(kinds)
    _check_rows(verdict, book, evidence, expiries)
    _check_draws(verdict, evidence)
    _check_records(verdict, evidence)
    _check_notifications(verdict, evidence)
    verdict.add("sound requests set aside as dead letters", evidence.dead_letters)
    verdict.add("refused under their own key", book.refused)
    wrong = _wrong_balances(evidence)
    verdict.add("balances that do not follow from the outcomes", wrong)
    return verdict


def _check_rows(verdict: Verdict, book: Book, evidence: Evidence, expiries: set[str]) -> None:
    rows = evidence.rows
    verdict.lost = verdict.add("acknowledged and not in the ledger", book.acknowledged_s.keys() - rows.keys())
    verdict.add("in the ledger and never asked for", rows.keys() - book.asked.keys() - expiries)
    verdict.add(
        "in the ledger otherwise than asked for",
        (one for one, row in rows.items() if one in book.asked and not book.asked[one].is_met_by(row.payment)),
    )


def _check_draws(verdict: Verdict, evidence: Evidence) -> None:
    completed = {one: row for one, row in evidence.rows.items() if row.status == "COMPLETED"}
    moved = {one: row.payment.units or 0 for one, row in completed.items()}
    drawn: Counter[str] = Counter()
    for one, row in completed.items():
        if row.payment.parent is not None:
            drawn[row.payment.parent] += moved[one]
    verdict.add("drawn on beyond their amount", (one for one, units in drawn.items() if units > moved.get(one, 0)))
    verdict.add("holds that have ended and were not given back", (
        one for one, row in completed.items() if row.payment.expires_at is not None and drawn[one] < moved[one]
    ))  # fmt: skip
    verdict.add("captured after the end of their hold", (
        one for one, row in completed.items()
        if row.payment.kind == CAPTURE and _is_late(row, completed.get(row.payment.parent or ""))
    ))  # fmt: skip


def _is_late(capture: Told, hold: Told | None) -> bool:
    end = hold and hold.payment.expires_at
    return bool(end and capture.completed_at and capture.completed_at >= end)


def _expiries(evidence: Evidence) -> set[str]:
    """The voids that the pipeline asks for itself: their ids follow from the hold and the number of draws before."""
    draws = Counter(row.payment.parent for row in evidence.rows.values())
    return {
        void_id(evidence.void_namespace, one, number)
        for one, row in evidence.rows.items()
        if row.payment.expires_at is not None
        for number in range(draws[one])
    }


def _check_records(verdict: Verdict, evidence: Evidence) -> None:
    rows, outcomes, audits = evidence.rows, evidence.outcomes, evidence.audits
    verdict.lost += verdict.add("without an outcome", rows.keys() - outcomes.keys())
    verdict.lost += verdict.add("without an audit record", rows.keys() - audits.keys())
    verdict.add("published and not committed", outcomes.keys() - rows.keys())
    verdict.add("audited and not committed", audits.keys() - rows.keys())
    verdict.add(
        "published otherwise than committed",
        (one for one, told in outcomes.items() if one in rows and any(each != rows[one] for each in told)),
    )
    counted = {one: len(told) for one, told in outcomes.items()}
    verdict.duplicates += _more_than_once(verdict, "outcomes published more than once", counted)
    verdict.duplicates += _more_than_once(verdict, "audit records written more than once", audits)


def _check_notifications(verdict: Verdict, evidence: Evidence) -> None:
    due = set(_due(evidence))
    found = evidence.notifications
    name = "{0[0]} to the {0[1]}".format
    verdict.lost += verdict.add("parties never told", map(name, due - found.keys()))
    verdict.add("told without a reason", map(name, found.keys() - due))
    repeated = {name(one): count for one, count in found.items()}
    verdict.duplicates += _more_than_once(verdict, "notifications written more than once", repeated)


def _due(evidence: Evidence) -> Iterable[tuple[str, str]]:
    """The sender is told of everything, the receiver of what completed; a wallet without an owner tells nobody.

    What is held, or no longer held, stays with one person.
    """
    for transfer_id, row in evidence.rows.items():
        if row.payment.source in evidence.owned:
            yield transfer_id, "sender"
        is_between_two = row.payment.kind not in {HOLD, VOID}
        if row.status == "COMPLETED" and is_between_two and row.payment.destination in evidence.owned:
            yield transfer_id, "receiver"


def _more_than_once(verdict: Verdict, problem: str, counted: Mapping[str, int] | Counter[str]) -> int:
    """Note them; how many records there are too many."""
    repeated = {one: count for one, count in counted.items() if count > 1}
    verdict.add(problem, repeated)
    return sum(repeated.values()) - len(repeated)


def _wrong_balances(evidence: Evidence) -> list[str]:
    """Wallets whose balance is not what the first outcome of each transfer makes it, from nothing on."""
    expected: defaultdict[str, int] = defaultdict(int)
    for told in evidence.outcomes.values():
        payment = told[0].payment
        if told[0].status == "COMPLETED":
            expected[payment.source] -= payment.units or 0
            expected[payment.destination] += payment.units or 0
    wallets = expected.keys() | evidence.balances.keys()
    return [wallet for wallet in wallets if expected[wallet] != evidence.balances.get(wallet)]
