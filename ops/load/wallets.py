"""Wallets to send between: made straight in the database, but their money always comes through the topic."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import uuid4

from ops.lag.reader import applied_offsets
from ops.load.kafka_sender import KafkaSender
from ops.load.requests import make_request
from schemas.settings import Settings
from sinks.directory.statements import WORLD_WALLET
from sinks.postgres.pool import Connection

POLL_INTERVAL_S = 0.1
STALLED_S_MAX = 60.0

# Nobody can log in: no password has this hash.
_CREATE = """
with made as (
    insert into users (email, password_hash)
    select 'load-' || $2 || '-' || number || '@example.com', '!' from generate_series(1, $1) as number
    returning user_id
)
insert into wallets (user_id, currency) select user_id, $3 from made returning wallet_id::text
"""


class StalledError(Exception):
    """No worker moved for a minute; the message says what was waited for."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """User wallets of one currency, and the world wallet their money comes from."""

    wallets: list[str]
    world: str
    currency: str


async def create_fleet(database: Connection, count: int, currency: str) -> Fleet:
    """Make that many users with an empty wallet each."""
    rows = await database.fetch(_CREATE, count, uuid4().hex[:12], currency)
    return Fleet([row["wallet_id"] for row in rows], await world_wallet(database, currency), currency)


async def world_wallet(database: Connection, currency: str) -> str:
    """The currency's world wallet, made where it is missing."""
    for _ in range(3):  # another connection may be making it
        found: str | None = await database.fetchval(WORLD_WALLET, currency)
        if found is not None:
            return found
    raise AssertionError("a world wallet that another connection made stays invisible")


async def fund(sender: KafkaSender, database: Connection, settings: Settings, fleet: Fleet, units: int) -> int:
    """Give each wallet ``units`` out of the world wallet, through the topic; return the number of transfers made.

    Waits until they are applied, since a payment may overtake its payer's deposit on another partition.
    """
    records = (
        (key.encode(), value)
        for _, key, value in (make_request(fleet.world, wallet, units, fleet.currency) for wallet in fleet.wallets)
    )
    sent = await sender.send_batches(records)
    await wait_applied(database, settings, sent.ends)
    return sent.records


async def wait_applied(database: Connection, settings: Settings, ends: Mapping[int, int]) -> None:
    """Wait until each partition is applied up to its end. Raises StalledError after a minute without progress."""
    loop = asyncio.get_running_loop()
    before, moved_s = -1, loop.time()
    while True:  # ends when all is applied, or nothing has moved for a minute
        applied = await applied_offsets(database, settings)
        missing = behind(applied, ends.items())
        if missing == 0:
            return
        if missing != before:
            before, moved_s = missing, loop.time()
        if loop.time() - moved_s > STALLED_S_MAX:
            raise StalledError(f"{missing:,} requests have not moved for {STALLED_S_MAX:.0f} s. Is a worker running?")
        await asyncio.sleep(POLL_INTERVAL_S)


def behind(applied: Mapping[int, int], ends: Iterable[tuple[int, int]]) -> int:
    """How many offsets lie between what is applied and the ends."""
    return sum(max(0, end - applied.get(partition, 0)) for partition, end in ends)
