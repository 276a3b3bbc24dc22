from io import StringIO
from typing import Any

from rich.console import Console

from ops.lag.report import LagReport, PartitionLag
from ops.lag.table import lag_tables
from ops.lag.waiting import Money, Waiting


def partition(**changes: Any) -> PartitionLag:
    values: dict[str, Any] = {"group": "g", "topic": "t", "partition": 0, "begin": 0, "end": 100}
    values |= {"committed": None, "applied": None, **changes}
    return PartitionLag(**{"records_end": values["end"], **values})


def test_the_lag_counts_from_what_is_applied_where_that_is_known() -> None:
    assert partition(committed=50, applied=90).lag == 10
    assert partition(committed=50).lag == 50


def test_a_group_that_has_never_committed_lags_by_all_that_is_left() -> None:
    assert partition(begin=30).lag == 70


def test_records_removed_by_retention_are_no_lag() -> None:
    assert partition(begin=80, committed=10).lag == 20


def test_lag_is_never_below_zero() -> None:
    assert partition(committed=101).lag == 0


def test_markers_behind_the_last_record_are_no_lag() -> None:
    assert partition(records_end=97, applied=90).lag == 7
    assert partition(records_end=97, applied=97).lag == 0
    assert partition(records_end=97, committed=100).lag == 0
    assert partition(records_end=97).as_json()["end"] == 100


def test_totals_are_by_group() -> None:
    report = LagReport([partition(committed=90), partition(partition=1, committed=95), partition(group="h", begin=99)])
    assert report.totals == {"g": 15, "h": 1}
    assert report.total == 16


def test_the_table_shows_unknown_offsets_as_a_dash_and_a_total_a_group() -> None:
    output = StringIO()
    report = LagReport([partition(end=1_234_567)])
    waiting = Waiting({("g", "t", 0): 61.25}, Money({"USD": 12_345_678_901_234}, 3, 1, is_all=False))
    Console(width=120, file=output).print(lag_tables(report, waiting))
    text = output.getvalue()
    assert "1,234,567" in text
    assert "-" in text
    assert "total" in text
    assert text.count("61.2 s") == 2
    assert "1,234,567,890.1234" in text
    assert "at least" in text
    assert "1 of them say no amount" in text
