"""The answer to a query as a table, CSV or JSON, as it comes: the whole of it is never in memory."""

import csv
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, TextIO

import duckdb
import orjson
import pyarrow as pa
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ops.export.errors import QueryError
from ops.export.formats import Format
from ops.export.read_only import check_query, one_line
from schemas.transfers import format_time

ROWS_A_BATCH = 10_000
TABLE_ROWS_MAX = 1_000
"""A table is for people: it ends here, and says so."""

WIDTH_MAX = 1_000

Row = dict[str, Any]


def ask(database: duckdb.DuckDBPyConnection, query: str) -> tuple[list[str], Iterator[Row]]:
    """The columns of the answer, and its rows. Raises QueryError, also while rows are read."""
    with _explained():
        check_query(database, query)
        relation = database.sql(query)
        if relation is None:
            raise QueryError("this answers nothing")
        names = _distinct(relation.columns)
        return names, _rows(relation.to_arrow_reader(ROWS_A_BATCH), names)


def write_answer(names: list[str], rows: Iterator[Row], form: Format, output: TextIO = sys.stdout) -> None:
    """Amounts as decimal text, times as RFC 3339 in UTC."""
    if form is Format.JSON:
        _write_json(rows, output)
    elif form is Format.CSV:
        _write_csv(names, rows, output)
    else:
        _write_table(names, rows, output)


def plain(value: Any) -> Any:
    """A value as JSON has it, without a float where there was a decimal."""
    if isinstance(value, Decimal):
        return int(value) if value.as_tuple().exponent == 0 else str(value)
    if isinstance(value, datetime):
        return format_time(value) if value.tzinfo is not None else value.isoformat()
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list):
        is_map = all(isinstance(item, tuple) for item in value) and value
        return {str(key): plain(item) for key, item in value} if is_map else [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value.isoformat() if isinstance(value, date) else str(value)


def _rows(reader: Any, names: list[str]) -> Iterator[Row]:
    batches = iter(reader)
    while True:  # ends with the batches
        with _explained():
            try:
                batch = next(batches)
            except StopIteration:
                return
            columns = [[plain(value) for value in column.to_pylist()] for column in batch.columns]
        for values in zip(*columns, strict=True):
            yield dict(zip(names, values, strict=True))


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (duckdb.Error, pa.ArrowException) as error:
        raise QueryError(one_line(str(error))) from None


def _distinct(names: Iterable[str]) -> list[str]:
    """Two columns may have one name; an object's members may not."""
    seen: dict[str, int] = {}
    distinct = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        distinct.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return distinct


def _write_json(rows: Iterable[Row], output: TextIO) -> None:
    separator = "["
    for row in rows:
        output.write(separator + "\n  " + orjson.dumps(row).decode())
        separator = ","
    output.write("[]\n" if separator == "[" else "\n]\n")


def _write_csv(names: list[str], rows: Iterable[Row], output: TextIO) -> None:
    writer = csv.writer(output)
    writer.writerow(names)
    for row in rows:
        writer.writerow([_text(value) for value in row.values()])


def _write_table(names: list[str], rows: Iterator[Row], output: TextIO) -> None:
    shown = list(islice(rows, TABLE_ROWS_MAX))
    table = Table()
    for name in names:
        is_number = all(isinstance(row[name], int | float | None) for row in shown)
        table.add_column(escape(name), justify="right" if is_number else "left", overflow="fold")
    for row in shown:
        table.add_row(*(escape(_text(value)) for value in row.values()))
    # A file or a pipe has no width of its own.
    Console(file=output, width=None if output.isatty() else WIDTH_MAX).print(table)
    if next(rows, None) is not None:
        print(f"These are the first {TABLE_ROWS_MAX:,} rows: for all, use --format csv or json.", file=output)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
