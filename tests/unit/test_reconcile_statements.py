import re
from pathlib import Path

import pytest
from rich.console import Console

from ops.reconcile import statements
from ops.reconcile.report import Facts, Fault, Finding, Report
from ops.reconcile.statements import known_invariants, parse_invariants
from ops.reconcile.table import print_report


def test_every_statement_in_the_files_is_found_and_named_once() -> None:
    text = "".join(path.read_text() for path in (Path(statements.__file__).parent / "sql").glob("invariants_*.sql"))
    names = [invariant.name for invariant in known_invariants()]
    assert len(names) == len(set(names)) == text.count("-- name: ") == len(re.findall(r";$", text, re.MULTILINE))


def test_a_statement_is_split_into_title_count_and_sql() -> None:
    [one, two] = parse_invariants(
        "-- name: a\n-- title: A holds\n-- checked: select 1\nselect 1\nfrom x;\n\n"
        "-- name: b\n-- title: B\n-- checked: select 2\nselect 2;\n"
    )
    assert (one.name, one.title, one.checked_sql, one.faults_sql) == ("a", "A holds", "select 1", "select 1\nfrom x")
    assert two.faults_sql == "select 2"


def finding(*, faults: int = 0, pending: int = 0) -> Finding:
    examples = [Fault("here", "wrong [sic]")] if faults else []
    return Finding("name", "Title", checked=5, faults=faults, pending=pending, examples=examples)


def report(*findings: Finding) -> Report:
    return Report(list(findings), Facts({}, chain_verified=True))


def test_pending_is_no_fault() -> None:
    assert report(finding(), finding(pending=3)).holds
    assert report(finding(pending=3)).pending == 3
    assert finding(pending=3).verdict == "pending"
    assert finding(faults=1, pending=3).verdict == "broken"
    assert not report(finding(), finding(faults=1)).holds


def test_the_faults_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    print_report(Console(width=100), report(finding(faults=12)))
    text = capsys.readouterr().out
    assert "name, the first 1 of 12:" in text
    assert "here  wrong [sic]" in text
