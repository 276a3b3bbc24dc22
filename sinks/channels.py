"""On which channels each person wants to be told, and of what."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal, Protocol, TypeAlias

import asyncpg
import msgspec
import structlog

from schemas.notifications import Notification
from sinks.postgres.statements import read_statement
from sinks.sealing import BrokenSealError, Seal

Channel: TypeAlias = Literal["email", "webhook"]

SEAL_PURPOSE = "webhook secrets"
"""What the secrets of webhooks are sealed for (`Seal.of(settings, SEAL_PURPOSE)`)."""

_CHANNELS_OF = read_statement(__file__, "channels_of")
_MINIMUMS = msgspec.json.Decoder(dict[str, Decimal])

_log = structlog.get_logger(__name__)


class Webhook(msgspec.Struct, frozen=True):
    """Where to send, and the secrets to sign with: the newest first, then the one before it until that ends."""

    url: str
    secrets: tuple[bytes, ...]

    def __repr__(self) -> str:
        """Without the secrets."""
        return f"Webhook(url={self.url!r})"


class Channels(msgspec.Struct, frozen=True):
    """What somebody has chosen. ``minimums`` are the least amounts to tell of, by currency; they hold for transfers
    that completed. ``failures``: whether to tell of those that failed."""

    email: bool
    webhook: Webhook | None
    failures: bool
    minimums: Mapping[str, Decimal]


NO_CHANNELS = Channels(email=False, webhook=None, failures=False, minimums={})
"""Of who is not told anything: the account is deactivated, or there is none."""


class _Fetches(Protocol):
    """A pool, or a connection."""

    async def fetch(self, query: str, *values: object) -> list[asyncpg.Record]: ...


async def channels_of(database: _Fetches, user_ids: Iterable[str], seal: Seal) -> Mapping[str, Channels]:
    """What each of these has chosen; whoever has not is told by e-mail of everything.

    Raises what asyncpg does. A webhook whose secret cannot be opened is left out, and logged.
    """
    wanted = list(dict.fromkeys(user_ids))
    rows = await database.fetch(_CHANNELS_OF, wanted)
    found = {row["user_id"]: _channels(row, seal) for row in rows}
    return {user_id: found.get(user_id, NO_CHANNELS) for user_id in wanted}


def wants(channels: Channels, notification: Notification) -> frozenset[Channel]:
    """The channels to tell of it on."""
    if notification.status == "FAILED":
        is_wanted = channels.failures
    else:
        is_wanted = Decimal(notification.amount) >= channels.minimums.get(notification.currency, 0)
    if not is_wanted:
        return frozenset()
    chosen: dict[Channel, bool] = {"email": channels.email, "webhook": channels.webhook is not None}
    return frozenset(channel for channel, is_on in chosen.items() if is_on)


def _channels(row: asyncpg.Record, seal: Seal) -> Channels:
    return Channels(
        email=row["email_on"],
        webhook=None if row["url"] is None else _webhook(row, seal),
        failures=row["failures_on"],
        minimums=_MINIMUMS.decode(row["minimums"]),
    )


def _webhook(row: asyncpg.Record, seal: Seal) -> Webhook | None:
    user_id = row["user_id"]
    try:
        newest = seal.open(row["secret_sealed"], user_id)
    except BrokenSealError as error:
        _log.error("webhook.unsealable", user_id=user_id, error=str(error))
        return None
    previous = row["previous_secret_sealed"]
    if previous is None:
        return Webhook(row["url"], (newest,))
    try:
        return Webhook(row["url"], (newest, seal.open(previous, user_id)))
    except BrokenSealError:  # it ends within a day anyway
        return Webhook(row["url"], (newest,))
