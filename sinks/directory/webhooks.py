"""Webhooks, as their owners set them. Their secrets come in here, and go out to who delivers, by `sinks.channels`."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sinks.directory import statements
from sinks.directory.database import Database
from sinks.sealing import Seal

PREVIOUS_SECRET_LIFE = timedelta(hours=24)
"""How long a secret signs on beside the one that has taken its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRow:
    """A webhook without its secrets."""

    url: str
    previous_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime


class Webhooks:
    """The table of them, one for an account. Every method raises DatabaseAwayError."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    async def find(self, user_id: str) -> WebhookRow | None:
        """The account's webhook."""
        row = await self._database.row(statements.FIND_WEBHOOK, user_id)
        return WebhookRow(**row) if row else None

    async def put(self, user_id: str, url: str, secret: bytes) -> tuple[WebhookRow, bool]:
        """The webhook at this URL, and whether it is a new one: then it has this secret, else it keeps its own."""
        sealed = self._seal.close(secret, user_id)
        [row] = await self._database.rows(statements.PUT_WEBHOOK, user_id, url, sealed)
        values = dict(row)
        is_new = values.pop("is_new")
        return WebhookRow(**values), is_new

    async def rotate(self, user_id: str, secret: bytes) -> WebhookRow | None:
        """Let another secret sign, and the present one beside it for a while. None if there is no webhook."""
        sealed = self._seal.close(secret, user_id)
        row = await self._database.row(statements.ROTATE_WEBHOOK_SECRET, user_id, sealed, PREVIOUS_SECRET_LIFE)
        return WebhookRow(**row) if row else None

    async def delete(self, user_id: str) -> bool:
        """Forget the webhook with its secrets. False if there is none."""
        return await self._database.row(statements.DELETE_WEBHOOK, user_id) is not None
