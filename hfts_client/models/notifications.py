"""How one is told of transfers, and what was told."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from hfts_client.models.answered import Answered


class NotificationPreferences(Answered, frozen=True, kw_only=True):
    """How one is told of transfers. ``minimums``: by currency, the least amount of a completed one to be told of."""

    email: bool
    webhook: bool
    failures: bool
    minimums: dict[str, Decimal]
    updated_at: datetime | None


class Webhook(Answered, frozen=True, kw_only=True):
    """Where notifications are sent to. ``previous_secret_until``: as long the secret before the last signs, too."""

    url: str
    previous_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime


class NewWebhookSecret(Webhook, frozen=True, kw_only=True):
    """A webhook and its new ``secret``, which is in no ``repr``; None where it keeps the one it has."""

    secret: str | None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(url={self.url!r})"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A notification on one channel. ``status`` is pending, delivered or failed."""

    transfer_id: UUID
    recipient: str
    channel: str
    status: str
    attempts: int
    digest_id: UUID | None
    last_error: str | None
    created_at: datetime
    tried_at: datetime | None
    next_try_at: datetime | None


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of deliveries, the newest first."""

    data: list[Delivery]
    has_more: bool
    next_cursor: str | None
