import asyncio
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
from aiokafka.errors import OutOfOrderSequenceNumber
from live_api import LiveApi, app_client

from ingest_api.tokens import AccessTokens
from schemas.settings import Settings
from sinks.directory import database
from sinks.directory.database import Database
from sinks.errors import BrokerAwayError
from sinks.kafka import requests
from sinks.kafka.requests import RequestPublisher
from sinks.kafka.topics import ensure_topics

CLOSED_PORT = 9  # "discard": nothing listens there


def headers(settings: Settings, user_id: str) -> dict[str, str]:
    token = AccessTokens(settings.secret_key.get_secret_value(), 60).issue(user_id, "user")
    return {"Authorization": f"Bearer {token}"}


async def eventually(client: httpx2.AsyncClient, path: str, status: int) -> Any:
    async with asyncio.timeout(30):
        while (answer := await client.get(path)).status_code != status:  # noqa: ASYNC110 (servers tell nobody)
            await asyncio.sleep(0.05)
    return answer


async def test_ready_on_whole_servers(live_api: LiveApi) -> None:
    answer = await eventually(live_api.client, "/readyz", 200)
    assert answer.json() == {"status": "ready"}


async def test_without_the_broker(
    settings: Settings, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "CONFIRM_TIMEOUT_S", 0.3)
    away = settings.model_copy(update={"kafka_bootstrap_servers": f"127.0.0.1:{CLOSED_PORT}"})
    user_id = await connection.fetchval("insert into users (email, password_hash) values ('a', 'b') returning user_id")
    wallet_id = await connection.fetchval(
        "insert into wallets (user_id, currency) values ($1, 'USD') returning wallet_id", user_id
    )
    body = {
        "source_wallet_id": str(wallet_id),
        "destination_wallet_id": str(uuid4()),
        "amount": "1",
        "currency": "USD",
    }
    async with app_client(away) as (_, client):
        answer = await client.post("/v1/transfers", json=body, headers=headers(settings, str(user_id)))
        assert (answer.status_code, answer.json()["code"]) == (503, "broker_unavailable")
        assert answer.headers["retry-after"] == "1"
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["code"]) == (503, "broker_unavailable")
        assert [error["field"] for error in ready.json()["errors"]] == ["broker"]
        assert (await client.get("/healthz")).status_code == 200


async def test_without_the_database(settings: Settings) -> None:
    away = settings.model_copy(update={"postgres_port": CLOSED_PORT})
    user_id = str(uuid4())
    async with app_client(away) as (_, client):
        for path in ("/v1/me", "/v1/wallets", f"/v1/wallets/{uuid4()}", f"/v1/transfers/{uuid4()}"):
            answer = await client.get(path, headers=headers(settings, user_id))
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
            assert answer.headers["retry-after"] == "1"
        form = {"username": "a@example.com", "password": "long enough"}
        assert (await client.post("/v1/auth/token", data=form)).status_code == 503
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["code"]) == (503, "database_unavailable")
        assert (await client.get("/healthz")).status_code == 200


async def test_once_the_owner_is_known_the_database_may_go(live_api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = await live_api.person("ada")
    body = {
        "source_wallet_id": await live_api.wallet(ada),
        "destination_wallet_id": str(uuid4()),
        "amount": "1",
        "currency": "USD",
    }
    assert (await live_api.post("/v1/transfers", body, ada)).status_code == 202

    async def no_statement(*_: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(Database, "rows", no_statement)
    assert (await live_api.post("/v1/transfers", body, ada)).status_code == 202


async def test_a_database_without_migrations_is_not_ready(settings: Settings, connection: asyncpg.Connection) -> None:
    await connection.execute("drop table schema_migrations")
    async with app_client(settings) as (_, client):
        async with asyncio.timeout(30):
            while "0001_ledger" not in (answer := await client.get("/readyz")).text:
                assert answer.status_code == 503


async def test_topics_that_are_made_later(database_settings: Settings) -> None:
    async with app_client(database_settings) as (_, client):
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "broker_unavailable")
        assert await ensure_topics(database_settings)
        await eventually(client, "/readyz", 200)


async def test_a_database_that_comes_back(live_api: LiveApi) -> None:
    ada = await live_api.person("ada")
    assert (await live_api.get("/v1/me", ada)).status_code == 200
    await live_api.connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
        " and datname = current_database()"
    )
    async with asyncio.timeout(30):
        while (answer := await live_api.get("/v1/me", ada)).status_code != 200:
            assert answer.json()["code"] == "database_unavailable"


async def test_a_producer_that_died_is_replaced(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = RequestPublisher(settings)
    await publisher.start()
    try:
        first = await publisher.publish(b"key", b"1")
        dead = publisher._producer

        async def fail(*_: object, **__: object) -> None:
            raise OutOfOrderSequenceNumber

        monkeypatch.setattr(dead, "send_batch", fail)
        with pytest.raises(BrokerAwayError):
            await publisher.publish(b"key", b"2")
        second = await publisher.publish(b"key", b"3")
        assert (second.partition, second.offset) == (first.partition, first.offset + 1)
        assert publisher._producer is not dead
    finally:
        await publisher.stop()


async def test_no_more_than_a_bounded_number_wait(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "PENDING_MAX", 1)
    publisher = RequestPublisher(settings)
    waiting = asyncio.create_task(publisher.publish(b"key", b"1"))
    await asyncio.sleep(0)
    with pytest.raises(BrokerAwayError):
        await publisher.publish(b"key", b"2")
    await publisher.start()
    assert (await waiting).offset == 0
    await publisher.stop()


async def test_a_database_that_is_busy(live_api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gets no connection in time is told to come back, and waits in a bounded queue until then."""
    monkeypatch.setattr(database, "ACQUIRE_TIMEOUT_S", 0.1)
    ada = await live_api.person("ada")
    pool = live_api.app.state.services.users._database._pool
    async with AsyncExitStack() as taken:
        for _ in range(database.CONNECTIONS_MAX):
            await taken.enter_async_context(pool.acquire())
        answers = await asyncio.gather(*(live_api.get("/v1/me", ada) for _ in range(20)))
        assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(503, "database_unavailable")}
        assert {answer.headers["retry-after"] for answer in answers} == {"1"}
    assert (await live_api.get("/v1/me", ada)).status_code == 200


async def test_a_statement_that_takes_too_long(live_api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "STATEMENT_TIMEOUT_S", 0.1)
    ada = await live_api.person("ada")
    async with live_api.connection.transaction():
        await live_api.connection.execute("lock table users in access exclusive mode")
        answer = await live_api.get("/v1/me", ada)
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert (await live_api.get("/v1/me", ada)).status_code == 200
