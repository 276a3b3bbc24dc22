"""The checker finds everything that can be wrong."""

# ruff: noqa: ARG005 (a tamperer is given both, and needs one)

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from uuid_utils import UUID

from ingest_api.hold_expiry import void_id
from tests.faults.runner.book import Book, Payment
from tests.faults.runner.checker import Verdict, check
from tests.faults.runner.evidence import Evidence, Told

PAID = Payment("anna", "ben", 5)
COMPLETED = Told(PAID, "COMPLETED")
Tamper = Callable[[Book, Evidence], None]


def a_run() -> tuple[Book, Evidence]:
    """Anna pays Ben; a payment the other way fails; one more was asked for and never acknowledged."""
    book = Book()
    for number, one in enumerate(("paid", "refused", "unsure")):
        book.ask(one, Payment("ben", "anna", 9) if one == "refused" else PAID, "kafka", float(number))
    for one in ("paid", "refused"):
        book.acknowledge(one, 3.0)
    evidence = Evidence(owned={"anna", "ben"}, balances={"anna": -5, "ben": 5})
    evidence.rows |= {"paid": COMPLETED, "refused": Told(book.asked["refused"], "FAILED")}
    for one, row in evidence.rows.items():
        evidence.outcomes[one].append(row)
        evidence.audits[one] += 1
        evidence.notifications[one, "sender"] += 1
    evidence.notifications["paid", "receiver"] += 1
    return book, evidence


def verdict_after(tamper: Tamper) -> Verdict:
    book, evidence = a_run()
    tamper(book, evidence)
    return check(book, evidence)


def test_a_sound_run_is_sound() -> None:
    verdict = verdict_after(lambda _book, _evidence: None)
    assert verdict == Verdict(acknowledged=2, unsure=1, applied=2, completed={"transfer": 1})
    assert verdict.sound


def test_what_was_never_acknowledged_may_be_in() -> None:
    def tamper(_book: Book, evidence: Evidence) -> None:
        evidence.rows["unsure"] = COMPLETED
        evidence.outcomes["unsure"].append(COMPLETED)
        evidence.audits["unsure"] += 1
        evidence.notifications.update([("unsure", "sender"), ("unsure", "receiver")])
        evidence.balances = {"anna": -10, "ben": 10}

    assert verdict_after(tamper).sound


@pytest.mark.parametrize(
    ("tamper", "lost", "duplicates", "problems"),
    [
        (lambda b, e: e.rows.pop("refused"), 1, 0, {"acknowledged and not in the ledger", "published and not committed",
                                                    "audited and not committed", "told without a reason"}),
        (lambda b, e: b.asked.pop("paid"), 0, 0, {"in the ledger and never asked for"}),
        (lambda b, e: b.asked.update(paid=PAID._replace(units=6)), 0, 0, {"in the ledger otherwise than asked for"}),
        (lambda b, e: e.outcomes["refused"].append(e.outcomes["refused"][0]), 0, 1,
         {"outcomes published more than once"}),
        (lambda b, e: e.outcomes["paid"].extend([COMPLETED] * 2), 0, 2, {"outcomes published more than once"}),
        (lambda b, e: e.outcomes.pop("refused"), 1, 0, {"without an outcome"}),
        (lambda b, e: e.outcomes.update(refused=[COMPLETED]), 0, 0,
         {"published otherwise than committed", "balances that do not follow from the outcomes"}),
        (lambda b, e: e.outcomes.update(ghost=[Told(PAID, "FAILED")]), 0, 0, {"published and not committed"}),
        (lambda b, e: e.audits.pop("paid"), 1, 0, {"without an audit record"}),
        (lambda b, e: e.audits.update(["paid"]), 0, 1, {"audit records written more than once"}),
        (lambda b, e: e.notifications.pop(("paid", "receiver")), 1, 0, {"parties never told"}),
        (lambda b, e: e.notifications.update([("paid", "sender")]), 0, 1, {"notifications written more than once"}),
        (lambda b, e: e.notifications.update([("refused", "receiver")]), 0, 0, {"told without a reason"}),
        (lambda b, e: e.balances.update(ben=6), 0, 0, {"balances that do not follow from the outcomes"}),
        (lambda b, e: e.dead_letters.append("paid"), 0, 0, {"sound requests set aside as dead letters"}),
        (lambda b, e: b.refused.add("paid"), 0, 0, {"refused under their own key"}),
    ],
)  # fmt: skip
def test_every_fault_is_found(tamper: Tamper, lost: int, duplicates: int, problems: set[str]) -> None:
    verdict = verdict_after(tamper)
    assert (verdict.lost, verdict.duplicates, set(verdict.problems)) == (lost, duplicates, problems)


END = datetime(2026, 1, 1, tzinfo=UTC)
HOLD = uuid4()
NAMESPACE = UUID(int=0)
EXPIRY = void_id(NAMESPACE, str(HOLD), 2)

LEFT = "holds that have ended and were not given back"
OVERDRAWN = "drawn on beyond their amount"
NOBODYS = "in the ledger and never asked for"
OTHERWISE = "in the ledger otherwise than asked for"


def a_run_with_a_hold() -> tuple[Book, dict[str, Told]]:
    """Of 10 held, 3 are captured in time; a capture of too much fails; the rest goes back when the time is over."""
    asked = {
        str(HOLD): Payment("anna", "annas", 10, "hold", expires_at=END),
        "part": Payment("annas", "ben", 3, "capture", str(HOLD)),
        "whole": Payment("annas", "ben", None, "capture", str(HOLD)),
    }
    rows = {
        str(HOLD): Told(asked[str(HOLD)], "COMPLETED", END - timedelta(seconds=3)),
        "part": Told(asked["part"], "COMPLETED", END - timedelta(seconds=2)),
        "whole": Told(asked["whole"]._replace(units=10), "FAILED", END - timedelta(seconds=1)),
        EXPIRY: Told(Payment("annas", "anna", 7, "void", str(HOLD)), "COMPLETED", END + timedelta(seconds=1)),
    }
    book = Book()
    for one, payment in asked.items():
        book.ask(one, payment, "http", 0.0)
    return book, rows


def verdict_on(book: Book, rows: dict[str, Told]) -> Verdict:
    """When everything agrees with the rows."""
    people = ("anna", "annas", "ben")
    evidence = Evidence(rows, owned=set(people), balances=dict.fromkeys(people, 0), void_namespace=NAMESPACE)
    for one, row in rows.items():
        evidence.outcomes[one].append(row)
        evidence.audits[one] += 1
        evidence.notifications[one, "sender"] += 1
        if row.status == "COMPLETED":
            evidence.balances[row.payment.source] -= row.payment.units or 0
            evidence.balances[row.payment.destination] += row.payment.units or 0
            if row.payment.kind == "capture":
                evidence.notifications[one, "receiver"] += 1
    return check(book, evidence)


def test_a_hold_that_is_drawn_on_and_given_back_is_sound() -> None:
    verdict = verdict_on(*a_run_with_a_hold())
    assert verdict.sound
    assert verdict.completed == {"hold": 1, "capture": 1, "expiry": 1}


@pytest.mark.parametrize(
    ("changed", "row", "problems"),
    [
        (EXPIRY, None, {LEFT}),
        (EXPIRY, {"units": 8}, {OVERDRAWN}),
        (EXPIRY, {"parent": "ghost"}, {LEFT, OVERDRAWN, NOBODYS}),
        ("part", {"kind": "void"}, {OTHERWISE}),
        ("part", {"parent": "whole"}, {LEFT, OVERDRAWN, NOBODYS, OTHERWISE}),
        ("part", END, {"captured after the end of their hold"}),
        (str(HOLD), {"expires_at": None}, {NOBODYS, OTHERWISE}),
        ("another", {"units": 0}, {NOBODYS}),
    ],
)  # fmt: skip
def test_whatever_is_wrong_with_a_hold_is_found(changed: str, row: object, problems: set[str]) -> None:
    book, rows = a_run_with_a_hold()
    before = rows.pop(changed, rows[EXPIRY])
    if isinstance(row, dict):
        rows[changed] = before._replace(payment=before.payment._replace(**row))
    elif isinstance(row, datetime):
        rows[changed] = before._replace(completed_at=row)
    assert set(verdict_on(book, rows).problems) == problems
