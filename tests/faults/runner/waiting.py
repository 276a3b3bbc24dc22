"""Waiting until what was started is ready, and until what was sent has come to rest."""

import asyncio
import time

import asyncpg
from aiokafka.errors import KafkaError

from ops.embedded.http_probe import answers_ok
from ops.load.settling import wait_settled
from schemas.settings import Settings
from sinks.postgres.pool import connect
from tests.faults.runner.book import Book
from tests.faults.runner.scene import Scene
from tests.faults.runner.watch import Arrivals

READY_TIMEOUT_S = 120.0
SETTLE_TIMEOUT_S = 240.0
GIVEN_BACK_S_MAX = 60.0

_HELD = """
select count(*) from transfers as t
where t.expires_at is not null and t.status = 'COMPLETED' and t.amount > (
    select coalesce(sum(c.amount), 0) from transfers as c where c.parent_id = t.transfer_id and c.status = 'COMPLETED'
)
"""


async def wait_for_apis(scene: Scene) -> None:
    """Return when all are ready."""
    async with asyncio.timeout(READY_TIMEOUT_S):
        for port in scene.api_ports.values():
            while not await answers_ok(scene.settings.api_host, port, "/readyz"):  # noqa: ASYNC110 (it is another process that gets on)
                await asyncio.sleep(0.1)


async def wait_until_told(book: Book, arrivals: Arrivals) -> None:
    """Return when every acknowledged transfer has an outcome, or a minute after the last came."""
    missing, moved_s = -1, time.monotonic()
    while missing and time.monotonic() - moved_s < READY_TIMEOUT_S / 2:
        before, missing = missing, len(book.acknowledged_s.keys() - arrivals.first_s.keys())
        if missing != before:
            moved_s = time.monotonic()
        await asyncio.sleep(0.1)


async def settle(settings: Settings) -> None:
    """Wait until no group has any lag, whatever the servers still have to mend."""
    end_s = time.monotonic() + SETTLE_TIMEOUT_S
    while True:
        try:
            return await wait_settled(settings, timeout_s=max(1.0, end_s - time.monotonic()))
        except (KafkaError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            if time.monotonic() > end_s:
                raise
            await asyncio.sleep(0.5)


async def wait_until_given_back(settings: Settings) -> None:
    """Return when all that was held up to a time is drawn or given back and told of; or when that takes too long."""
    connection = await connect(settings)
    try:
        end_s = time.monotonic() + GIVEN_BACK_S_MAX
        while await connection.fetchval(_HELD) and time.monotonic() < end_s:  # noqa: ASYNC110 (it is another process that gets on)
            await asyncio.sleep(0.1)
    finally:
        await connection.close()
    await settle(settings)
