"""Attempts at something that must not be tried too often, counted for all API processes together."""

from collections.abc import Sequence

from sinks.directory import statements
from sinks.directory.database import Database


class Attempts:
    """The table of attempts. Keys are 32 bytes. Every method raises DatabaseAwayError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, key: bytes, *, interval_s: float, count_max: int) -> float | None:
        """Count one attempt: ``count_max`` at once, then one each ``interval_s``.

        None if it may go ahead. Otherwise it is not counted, and this is how long to wait, in seconds.
        """
        row = await self._database.row(statements.TAKE_ATTEMPT, key, interval_s, interval_s * count_max)
        if row is None or row["is_taken"]:  # the statement always gives one row
            return None
        # A bucket that another connection made at this very moment is not visible yet.
        return interval_s if row["wait_s"] is None else float(row["wait_s"])

    async def is_marked(self, key: bytes) -> bool:
        """Whether a mark stands for this key."""
        row = await self._database.row(statements.IS_MARKED, key)
        return row is not None and bool(row["is_marked"])

    async def forgive(
        self, emptied: Sequence[bytes], *, given_back: bytes, interval_s: float, mark: bytes, mark_ttl_s: float
    ) -> None:
        """Forget all attempts at some keys and one at another, and set a mark. The keys must differ."""
        await self._database.rows(statements.FORGIVE_ATTEMPTS, list(emptied), given_back, interval_s, mark, mark_ttl_s)
