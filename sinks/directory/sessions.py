"""Sessions: a login, and all refresh tokens that follow from it."""

from dataclasses import dataclass

from sinks.directory import statements
from sinks.directory.database import Database

SESSIONS_OF_USER_MAX = 100
"""More than anyone has devices. The oldest give way."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """Whose session was renewed, with the role and the access epoch that the account has now."""

    user_id: str
    role: str
    access_epoch: int = 0


class Sessions:
    """The table of sessions. Every method raises DatabaseAwayError. Hashes are SHA-256 of a token."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, session_id: str, user_id: str, session_epoch: int, token_hash: bytes, ttl_s: int) -> bool:
        """Open a session for ``ttl_s``. False if the account was disabled, or all its sessions ended, meanwhile.

        ``session_epoch`` is that of the login that was checked.
        """
        row = await self._database.row(
            statements.OPEN_SESSION, session_id, user_id, session_epoch, token_hash, ttl_s, SESSIONS_OF_USER_MAX
        )
        return row is not None

    async def renew(self, session_id: str, shown_hash: bytes, next_hash: bytes) -> Renewed | None:
        """Put the next token in place of the one shown. None if the session is over.

        Showing any but the newest token ends it, and so does an account that is disabled or has another password.
        """
        row = await self._database.row(statements.RENEW_SESSION, session_id, shown_hash, next_hash)
        if row is None or not row["is_renewed"]:
            return None
        return Renewed(row["user_id"], row["role"], row["access_epoch"])

    async def revoke(self, session_id: str) -> None:
        """End a session, if there is one of this id."""
        await self._database.rows(statements.REVOKE_SESSION, session_id)
