"""Freezing and closing wallets over HTTP, also while money moves. What workers do about it, test_speculation shows."""

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from live_api import LiveApi, Person
from structlog.testing import capture_logs

PAY = "update wallets set balance = balance + 5, version = version + 1 where wallet_id = $1"
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


@pytest.fixture
async def root(live_api: LiveApi) -> Person:
    return await live_api.person("root", "admin")


@pytest.fixture
async def ada(live_api: LiveApi) -> Person:
    return await live_api.person("ada")


async def change(live_api: LiveApi, wallet: str, action: str, person: Person) -> tuple[int, str]:
    """The status of the answer, and that of the wallet or the code of the problem."""
    answer = await live_api.post(f"/v1/wallets/{wallet}/{action}", None, person)
    return answer.status_code, answer.json().get("code") or answer.json()["status"]


async def test_the_life_of_a_wallet(live_api: LiveApi, ada: Person, root: Person) -> None:
    wallet = await live_api.wallet(ada)
    steps: list[tuple[Person, str, tuple[int, str]]] = [
        (root, "unfreeze", (200, "active")),
        (ada, "freeze", (403, "forbidden")),
        (root, "freeze", (200, "frozen")),
        (root, "freeze", (200, "frozen")),
        (ada, "close", (409, "wallet_frozen")),
        (root, "reopen", (409, "wallet_frozen")),
        (root, "unfreeze", (200, "active")),
        (ada, "close", (200, "closed")),
        (ada, "close", (200, "closed")),
        (root, "freeze", (409, "wallet_closed")),
        (root, "unfreeze", (409, "wallet_closed")),
        (root, "reopen", (200, "active")),
        (root, "freeze", (200, "frozen")),
        (root, "close", (200, "closed")),
    ]
    with capture_logs() as lines:
        for person, action, expected in steps:
            assert await change(live_api, wallet, action, person) == expected, action
    told = [(line["status"], line["by"]) for line in lines if line["event"] == "wallet.status_changed"]
    assert told == [
        (status, by.user_id)
        for status, by in (
            ("frozen", root),
            ("active", root),
            ("closed", ada),
            ("active", root),
            ("frozen", root),
            ("closed", root),
        )
    ]
    again = await live_api.post("/v1/wallets", {"currency": "USD"}, ada)
    assert (again.status_code, again.json()["code"]) == (409, "wallet_exists")
    assert (await live_api.get(f"/v1/wallets/{wallet}/entries", ada)).status_code == 200


async def test_only_ones_own_empty_wallet_is_closed(live_api: LiveApi, ada: Person, root: Person) -> None:
    wallet, bob = await live_api.wallet(ada), await live_api.person("bob")
    assert await change(live_api, wallet, "close", bob) == (404, "wallet_not_found")
    assert await change(live_api, str(uuid4()), "freeze", root) == (404, "wallet_not_found")
    await live_api.connection.execute(PAY, wallet)
    for person in (ada, root):
        assert await change(live_api, wallet, "close", person) == (409, "wallet_not_empty")
    world = await live_api.connection.fetchval("select wallet_id::text from wallets where kind = 'world'")
    assert await change(live_api, world, "close", ada) == (404, "wallet_not_found")
    assert await change(live_api, world, "close", root) == (409, "wallet_not_empty")


async def test_closing_waits_for_money_that_is_coming_in(
    live_api: LiveApi, ada: Person, connection: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    wallet = await live_api.wallet(ada)
    async with pool.acquire() as worker, worker.transaction():
        await worker.execute(PAY, wallet)
        closing = asyncio.create_task(change(live_api, wallet, "close", ada))
        await until_somebody_waits(connection)
    assert await closing == (409, "wallet_not_empty")


async def until_somebody_waits(connection: Any) -> None:
    async with asyncio.timeout(60):
        while not await connection.fetchval(WAITING):  # noqa: ASYNC110 (PostgreSQL)
            await asyncio.sleep(0.02)


async def test_an_analyst_reads_what_is_everybodys_and_moves_nothing(live_api: LiveApi, ada: Person) -> None:
    wallet, analyst = await live_api.wallet(ada), await live_api.person("lyn", "analyst")
    assert (await live_api.get(f"/v1/wallets/{wallet}", analyst)).json()["user_id"] == ada.user_id
    listed = (await live_api.get(f"/v1/wallets?user_id={ada.user_id}", analyst)).json()["data"]
    assert [found["wallet_id"] for found in listed] == [wallet]
    order = {"source_wallet_id": wallet, "destination_wallet_id": str(uuid4()), "amount": "1", "currency": "USD"}
    accepted = await live_api.post("/v1/transfers", order, ada)
    assert (await live_api.get(accepted.headers["location"], analyst)).json()["status"] == "PENDING"
    refused = await live_api.post("/v1/transfers", order, analyst)
    assert refused.json()["detail"] == "The role analyst lacks the right transfers:write."
    assert await change(live_api, wallet, "close", analyst) == (403, "forbidden")
    assert await change(live_api, wallet, "freeze", analyst) == (403, "forbidden")
