"""Calls to an API over HTTP that many tests need, wherever it runs."""

import asyncio
from typing import Any

import httpx2

PASSWORD = "correct horse battery"
READY_TIMEOUT_S = 120.0
OUTCOME_TIMEOUT_S = 120.0


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


async def wait_outcome(client: httpx2.AsyncClient, accepted: httpx2.Response, headers: dict[str, str]) -> Any:
    """What became of a transfer that was accepted. Raises TimeoutError."""
    assert accepted.status_code == 202, accepted.text
    async with asyncio.timeout(OUTCOME_TIMEOUT_S):
        while True:
            found = (await client.get(accepted.headers["Location"], headers=headers)).json()
            if found["status"] != "PENDING":
                return found
            await asyncio.sleep(0.05)


async def deposit_and_pay(client: httpx2.AsyncClient, admin: dict[str, str]) -> Any:
    """An admin deposits 10 USD to Ada, who pays 4 to Bob: both new here. What became of the payment."""
    people = []
    for name in ("ada", "bob"):
        account = {"email": f"{name}@example.com", "password": PASSWORD}
        assert (await client.post("/v1/users", json=account)).status_code == 201
        headers = await log_in(client, account["email"])
        wallet = await client.post("/v1/wallets", json={"currency": "USD"}, headers=headers)
        people.append((headers, wallet.json()["wallet_id"]))
    (ada, from_wallet), (_, to_wallet) = people
    money = {"wallet_id": from_wallet, "amount": "10", "currency": "USD"}
    deposit = await client.post("/v1/deposits", json=money, headers=admin)
    assert (await wait_outcome(client, deposit, admin))["status"] == "COMPLETED"
    order = {"source_wallet_id": from_wallet, "destination_wallet_id": to_wallet, "amount": "4", "currency": "USD"}
    return await wait_outcome(client, await client.post("/v1/transfers", json=order, headers=ada), ada)
