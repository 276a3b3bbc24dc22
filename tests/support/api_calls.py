"""Calls to an API over HTTP that many tests need, wherever it runs."""

import asyncio
from typing import Any

import httpx2

PASSWORD = "correct horse battery"
READY_TIMEOUT_S = 120.0


async def readiness(client: httpx2.AsyncClient) -> int:
    """The status that `/readyz` answers with; 0 while nothing listens."""
    try:
        return (await client.get("/readyz")).status_code
    except httpx2.TransportError:
        return 0


async def wait_readiness(client: httpx2.AsyncClient, status: int = 200) -> None:
    """Wait until `/readyz` answers so. Raises TimeoutError."""
    async with asyncio.timeout(READY_TIMEOUT_S):
        while await readiness(client) != status:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.05)


async def ask_token(client: httpx2.AsyncClient, email: str, password: str = PASSWORD) -> Any:
    """The answer to a log-in, whatever it is."""
    form = {"grant_type": "password", "username": email, "password": password}
    return await client.post("/v1/auth/token", data=form)


def bearer(granted: Any) -> dict[str, str]:
    """The header with the access token that was granted."""
    return {"Authorization": f"Bearer {granted.json()['access_token']}"}


async def log_in(client: httpx2.AsyncClient, email: str, password: str = PASSWORD) -> dict[str, str]:
    """The headers of one who has logged in."""
    granted = await ask_token(client, email, password)
    assert granted.status_code == 200, granted.text
    return bearer(granted)
