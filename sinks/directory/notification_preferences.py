"""How people want to be told of transfers, as they set it. Who delivers reads it by `sinks.channels`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
import msgspec

from sinks.directory import statements
from sinks.directory.database import Database

_MINIMUMS = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What somebody has chosen; as it is here for who has not. ``minimums`` are decimal texts by currency."""

    email: bool = True
    webhook: bool = True
    failures: bool = True
    minimums: Mapping[str, str] = field(default_factory=dict)
    updated_at: datetime | None = None


class NotificationPreferences:
    """The table of them. Every method raises DatabaseAwayError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, user_id: str) -> Preferences:
        """What this account has chosen."""
        row = await self._database.row(statements.FIND_PREFERENCES, user_id)
        return _preferences(row) if row else Preferences()

    async def put(self, user_id: str, chosen: Preferences) -> Preferences:
        """Replace all of it."""
        minimums = msgspec.json.encode(chosen.minimums).decode()
        values = (user_id, chosen.email, chosen.webhook, chosen.failures, minimums)
        [row] = await self._database.rows(statements.PUT_PREFERENCES, *values)
        return _preferences(row)


def _preferences(row: asyncpg.Record) -> Preferences:
    values = dict(row)
    return Preferences(**values | {"minimums": _MINIMUMS.decode(values["minimums"])})
