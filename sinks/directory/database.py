"""Statements against a pool of connections, with an error of its own for a database that is away."""

import asyncio
from typing import Any, Self

import asyncpg
import structlog

from schemas.settings import Settings
from sinks.errors import DatabaseAwayError, MigrationError
from sinks.postgres.access import explain_refusal
from sinks.postgres.faults import is_transient
from sinks.postgres.migrate import known_migrations, migration_status
from sinks.postgres.migration_steps import schema_fault
from sinks.postgres.pool import create_pool
from sinks.postgres.retry import describe

CONNECTIONS_MAX = 8
ACQUIRE_TIMEOUT_S = 3.0
STATEMENT_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 3.0
_SEARCH = "select set_config('statement_timeout', $1, true), set_config('enable_seqscan', 'off', true)"

# No such role or password, no such database, no such table: somebody is still setting it up.
_NOT_SET_UP = frozenset({"28000", "28P01", "3D000", "42P01"})

_log = structlog.get_logger(__name__)


class Database:
    """Runs one statement at a time, each on a connection of the pool and within a bounded time."""

    def __init__(self, pool: asyncpg.Pool, settings: Settings) -> None:
        self._pool = pool
        self._settings = settings

    @classmethod
    async def open(cls, settings: Settings) -> Self:
        """Ready for statements. Does not connect yet, so that a database that is away may come later."""
        pool = await create_pool(settings, size_max=CONNECTIONS_MAX, statement_timeout_s=STATEMENT_TIMEOUT_S)
        return cls(pool, settings)

    async def close(self) -> None:
        """Let go of all connections; those still busy after 3 s are cut off."""
        try:
            await asyncio.wait_for(self._pool.close(), CLOSE_TIMEOUT_S)
        except TimeoutError:
            self._pool.terminate()

    async def rows(self, sql: str, *values: Any) -> list[asyncpg.Record]:
        """Every row. Raises DatabaseAwayError, or asyncpg.PostgresError for what the statement itself ran into."""
        try:
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                return await connection.fetch(sql, *values, timeout=STATEMENT_TIMEOUT_S)
        except Exception as error:
            if _is_away(error):
                raise DatabaseAwayError("PostgreSQL is away") from error
            raise

    async def search(self, timeout_s: float, sql: str, *values: Any) -> list[asyncpg.Record] | None:
        """Every row, found by an index whatever the planner guesses of their number, or None where it takes too long.

        Raises as `rows` does.
        """
        try:
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection, connection.transaction():
                await connection.execute(_SEARCH, f"{timeout_s:.3f}s")
                return await connection.fetch(sql, *values, timeout=STATEMENT_TIMEOUT_S)
        except asyncpg.QueryCanceledError:
            return None
        except Exception as error:
            if _is_away(error):
                raise DatabaseAwayError("PostgreSQL is away") from error
            raise

    async def row_under_lock(self, lock: str, locked: Any, sql: str, *values: Any) -> asyncpg.Record | None:
        """The first row or None, of a statement that sees what everybody who held the lock before has left.

        Raises as `rows` does.
        """
        try:
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection, connection.transaction():
                await connection.execute(lock, locked, timeout=STATEMENT_TIMEOUT_S)
                return await connection.fetchrow(sql, *values, timeout=STATEMENT_TIMEOUT_S)
        except Exception as error:
            if _is_away(error):
                raise DatabaseAwayError("PostgreSQL is away") from error
            raise

    async def row(self, sql: str, *values: Any) -> asyncpg.Record | None:
        """The first row or None. Raises as `rows` does."""
        found = await self.rows(sql, *values)
        return found[0] if found else None

    async def check_schema(self) -> None:
        """Return if this program can work on the schema. Raises MigrationError if not, and DatabaseAwayError.

        Whoever probes learns no more than that the database is away; the log says why.
        """
        try:
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                # the pool's proxy has every method of a connection
                status = await migration_status(connection, known_migrations())  # type: ignore[arg-type]
        except Exception as error:
            if _is_away(error):
                _log.warning("postgres.away", error=explain_refusal(self._settings, error) or describe(error))
                raise DatabaseAwayError("PostgreSQL is away") from error
            raise
        fault = schema_fault(status)
        if fault is not None:
            raise MigrationError(fault)


def _is_away(error: Exception) -> bool:
    if isinstance(error, asyncpg.PostgresError) and error.sqlstate in _NOT_SET_UP:
        return True
    if isinstance(error, asyncpg.InternalClientError):  # the server's last word arrived while we were sending
        return True
    return is_transient(error) and not isinstance(error, asyncpg.DataError)
