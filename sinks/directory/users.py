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
    """What a login is checked against."""

    user_id: str
    password_hash: str
    status: str
    role: str


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
