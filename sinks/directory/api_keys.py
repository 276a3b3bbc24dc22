"""API keys of producers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sinks.directory import statements
from sinks.directory.database import Database

KEYS_MAX = 20
"""Good keys of one account. So many of those that are over are kept, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRow:
    """A key without its secret."""

    key_id: str
    user_id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodKey:
    """What a key that is shown is compared with, and what it grants."""

    user_id: str
    scopes: list[str]
    secret_hash: bytes = field(repr=False)
    expires_at: datetime | None
    access_epoch: int


class ApiKeys:
    """The table of keys. Every method raises DatabaseAwayError. Hashes are SHA-256 of a key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        *,
        key_id: str,
        user_id: str,
        name: str,
        scopes: Sequence[str],
        secret_hash: bytes,
        days: int | None,
    ) -> ApiKeyRow | None:
        """The new key, good for so many ``days``, or until it is revoked.

        None unless the account is an active producer with fewer than ``KEYS_MAX`` good keys.
        """
        values = (key_id, user_id, name, scopes, secret_hash, days, KEYS_MAX)
        row = await self._database.row_under_lock(statements.LOCK_USER, user_id, statements.CREATE_API_KEY, *values)
        return ApiKeyRow(**row) if row else None

    async def of_user(self, user_id: str) -> list[ApiKeyRow]:
        """The account's keys, the newest first."""
        rows = await self._database.rows(statements.LIST_API_KEYS, user_id, 2 * KEYS_MAX)
        return [ApiKeyRow(**row) for row in rows]

    async def find(self, key_id: str) -> GoodKey | None:
        """The key of this id, if it and its account are good."""
        row = await self._database.row(statements.FIND_API_KEY, key_id)
        return GoodKey(**row) if row else None

    async def touch(self, key_id: str) -> None:
        """Note that the key is in use."""
        await self._database.rows(statements.TOUCH_API_KEY, key_id)

    async def revoke(self, user_id: str, key_id: str) -> bool:
        """End a key for good. False if the account has no such key."""
        return await self._database.row(statements.REVOKE_API_KEY, user_id, key_id) is not None

    async def surrender(self, key_id: str, secret_hash: bytes) -> str | None:
        """End the key that somebody shows. Whose it was, or None if it is not a good one."""
        row = await self._database.row(statements.SURRENDER_API_KEY, key_id, secret_hash)
        return str(row["user_id"]) if row else None
