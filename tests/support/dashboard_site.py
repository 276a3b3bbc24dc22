"""A whole site for the browser's tests: the API as a process, accounts, and workers that come and go."""

import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx2
from api_calls import PASSWORD, wait_readiness
from payments import funded_fleet
from workers import running, stop, wait_settled, worker

from ops.admin import ensure_admin
from ops.embedded.ports import free_port
from ops.load.wallets import Fleet
from schemas.settings import Settings
from sinks.kafka.topics import ensure_topics
from sinks.postgres.pool import connect

OPERATOR = "ops@example.com"
PLAIN_USER = "ada@example.com"
AGENTS = ("transfers", "notifications", "audit", "deliveries")

WORKER = """
insert into workers values ('w1', '{transfers,notifications,audit,deliveries}', 'ledger-1', 4711, '0.1.0',
    now() - interval '3 hours', now() + interval '1 hour', 141557760,
    '{"transfers": [0, 1, 2], "notifications": [0, 1, 2], "audit": [0, 1, 2], "deliveries": [0, 1, 2]}',
    '{"applied": 9007199254740993, "failed": 12, "dead_letters": 3, "version_conflicts": 4, "rebalances": 1}')
"""


@dataclass
class Site:
    """Where the page is, and what stands behind it."""

    url: str
    settings: Settings
    connection: asyncpg.Connection
    folder: Path
    fleet: Fleet

    @contextlib.asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        """A worker runs, and has done all there was to do at the end of the block; then it is killed."""
        async with worker(self.settings, self.folder / "worker.log") as process:
            yield
            await wait_settled(self.settings, AGENTS, process)


@contextlib.asynccontextmanager
async def open_site(settings: Settings, folder: Path) -> AsyncIterator[Site]:
    """The API and the accounts, on a database and topics of their own; and wallets with money in them."""
    settings = settings.model_copy(update={"api_port": free_port(()), "login_failures_max": 40})
    url = f"http://127.0.0.1:{settings.api_port}"
    await ensure_topics(settings)
    await ensure_admin(settings, OPERATOR, PASSWORD, "ops")
    async with contextlib.AsyncExitStack() as stack:
        connection = await connect(settings)
        stack.push_async_callback(connection.close)
        command = [sys.executable, "-P", "-m", "ops", "api"]
        await stack.enter_async_context(running(settings, folder / "api.log", command))
        first = await stack.enter_async_context(worker(settings, folder / "worker.log"))
        async with httpx2.AsyncClient(base_url=url, timeout=30) as client:
            await wait_readiness(client)
            account = {"email": PLAIN_USER, "password": PASSWORD}
            assert (await client.post("/v1/users", json=account)).status_code == 201
        await connection.execute(WORKER)
        fleet = await funded_fleet(settings, connection, 12)
        await wait_settled(settings, AGENTS, first)
        await stop(first)
        yield Site(url, settings, connection, folder, fleet)
