"""What can be asked of the audit, how it is answered, and what is refused."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
from audit_database import audit
from audit_values import ANNA, BEN, MIDNIGHT, failed, outcome

from ops.export.answer import ask, write_answer
from ops.export.errors import QueryError
from ops.export.formats import Format
from ops.export.layout import scan

HOUR = timedelta(hours=1)
EXPORTED = 4

OUTCOMES = [
    outcome(0, MIDNIGHT - HOUR),
    outcome(1, MIDNIGHT - HOUR, amount="99999999999990.0001"),
    failed(2, "insufficient_funds", MIDNIGHT - HOUR),
    outcome(2, MIDNIGHT, kind="hold"),
    outcome(3, MIDNIGHT + HOUR, kind="capture"),
    outcome(4, MIDNIGHT + HOUR, kind="reversal"),
    failed(7, "wallet_frozen", MIDNIGHT + HOUR, metadata={"shop": "7", "till": "ä"}),
    failed(8, "wallet_frozen", MIDNIGHT + HOUR),
]


@pytest.fixture(scope="module", params=[0, EXPORTED, len(OUTCOMES)], ids=["all live", "half", "all exported"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    with audit(tmp_path_factory.mktemp("audit"), OUTCOMES, request.param) as found:
        yield found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("half")


@pytest.fixture(scope="module")
def half_exported(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with audit(folder, OUTCOMES, EXPORTED) as found:
        yield found


@pytest.fixture
def half(half_exported: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    with half_exported.cursor() as found:  # some leave an answer behind that is not read to its end
        yield found


def answered(database: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    _, rows = ask(database, query)
    return list(rows)


def test_each_record_is_there_once_wherever_it_lies(database: duckdb.DuckDBPyConnection) -> None:
    rows = answered(database, "select sequence, amount, completed_at, day from transfers order by sequence")
    assert [row["sequence"] for row in rows] == list(range(8))
    assert rows[1] == {
        "sequence": 1,
        "amount": "99999999999990.0001",
        "completed_at": "2026-01-31T23:00:00.000000Z",
        "day": "2026-01-31",
    }


def test_daily_volume_counts_what_people_paid(database: duckdb.DuckDBPyConnection) -> None:
    assert answered(database, "select * from daily_volume") == [
        {
            "day": "2026-01-31",
            "currency": "USD",
            "payments": 2,
            "volume": "99999999999991.0001",
            "reversals": 0,
            "reversed": "0.0000",
        },
        {
            "day": "2026-02-01",
            "currency": "USD",
            "payments": 1,
            "volume": "1.0000",
            "reversals": 1,
            "reversed": "1.0000",
        },
    ]


def test_net_flow_is_what_a_wallet_gained(database: duckdb.DuckDBPyConnection) -> None:
    anna, ben = answered(database, "select * from net_flow order by wallet_id")
    assert anna["wallet_id"] == ANNA
    assert (anna["sent_count"], anna["received"], anna["net"]) == (5, "0.0000", "-99999999999994.0001")
    assert (ben["wallet_id"], ben["sent"], ben["net"]) == (BEN, "0.0000", "99999999999994.0001")


def test_failure_rates_are_parts_of_a_day(database: duckdb.DuckDBPyConnection) -> None:
    assert answered(database, "select * from failure_rates") == [
        {"day": "2026-01-31", "reason": "insufficient_funds", "failed": 1, "decided": 3, "rate": 1 / 3},
        {"day": "2026-02-01", "reason": "wallet_frozen", "failed": 2, "decided": 5, "rate": 0.4},
    ]


def test_velocity_is_what_was_sent_in_an_hour_and_in_a_minute(database: duckdb.DuckDBPyConnection) -> None:
    by_hour = answered(database, "select hour, transfers, amount from velocity order by hour")
    assert by_hour == [
        {"hour": "2026-01-31T23:00:00.000000Z", "transfers": 2, "amount": "99999999999991.0001"},
        {"hour": "2026-02-01T00:00:00.000000Z", "transfers": 1, "amount": "1.0000"},
        {"hour": "2026-02-01T01:00:00.000000Z", "transfers": 2, "amount": "2.0000"},
    ]
    by_minute = answered(database, "select minute as hour, transfers, amount from velocity_by_minute order by 1")
    assert by_minute == by_hour, "all stand at the beginning of an hour"


def test_top_counterparties_are_ranked(half: duckdb.DuckDBPyConnection) -> None:
    assert answered(half, "select * from top_counterparties") == [
        {
            "wallet_id": ANNA,
            "currency": "USD",
            "rank": 1,
            "counterparty_id": BEN,
            "transfers": 5,
            "amount": "99999999999994.0001",
        }
    ]


def written(database: duckdb.DuckDBPyConnection, query: str, form: Format) -> str:
    output = io.StringIO()
    write_answer(*ask(database, query), form, output)
    return output.getvalue()


def test_an_answer_as_json_has_decimal_text_and_no_floats(half: duckdb.DuckDBPyConnection) -> None:
    query = (
        "select sum(amount) as total, sum(sequence) as numbers, any_value(metadata) as texts, [1.5, null] as list, "
        "{'a': date '2026-01-01'} as struct, 1 as x, 2 as x from transfers"
    )
    assert orjson.loads(written(half, query, Format.JSON)) == [
        {
            "total": orjson.loads(written(half, "select sum(amount) as t from transfers", Format.JSON))[0]["t"],
            "numbers": 28,
            "texts": {"shop": "7", "till": "ä"},
            "list": ["1.5", None],
            "struct": {"a": "2026-01-01"},
            "x": 1,
            "x_2": 2,
        }
    ]
    assert orjson.loads(written(half, "select 1 where false", Format.JSON)) == []


def test_an_answer_as_csv_is_for_spreadsheets(half: duckdb.DuckDBPyConnection) -> None:
    query = "select sequence, amount, reason, metadata from transfers where sequence in (1, 6) order by 1"
    assert written(half, query, Format.CSV).splitlines() == [
        "sequence,amount,reason,metadata",
        "1,99999999999990.0001,,",
        '6,1.0000,wallet_frozen,"{""shop"":""7"",""till"":""ä""}"',
    ]


def test_a_long_table_says_that_it_is_cut(half: duckdb.DuckDBPyConnection) -> None:
    told = written(half, "select i as number from range(1001) as numbers(i)", Format.TABLE)
    assert "999" in told
    assert "1000 │" not in told
    assert told.endswith("These are the first 1,000 rows: for all, use --format csv or json.\n")


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("select * from read_text('/etc/passwd')", r"read_text\(\) cannot be read from"),
        ("select * from '/etc/passwd'", "/etc/passwd"),
        ("select * from 'http://127.0.0.1:9/x.parquet'", "http://127.0.0.1:9/x.parquet"),
        ("select * from glob('/etc/*')", r"glob\(\) cannot be read from"),
        ("copy transfers to '{file}'", "Only SELECT"),
        ("with x as (copy (select 1) to '{file}') select 1", "changes something"),
        ("select * from query('with x as (copy (select 1) to ''{file}'') select 1')", r"query\(\) cannot"),
        ("select * from json_execute_serialized_sql('{{}}')", r"json_execute_serialized_sql\(\) cannot"),
        ("with x as (insert into live from live returning 1) from x", "changes something"),
        ("select * from (with x as (delete from live returning 1) from x)", "changes something"),
        ("drop view transfers", "Only SELECT"),
        ("attach '{file}'", "Only SELECT"),
        ("set enable_external_access = true", "Only SELECT"),
        ("install httpfs", "Only SELECT"),
        ("select 1; select 2", "not one SELECT"),
        ("", "not one SELECT|Only SELECT"),
        ("selec 1", 'syntax error at or near "selec"'),
        ("select nosuch from transfers", 'Referenced column "nosuch" not found'),
        ("select nosuch from nowhere", "nowhere"),
        ("select 'x'::int from transfers", "Could not convert"),
        ("select error('late') from transfers", "late"),
    ],
)
def test_what_does_more_than_read_the_audit_is_refused_in_a_line(
    half: duckdb.DuckDBPyConnection, folder: Path, query: str, problem: str
) -> None:
    file = scan(folder)[0].path
    before = file.read_bytes()
    with pytest.raises(QueryError, match=problem) as refused:
        answered(half, query.format(file=file))
    assert "\n" not in str(refused.value)
    assert file.read_bytes() == before


def test_duckdb_itself_keeps_to_the_exported_files(half: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("secret\n1\n")
    with pytest.raises(duckdb.PermissionException):
        half.execute(f"select * from read_csv('{tmp_path / 'other.csv'}')")  # noqa: S608 (a path of the test's)
    with pytest.raises(duckdb.PermissionException):
        half.execute(f"copy (select 1) to '{tmp_path / 'new.csv'}'")
    with pytest.raises(duckdb.InvalidInputException):
        half.execute("set enable_external_access = true")
