"""What is missing on a topic of outcomes, stands there twice, or is none."""

from io import StringIO

import pytest
from rich.console import Console
from told_outcomes import failed, outcome

from ops.audit import gaps
from ops.audit.gaps import GapCheck, GapReport
from ops.audit.gaps_table import print_gaps
from ops.audit.versions import Hole
from schemas.transfers import Outcome, encode_outcome

ADA = "00000000-0000-0000-0000-00000000000a"
BOB = "00000000-0000-0000-0000-00000000000b"


def payment(source_version: int, destination_version: int, **changes: object) -> Outcome:
    return outcome(
        source_wallet_id=ADA,
        source_version=source_version,
        destination_wallet_id=BOB,
        destination_version=destination_version,
        **changes,
    )


def check_of(*told: Outcome | bytes) -> GapCheck:
    check = GapCheck()
    for offset, each in enumerate(told):
        check.note(0, offset, each if isinstance(each, bytes) else encode_outcome(each))
    return check


def report_of(check: GapCheck) -> GapReport:
    return check.report("transfers.outcomes")


def shown(report: GapReport) -> str:
    written = StringIO()
    print_gaps(Console(file=written, width=200), report)
    return written.getvalue()


def test_all_versions_in_any_order_are_complete_and_failures_have_none() -> None:
    report = report_of(check_of(payment(2, 3), failed(), payment(1, 1), payment(3, 2)))
    assert (report.complete, report.records, report.wallets) == (True, 4, 2)
    assert "every version is there, once" in shown(report)


def test_missing_versions_are_named_by_wallet() -> None:
    report = report_of(check_of(payment(1, 1), payment(2, 5)))
    assert (report.missing, report.holes) == (3, [Hole(BOB, 2, 4)])
    assert not report.complete
    assert "2 to 4" in shown(report)


def test_a_hole_is_filled_from_behind_the_end_and_nothing_else_is_noted_there() -> None:
    check = check_of(payment(1, 1), payment(2, 3))
    check.fill(check.holes_by_wallet(), encode_outcome(payment(9, 9)))
    assert report_of(check).holes == [Hole(BOB, 2, 2)]
    check.fill(check.holes_by_wallet(), encode_outcome(payment(3, 2)))
    check.fill({}, b"no outcome")
    assert report_of(check).complete


@pytest.mark.parametrize(("balance", "same"), [("9.0000", True), ("8.0000", False)])
def test_what_stands_there_twice_is_compared_in_a_second_reading(balance: str, *, same: bool) -> None:
    first = payment(1, 1, source_balance="9.0000")
    second = payment(1, 1, transfer_id=first.transfer_id, source_balance=balance)
    values = [encode_outcome(first), encode_outcome(second), b"no outcome"]
    check = check_of(*values)
    assert check.wants_second_reading
    for value in values:
        check.compare(value)
    report = report_of(check)
    assert report.repeated == 2
    assert [(found.wallet_id, found.same) for found in report.again] == [(ADA, same), (BOB, True)]
    assert ("different contents" in shown(report)) is not same


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"[]",
        encode_outcome(payment(0, 1)),
        encode_outcome(outcome(source_version=None)),
        b'{"status":"COMPLETED"}',
    ],
)
def test_what_is_no_outcome_is_named(value: bytes) -> None:
    report = report_of(check_of(value))
    assert (report.complete, report.unreadable) == (False, 1)
    assert "partition 0, offset 0" in shown(report)


def test_a_wallet_that_is_no_uuid_is_named() -> None:
    assert report_of(check_of(outcome(source_wallet_id="ada"))).unreadable == 1


def test_findings_are_counted_beyond_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gaps, "NAMED_MAX", 2)
    told = [payment(version, version) for version in range(1, 9, 2)] * 2
    report = report_of(check_of(*told, b"", b"", b""))
    assert (report.missing, len(report.holes), report.repeated, len(report.again)) == (6, 2, 8, 2)
    assert (report.unreadable, len(report.unreadable_named)) == (3, 2)
    assert report.as_json()["missing"] == 6


def test_the_table_says_that_it_is_cut() -> None:
    assert "--json names" in shown(report_of(check_of(*(payment(version, version) for version in range(2, 100, 2)))))
