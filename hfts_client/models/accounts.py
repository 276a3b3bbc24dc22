"""Accounts and API keys."""

from datetime import datetime
from uuid import UUID

import msgspec

from hfts_client.models.answered import Answered


class User(Answered, frozen=True, kw_only=True):
    """An account."""

    user_id: UUID
    email: str
    status: str
    role: str
    created_at: datetime
    updated_at: datetime


class NewApiKey(Answered, frozen=True, kw_only=True):
    """An API key. ``key`` is to be sent as a token; it is in no ``repr``."""

    key_id: UUID
    user_id: UUID
    name: str
    scopes: list[str]
    key: str
    created_at: datetime
    expires_at: datetime | None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(key_id={self.key_id!r}, name={self.name!r}, scopes={self.scopes!r})"


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key without its secret. ``last_used_at`` is told to a quarter of an hour."""

    key_id: UUID
    user_id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class ApiKeyList(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of an account, the newest first."""

    data: list[ApiKey]
