"""What ended access of late: accounts that changed, sessions and keys that are over."""

from sinks.directory import statements
from sinks.directory.database import Database


class RecentRevocations:
    """The table of revocations, which triggers fill. Raises DatabaseAwayError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def within(self, window_s: float, count_max: int) -> list[tuple[str, int]]:
        """Each subject of the last ``window_s``, and from which epoch on its access counts; the newest first."""
        rows = await self._database.rows(statements.RECENT_REVOCATIONS, window_s, count_max)
        return [(row["subject"], row["epoch_min"]) for row in rows]
