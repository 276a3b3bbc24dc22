"""The queue of what is to be told, in PostgreSQL, shared by all processes that deliver.

A delivery is queued in the transaction that moves the offset of its topic: once. It is taken in a transaction that
counts its try and names a time until which it is ours; what became of it is noted afterwards, unless that time is over
and somebody else has begun.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from sinks.channels import Channel
from sinks.delivery.message_ids import message_id
from sinks.delivery.shares import Delivery, Shares, Window, digest_id, room_wanted, share_out
from sinks.delivery.tries import CUT_OFF, LEASE_S, TRIES_MAX, Step
from sinks.postgres.pool import Connection
from sinks.postgres.retry import until_done
from sinks.postgres.statements import read_statement

WINDOW: Final = timedelta(hours=1)
"""Of the bound on each person's e-mails."""

DIGEST_ROWS_MAX = 10_000
"""Transfers that one digest tells, so that the memory for it stays bounded. There is another one for more."""

PRUNED_AT_ONCE = 1_000
DEAD_LETTERS_KEPT: Final = timedelta(days=30)

_POSTPONED_BY: Final = timedelta(seconds=5)
_LEASE: Final = timedelta(seconds=LEASE_S)

_read = partial(read_statement, __file__)
_ENQUEUE = _read("enqueue")
_PICK = _read("pick")
_TAKE_ROOM = _read("take_room")
_BEGIN_TRIES = _read("begin_tries")
_POSTPONE = _read("postpone")
_PUT_IN_DIGEST = _read("put_in_digest")
_END_TRIES = _read("end_tries")
_GIVE_UP = _read("give_up")
_GIVE_UP_DIGEST = _read("give_up_digest")
_DUE_DIGEST = _read("due_digest")
_LOCK_DIGEST = _read("lock_digest")
_BEGIN_DIGEST = _read("begin_digest")
_PRUNE = _read("prune")
_PRUNE_WINDOWS = _read("prune_windows")
_LAG = _read("lag")


class Queued(msgspec.Struct, frozen=True):
    """A notification for one channel."""

    transfer_id: UUID
    recipient: str
    channel: Channel
    user_id: UUID
    notification: bytes


class Message(msgspec.Struct, frozen=True):
    """What goes out at once to one user: a delivery, or all of a digest. It is ours since ``tried_at``, for its
    ``tries``-th try."""

    channel: Channel
    deliveries: tuple[Delivery, ...]
    tries: int
    tried_at: datetime

    @property
    def user_id(self) -> UUID:
        """Who is told."""
        return self.deliveries[0].user_id

    @property
    def message_id(self) -> UUID:
        """The same whenever the same is told."""
        return message_id([(each.transfer_id, each.recipient) for each in self.deliveries], self.channel)


class Taken(msgspec.Struct, frozen=True):
    """What was taken from the queue, and how many deliveries were looked at for it."""

    messages: Sequence[Message]
    looked_at: int
    digested: int = 0
    given_up: int = 0


async def enqueue(connection: Connection, queued: Sequence[Queued]) -> None:
    """Add what is not there yet, in a transaction of the caller's."""
    await connection.execute(
        _ENQUEUE,
        [each.transfer_id for each in queued],
        [each.recipient for each in queued],
        [each.channel for each in queued],
        [each.user_id for each in queued],
        [each.notification for each in queued],
    )


class Queue:
    """Rows of ``deliveries``. Every method waits while the database is away."""

    def __init__(self, pool: asyncpg.Pool, *, emails_per_hour: int, results_kept_s: float) -> None:
        self._pool = pool
        self._emails_per_hour = emails_per_hour
        self._results_kept = timedelta(seconds=results_kept_s)

    async def take(self, channel: Channel, count: int, in_hand: Mapping[UUID, int]) -> Taken:
        """Begin a try of up to ``count`` deliveries that are due; ``in_hand``: how many of each user we have begun."""
        async for attempt in until_done():
            with attempt:
                async with self._pool.acquire() as connection, connection.transaction():
                    rows = await connection.fetch(_PICK, channel, count)
                    due = [_delivery(row) for row in rows]
                    windows = await self._windows(connection, due, in_hand) if channel == "email" else {}
                    shares = share_out(due, in_hand, windows)
                    tried_at = await _settle(connection, channel, shares)
        messages = [Message(channel, (each,), each.tries + 1, tried_at) for each in shares.go]
        return Taken(messages, len(due), len(shares.digested), len(shares.cut_off))

    async def take_digest(self) -> Taken:
        """Begin a try of a digest that is due, if there is one: all of it that one message holds."""
        async for attempt in until_done():
            with attempt:
                async with self._pool.acquire() as connection, connection.transaction():
                    found = await connection.fetchval(_DUE_DIGEST)
                    if found is None or not await connection.fetchval(_LOCK_DIGEST, found):
                        return Taken([], 0)  # nothing is due, or somebody else is at it
                    given_up = _count(await connection.execute(_GIVE_UP_DIGEST, found, TRIES_MAX, CUT_OFF))
                    rows = await connection.fetch(_BEGIN_DIGEST, found, _LEASE, DIGEST_ROWS_MAX)
        told = tuple(_delivery(row) for row in rows)
        tries = 1 + max((each.tries for each in told), default=0)
        messages = [Message("email", told, tries, rows[0]["tried_at"])] if told else []
        return Taken(messages, len(told) + given_up, given_up=given_up)

    async def note(self, message: Message, step: Step) -> None:
        """Write down what became of a try. No effect where another one has begun since."""
        await self._execute(
            _END_TRIES,
            *_keys(message.deliveries),
            message.channel,
            message.tried_at,
            step.status,
            timedelta(seconds=step.pause_s),
            step.why,
        )

    async def prune(self) -> None:
        """Delete what is no longer kept, a little at a time."""
        for status, kept in (("delivered", self._results_kept), ("failed", DEAD_LETTERS_KEPT)):
            while await self._execute(_PRUNE, status, kept, PRUNED_AT_ONCE) == PRUNED_AT_ONCE:
                pass
        while await self._execute(_PRUNE_WINDOWS, WINDOW, PRUNED_AT_ONCE) == PRUNED_AT_ONCE:
            pass

    async def lag_s(self, channel: Channel) -> float:
        """For how long the oldest delivery that is due has waited, in seconds; 0 where none is."""
        async for attempt in until_done():
            with attempt:
                found = await self._pool.fetchval(_LAG, channel)
        return found or 0.0

    async def _windows(
        self, connection: Connection, due: Sequence[Delivery], in_hand: Mapping[UUID, int]
    ) -> Mapping[UUID, Window]:
        wanted = room_wanted(due, in_hand)
        if not wanted:
            return {}
        rows = await connection.fetch(_TAKE_ROOM, list(wanted), list(wanted.values()), WINDOW)
        return {
            row["user_id"]: Window(
                row["started_at"],
                row["ends_at"],
                max(0, self._emails_per_hour - (row["taken"] - wanted[row["user_id"]])),
            )
            for row in rows
        }

    async def _execute(self, sql: str, *values: object) -> int:
        """How many rows it concerned."""
        async for attempt in until_done():
            with attempt:
                done: str = await self._pool.execute(sql, *values)
        return _count(done)


async def _settle(connection: Connection, channel: Channel, shares: Shares) -> datetime:
    """Write down what was decided; the time since which what goes is ours."""
    if shares.cut_off:
        await connection.execute(_GIVE_UP, *_keys(shares.cut_off), channel, CUT_OFF)
    if shares.postponed:
        await connection.execute(_POSTPONE, *_keys(shares.postponed), channel, _POSTPONED_BY)
    if shares.digested:
        await connection.execute(
            _PUT_IN_DIGEST,
            *_keys([delivery for delivery, _ in shares.digested]),
            channel,
            [digest_id(delivery.user_id, window) for delivery, window in shares.digested],
            [window.ends_at for _, window in shares.digested],
        )
    if shares.go:
        await connection.execute(_BEGIN_TRIES, *_keys(shares.go), channel, _LEASE)
    tried_at: datetime = await connection.fetchval("select now()")  # of this transaction
    return tried_at


def _count(done: str) -> int:
    """Of the rows that a statement concerned, by PostgreSQL's word when it is done, such as ``UPDATE 3``."""
    return int(done.rpartition(" ")[2])


def _keys(deliveries: Sequence[Delivery]) -> tuple[list[UUID], list[str]]:
    return [each.transfer_id for each in deliveries], [each.recipient for each in deliveries]


def _delivery(row: asyncpg.Record) -> Delivery:
    return Delivery(row["transfer_id"], row["recipient"], row["user_id"], row["attempts"], row["notification"])
