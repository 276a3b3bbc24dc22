"""Which notifications are queued, for which channels."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from uuid import UUID

import asyncpg
import msgspec
import structlog

from schemas.notifications import Notification, decode_notification
from sinks.channels import NO_CHANNELS, Channel, Channels, channels_of, wants
from sinks.delivery.queue import Queued
from sinks.postgres.retry import until_done
from sinks.sealing import Seal

_log = structlog.get_logger(__name__)

_ANY_WEBHOOK = "select exists (select from webhooks)"


class Wanted:
    """Asks the database what people want. Waits while it is away."""

    def __init__(self, pool: asyncpg.Pool, seal: Seal, *, has_email: bool) -> None:
        self._pool = pool
        self._seal = seal
        self._has_email = has_email

    async def queued(self, values: Sequence[bytes]) -> list[Queued]:
        """What is to be queued of these. Where nobody can be told on any channel, they are not looked at."""
        async for attempt in until_done():
            with attempt:
                if not values or not (self._has_email or await self._pool.fetchval(_ANY_WEBHOOK)):
                    return []
                told = _read(values)
                channels = await channels_of(self._pool, {each.user_id for each, _ in told}, self._seal)
        offered: set[Channel] = {"email", "webhook"} if self._has_email else {"webhook"}
        return queued_of(told, channels, offered)


def queued_of(
    told: Sequence[tuple[Notification, bytes]], channels: Mapping[str, Channels], offered: Collection[Channel]
) -> list[Queued]:
    """For each notification the channels that its user wants it on, as far as they are offered."""
    return [
        Queued(UUID(each.transfer_id), each.recipient, channel, UUID(each.user_id), value)
        for each, value in told
        for channel in sorted(wants(channels.get(each.user_id, NO_CHANNELS), each))
        if channel in offered
    ]


def _read(values: Sequence[bytes]) -> list[tuple[Notification, bytes]]:
    """Those that we can tell anybody of; what is nothing of ours is logged."""
    found = []
    for value in values:
        try:
            notification = decode_notification(value)
            UUID(notification.transfer_id), UUID(notification.user_id), Decimal(notification.amount)
        except (msgspec.MsgspecError, ValueError, ArithmeticError) as error:
            _log.error("notification.unreadable", error=type(error).__name__)
        else:
            found.append((notification, value))
    return found
