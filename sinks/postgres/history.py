"""Whether the database that we come back to is still the one that we have written to."""

import asyncpg

from sinks.errors import HistoryChangedError

# The first eight digits of a WAL file's name are its timeline (PostgreSQL manual, "Timelines"). It changes whenever a
# server begins to write after a restore, or after it was promoted. While it still recovers it cannot tell.
_TIMELINE = """
select case when not pg_is_in_recovery() then left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) end
"""

# Some servers of cloud providers do not tell.
_NOT_TOLD = (asyncpg.FeatureNotSupportedError, asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedFunctionError)


class OneHistory:
    """Looks at each new connection of a pool, and refuses one to a server whose past is not that of the first.

    A server that was restored, or a standby that took over, may lack the last commits. Then what a process remembers of
    its wallets is not what is there, and outcomes were told that must become rows before anything else does.
    """

    def __init__(self) -> None:
        self._timeline: str | None = None

    async def __call__(self, connection: asyncpg.Connection) -> None:
        """Raises HistoryChangedError, and what the connection raises."""
        try:
            timeline: str | None = await connection.fetchval(_TIMELINE)
        except _NOT_TOLD:
            return
        if self._timeline is None:
            self._timeline = timeline
        elif timeline not in {None, self._timeline}:
            raise HistoryChangedError(f"the database is on timeline {timeline}, and was on {self._timeline}")
