"""Balances of a moment out of the audit, against those of the ledger."""

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from audit_database import audit
from audit_values import ANNA, BEN, MIDNIGHT, failed, outcome

from ops.export.balances import LEDGER, report_of
from schemas.transfers import Outcome

HOUR = timedelta(hours=1)

STEPS = [
    outcome(0, MIDNIGHT),
    outcome(1, MIDNIGHT + HOUR),
    outcome(2, MIDNIGHT + HOUR - timedelta(seconds=1)),  # another worker's clock
    outcome(3, MIDNIGHT + 2 * HOUR),
    failed(9, "wallet_frozen"),
]


def compared(
    folder: Path, ledger: dict[str, tuple[int, str]], hours: float, outcomes: list[Outcome] = STEPS
) -> tuple[list[str], list[str]]:
    """What is told of whom, and the balances of the ledger that fit."""
    stored = pa.record_batch(
        [
            pa.array(list(ledger)),
            pa.array([version for version, _ in ledger.values()], pa.int64()),
            pa.array([balance for _, balance in ledger.values()]),
        ],
        schema=LEDGER,
    )
    with audit(folder, outcomes, 2) as database:
        report = report_of(database, [stored], MIDNIGHT + hours * HOUR, None)
    assert report.agrees is not bool(report.differences)
    return [f"{found.wallet_id[-1]}: {found.problem}" for found in report.differences], list(report.totals.values())


@pytest.mark.parametrize(
    ("hours", "version"),
    [(-1, 0), (0, 1), (0.9999, 3), (1, 3), (1.5, 3), (2, 4), (100, 4)],
)
def test_the_balance_of_a_moment_is_that_of_the_highest_version_by_then(
    tmp_path: Path, hours: float, version: int
) -> None:
    # The second is stamped later than the third: at 0.9999 its version is passed, so it counts.
    ledger = {ANNA: (version, f"-{version}.0000"), BEN: (version, f"{version}.0000")} if version else {}
    differences, totals = compared(tmp_path, ledger, hours)
    assert differences == []
    assert totals == ([f"{version}.0000"] if version else [])


@pytest.mark.parametrize(
    ("anna", "problem"),
    [
        ((4, "-4.0001"), "a: the balances differ"),
        ((5, "-5.0000"), "a: the audit lacks versions 5 to 5"),
        ((2, "-2.0000"), "a: the ledger lacks versions 3 to 4"),
        (None, "a: the ledger has no entries of it"),
    ],
)
def test_what_the_ledger_says_otherwise_is_told(tmp_path: Path, anna: tuple[int, str] | None, problem: str) -> None:
    ledger = {BEN: (4, "4.0000")} | ({} if anna is None else {ANNA: anna})
    assert compared(tmp_path, ledger, 3)[0] == [problem]


def test_a_wallet_that_only_the_ledger_knows_is_told(tmp_path: Path) -> None:
    ledger = {ANNA: (4, "-4.0000"), BEN: (4, "4.0000"), ANNA[:-1] + "c": (1, "7.0000")}
    assert compared(tmp_path, ledger, 3)[0] == ["c: the audit has no records of it"]


def test_an_audit_that_contradicts_itself_is_told(tmp_path: Path) -> None:
    outcomes = [STEPS[0], outcome(1, amount="5.0000"), outcome(3, destination_version=3)]
    ledger = {ANNA: (4, "-4.0000"), BEN: (3, "4.0000")}
    assert compared(tmp_path, ledger, 3, outcomes)[0] == [
        "a: the audit has 3 movements up to version 4",
        "b: the movements in the audit come to 7.0000",
    ]
