"""The HTTP API as a process of ours, and an admin's token for it."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from pydantic import SecretStr

from bench.contest import Place
from bench.ours.processes import READY_S_MAX, Running, start
from ops.admin import ensure_admin
from ops.embedded.http_probe import answers_ok
from ops.embedded.ports import free_port
from ops.load.access import ApiAccess
from ops.load.http_sender import api_client

POLL_INTERVAL_S = 0.1
ADMIN_EMAIL = "bench@example.com"


@dataclass(frozen=True, slots=True)
class Api:
    """Where it answers, how to get in, and its process."""

    access: ApiAccess
    token: str
    process: Running

    def url(self, path: str) -> str:
        """An address on it."""
        return self.access.api_url + path


@asynccontextmanager
async def running_api(place: Place) -> AsyncIterator[Api]:
    """``hfts api`` on a free port, ready. Raises RuntimeError when it does not get ready within a minute."""
    settings = place.settings.model_copy(update={"api_host": "127.0.0.1", "api_port": free_port(())})
    password = secrets.token_urlsafe(16)
    await ensure_admin(settings, ADMIN_EMAIL, password)
    process = start(replace(place, settings=settings), "api", "api")
    try:
        async with asyncio.timeout(READY_S_MAX):
            while not await answers_ok(settings.api_host, settings.api_port, "/readyz"):
                process.check()
                await asyncio.sleep(POLL_INTERVAL_S)
        url = f"http://{settings.api_host}:{settings.api_port}"
        access = ApiAccess(_env_file=None, api_url=url, admin_email=ADMIN_EMAIL, admin_password=SecretStr(password))
        async with api_client(access) as client:
            token = client.admin.token
        yield Api(access, token, process)
    except TimeoutError:
        raise RuntimeError(f"the API did not get ready in {READY_S_MAX:.0f} s") from None
    finally:
        await process.end()
