"""Notifications that are to be delivered, and the queue as a test looks at it."""

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
from builders import REQUESTED_AT, new_id

from schemas.notifications import Notification, encode_notification
from sinks.channels import Channel
from sinks.delivery.queue import Message, Queued, enqueue
from sinks.delivery.tries import ACCEPTED, Verdict
from streams.deliverer import Lane


def a_notification(**changes: Any) -> Notification:
    """Of a transfer that completed, to its sender."""
    fields: dict[str, Any] = {
        "transfer_id": new_id(),
        "recipient": "sender",
        "user_id": new_id(),
        "wallet_id": new_id(),
        "email": "anna@example.com",
        "status": "COMPLETED",
        "reason": None,
        "amount": "1.0000",
        "currency": "USD",
        "reference": None,
        "completed_at": REQUESTED_AT,
    }
    return Notification(**(fields | changes))


def queued(notification: Notification, channel: Channel = "email") -> Queued:
    """As it is queued for a channel."""
    return Queued(
        UUID(notification.transfer_id),
        notification.recipient,
        channel,
        UUID(notification.user_id),
        encode_notification(notification),
    )


async def put(connection: asyncpg.Connection, *notifications: Notification, channel: Channel = "email") -> None:
    """Queue them."""
    async with connection.transaction():
        await enqueue(connection, [queued(each, channel) for each in notifications])


async def make_due(connection: asyncpg.Connection) -> None:
    """As if all pauses, leases and windows were over."""
    await connection.execute("update deliveries set due_at = now() - interval '1 second' where status = 'pending'")


async def states(connection: asyncpg.Connection) -> dict[str, int]:
    """How many deliveries there are of each status."""
    rows = await connection.fetch("select status, count(*) from deliveries group by status")
    return dict(map(tuple, rows))


class Told:
    """A channel that keeps what it is given, and answers as a test says."""

    def __init__(self, verdict: Verdict = ACCEPTED) -> None:
        self.verdict = verdict
        self.messages: list[Message] = []

    async def send(self, message: Message) -> Verdict:
        self.messages.append(message)
        await asyncio.sleep(0)
        return self.verdict

    async def close(self) -> None:
        """It has nothing open."""


async def work_off(*lanes: Lane) -> None:
    """Until nothing is due any more."""
    while any(await asyncio.gather(*(lane.take() for lane in lanes))):
        await asyncio.gather(*(lane.idle() for lane in lanes))
