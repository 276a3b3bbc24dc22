"""The rows of failed deliveries: notifications that nobody could be told of. They are kept for 30 days."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from rich.markup import escape
from rich.table import Table

from schemas.settings import Settings
from schemas.transfers import format_time
from sinks.postgres.pool import connect
from sinks.postgres.statements import read_statement

_LIST = read_statement(__file__, "list_failed")
_RETRY = read_statement(__file__, "retry")


async def list_failed(settings: Settings, limit: int) -> list[asyncpg.Record]:
    """The newest of them. Raises what asyncpg does."""
    connection = await connect(settings)
    try:
        return await connection.fetch(_LIST, limit)
    finally:
        await connection.close()


async def retry_failed(settings: Settings, transfer_ids: Sequence[UUID] | None) -> int:
    """Queue those of these transfers, or all for None, anew; how many that were. Raises what asyncpg does."""
    connection = await connect(settings)
    try:
        return len(await connection.fetch(_RETRY, transfer_ids))
    finally:
        await connection.close()


def as_line(row: Mapping[str, Any]) -> str:
    """As one JSON object."""
    failed_at: datetime = row["failed_at"]
    return orjson.dumps({**row, "failed_at": format_time(failed_at)}).decode()


def as_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """For a terminal."""
    table = Table(title="Failed deliveries")
    for name in ("failed at", "transfer", "recipient", "channel", "tries", "last error"):
        table.add_column(name)
    for row in rows:
        table.add_row(
            f"{row['failed_at']:%Y-%m-%d %H:%M:%S}",
            row["transfer_id"],
            row["recipient"],
            row["channel"],
            str(row["attempts"]),
            escape(row["last_error"] or ""),
        )
    return table
