"""A whole site that payments are made on: the API as a process that may be killed, a worker, and an admin."""

import contextlib
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from api_calls import PASSWORD, wait_readiness
from workers import running, worker

from ops.admin import ensure_admin
from ops.embedded.ports import free_port
from schemas.settings import Settings
from sinks.kafka.topics import ensure_topics

ADMIN = "admin@example.com"
_API = (sys.executable, "-P", "-m", "ops", "api")


@dataclass
class PaymentSite:
    """Where the API is, and what stands behind it."""

    url: str
    settings: Settings
    folder: Path
    stack: contextlib.AsyncExitStack = field(repr=False)
    api: Process = field(init=False)

    async def start_api(self) -> None:
        """Start it, at the same address each time; return when it is ready."""
        self.api = await self.stack.enter_async_context(running(self.settings, self.folder / "api.log", _API))
        async with httpx2.AsyncClient(base_url=self.url, timeout=30) as client:
            await wait_readiness(client)

    async def kill_api(self) -> None:
        """SIGKILL."""
        self.api.kill()
        await self.api.wait()

    def environment(self) -> dict[str, str]:
        """The variables that `hfts env` prints, for programs that speak to this site."""
        return {
            **os.environ,
            "API_URL": self.url,
            "ADMIN_EMAIL": ADMIN,
            "ADMIN_PASSWORD": PASSWORD,
            "KAFKA_BOOTSTRAP_SERVERS": self.settings.kafka_bootstrap_servers,
            "TOPIC_PREFIX": self.settings.topic_prefix,
        }


@contextlib.asynccontextmanager
async def open_payment_site(settings: Settings, folder: Path) -> AsyncIterator[PaymentSite]:
    """On these settings, whose database is there already; all ends with the block."""
    settings = settings.model_copy(update={"api_port": free_port(())})
    await ensure_topics(settings)
    await ensure_admin(settings, ADMIN, PASSWORD)
    async with contextlib.AsyncExitStack() as stack:
        site = PaymentSite(f"http://127.0.0.1:{settings.api_port}", settings, folder, stack)
        await stack.enter_async_context(worker(settings, folder / "worker.log"))
        await site.start_api()
        yield site
