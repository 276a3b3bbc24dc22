"""Lets through what only reads. DuckDB itself keeps queries from other files and the network (``ops.export.database``).

What is left to refuse are writes to the exported files themselves, which it must be able to open: a COPY may stand
within a WITH, or in a text that a table function executes. So the query's own syntax tree is looked at.
"""

from collections.abc import Iterator
from typing import Any

import duckdb
import orjson

from ops.export.errors import QueryError

_TREE = "select json_serialize_sql($1::varchar)"

_READING_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})

_TABLE_FUNCTIONS = frozenset(
    {
        *("unnest", "range", "generate_series", "repeat", "repeat_row", "json_each", "json_tree"),
        *("histogram", "histogram_values", "summary"),
        *("duckdb_columns", "duckdb_functions", "duckdb_tables", "duckdb_types", "duckdb_views"),
    }
)
"""Those that make rows of nothing but what they are given, or tell what there is to ask for."""


def check_query(database: duckdb.DuckDBPyConnection, query: str) -> None:
    """Raise QueryError unless this is one query, and reads only."""
    [(told,)] = database.execute(_TREE, [query]).fetchall()
    tree = orjson.loads(told)
    if tree["error"]:
        raise QueryError(one_line(tree["error_message"]))
    if len(tree["statements"]) != 1:
        raise QueryError("this is not one SELECT")
    for node in _nodes(tree["statements"]):
        if "cte_map" in node and node["type"] not in _READING_NODES:
            raise QueryError("only what reads can be asked: this changes something")
        if node.get("type") == "TABLE_FUNCTION" and _name(node) not in _TABLE_FUNCTIONS:
            raise QueryError(f"{_name(node)}() cannot be read from")


def one_line(message: str) -> str:
    """What DuckDB says, without the picture of the place that it draws below."""
    return " ".join(message.split("\n\n", maxsplit=1)[0].split())


def _name(node: dict[str, Any]) -> str:
    return str(node["function"]["function_name"]).lower()


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:  # ends with the tree, whose depth DuckDB limits
        found = waiting.pop()
        if isinstance(found, dict):
            yield found
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)
