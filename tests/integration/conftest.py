"""The API in this process, on the embedded servers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx2
import pytest
from fastapi import FastAPI

from ingest_api.app import create_app
from schemas.settings import Settings

PASSWORD = "correct horse battery"


@dataclass
class Person:
    """An account that has logged in."""

    user_id: str
    email: str
    headers: dict[str, str]


@dataclass
class LiveApi:
    """A client of the app, and a connection to its database."""

    app: FastAPI
    client: httpx2.AsyncClient
    connection: asyncpg.Connection
    settings: Settings
    people: dict[str, Person] = field(default_factory=dict)

    async def person(self, name: str, role: str = "user") -> Person:
        """The account of this name, made where it is missing; without hashing a password, which takes its time."""
        if name not in self.people:
            email = f"{name}@example.com"
            insert = "insert into users (email, password_hash, role) values ($1, 'none', $2) returning user_id::text"
            user_id = await self.connection.fetchval(insert, email, role)
            token = self.app.state.services.tokens.issue(user_id, role)
            self.people[name] = Person(user_id, email, {"Authorization": f"Bearer {token}"})
        return self.people[name]

    async def registered(self, name: str) -> Person:
        """A new account, made and logged in to over HTTP."""
        email = f"{name}@example.com"
        created = await self.client.post("/v1/users", json={"email": email, "password": PASSWORD})
        assert created.status_code == 201, created.text
        login = await self.client.post("/v1/auth/token", data={"username": email, "password": PASSWORD})
        assert login.status_code == 200, login.text
        headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
        return Person(created.json()["user_id"], email, headers)

    async def wallet(self, person: Person, currency: str = "USD") -> str:
        """A new wallet of theirs."""
        created = await self.client.post("/v1/wallets", json={"currency": currency}, headers=person.headers)
        assert created.status_code == 201, created.text
        return str(created.json()["wallet_id"])

    async def get(self, path: str, person: Person | None = None) -> Any:
        return await self.client.get(path, headers=person.headers if person else {})

    async def post(self, path: str, body: Any, person: Person | None = None, **headers: str) -> Any:
        return await self.client.post(path, json=body, headers={**(person.headers if person else {}), **headers})


@pytest.fixture
async def live_api(settings: Settings, connection: asyncpg.Connection) -> AsyncIterator[LiveApi]:
    app = create_app(settings)
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://api", timeout=30) as client,
    ):
        yield LiveApi(app, client, connection, settings)
