"""Forgotten passwords: who asks for a new one, and tokens that are good for one."""

from dataclasses import dataclass
from datetime import datetime

from sinks.directory import statements
from sinks.directory.database import Database

RESET_TTL_S = 1_800
"""Half an hour: a token is on its way to a person who waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingReset:
    """Somebody asks for a new password to this account."""

    user_id: str
    email: str
    requested_at: datetime


class PasswordResets:
    """The table of resets. Every method raises DatabaseAwayError. Hashes are SHA-256 of a token."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def request(self, email: str) -> None:
        """Note that somebody asks, if a person has an active account of this e-mail."""
        await self._database.rows(statements.REQUEST_RESET, email)

    async def waiting(self, count_max: int) -> list[WaitingReset]:
        """Those who wait for a token, the oldest first."""
        return [WaitingReset(**row) for row in await self._database.rows(statements.WAITING_RESETS, count_max)]

    async def make_token(self, user_id: str, reset_id: str, token_hash: bytes) -> datetime | None:
        """Until when the token is good, or None unless it is the active account of a person."""
        row = await self._database.row(statements.MAKE_RESET_TOKEN, user_id, reset_id, token_hash, RESET_TTL_S)
        return row["expires_at"] if row else None

    async def email_of(self, reset_id: str, token_hash: bytes) -> str | None:
        """The e-mail of the account that the token is good for."""
        row = await self._database.row(statements.FIND_RESET, reset_id, token_hash)
        return str(row["email"]) if row else None

    async def redeem(self, reset_id: str, token_hash: bytes, password_hash: str) -> str | None:
        """Store the password and end every session. Whose it is, or None for a token that is no longer good."""
        row = await self._database.row(statements.REDEEM_RESET, reset_id, token_hash, password_hash)
        return str(row["user_id"]) if row else None
