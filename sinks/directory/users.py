"""Accounts."""

from dataclasses import dataclass
from datetime import datetime

from sinks.directory import statements
from sinks.directory.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """An account without its secret."""

    user_id: str
    email: str
    status: str
    role: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRow:
    """What a login is checked against. ``session_epoch`` goes up when all sessions of the account end, and
    ``access_epoch`` with all that makes older access tokens wrong."""

    user_id: str
    password_hash: str
    status: str
    role: str
    session_epoch: int = 0
    access_epoch: int = 0


class Users:
    """The table of accounts. Every method raises DatabaseAwayError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, email: str, password_hash: str) -> UserRow | None:
        """The new account, or None when the e-mail is taken."""
        row = await self._database.row(statements.CREATE_USER, email, password_hash)
        return UserRow(**row) if row else None

    async def find(self, user_id: str) -> UserRow | None:
        """The account of this id."""
        row = await self._database.row(statements.FIND_USER, user_id)
        return UserRow(**row) if row else None

    async def find_login(self, email: str) -> LoginRow | None:
        """The account of this e-mail, in whatever case."""
        row = await self._database.row(statements.FIND_LOGIN, email)
        return LoginRow(**row) if row else None

    async def email_and_login(self, user_id: str) -> tuple[str, LoginRow] | None:
        """The account's e-mail, and what a change of its password is checked against."""
        row = await self._database.row(statements.FIND_LOGIN_BY_ID, user_id)
        if row is None:
            return None
        values = dict(row)
        return values.pop("email"), LoginRow(**values)

    async def upgrade_hash(self, user_id: str, old_hash: str, new_hash: str) -> None:
        """Store a newer hash of the same password, unless the password has changed meanwhile."""
        await self._database.rows(statements.UPGRADE_HASH, user_id, old_hash, new_hash)

    async def change_password(self, user_id: str, old_hash: str, new_hash: str) -> bool:
        """Store another password and end every session. False if the old one has changed meanwhile."""
        return await self._database.row(statements.CHANGE_PASSWORD, user_id, old_hash, new_hash) is not None

    async def end_sessions(self, user_id: str) -> bool:
        """End every session of the account. False if there is no such account."""
        return await self._database.row(statements.END_SESSIONS, user_id) is not None

    async def create_service_account(self, email: str) -> UserRow | None:
        """A new producer, or None when the e-mail is taken."""
        row = await self._database.row(statements.CREATE_SERVICE_ACCOUNT, email)
        return UserRow(**row) if row else None

    async def page(self, *, after: str | None, email: str | None, role: str | None, count_max: int) -> list[UserRow]:
        """Accounts in order of their ids, behind the one of id ``after``."""
        rows = await self._database.rows(statements.LIST_USERS, after, email, role, count_max)
        return [UserRow(**row) for row in rows]

    async def deactivate(self, user_id: str) -> UserRow | None:
        """Close the account to everybody, with its sessions and keys. None if it is not active, or the last admin."""
        row = await self._database.row(statements.DEACTIVATE_USER, user_id)
        return UserRow(**row) if row else None

    async def reactivate(self, user_id: str) -> UserRow | None:
        """Let the account be used again. None if there is none that was closed."""
        row = await self._database.row(statements.REACTIVATE_USER, user_id)
        return UserRow(**row) if row else None

    async def change_role(self, user_id: str, role: str) -> UserRow | None:
        """Another role. None if there is no such account of a person with another role, or it is the last admin."""
        row = await self._database.row(statements.CHANGE_ROLE, user_id, role)
        return UserRow(**row) if row else None
