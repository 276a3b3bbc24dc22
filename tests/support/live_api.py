"""The API in this process, on the embedded servers, and accounts of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx2
from api_calls import PASSWORD, log_in
from fastapi import FastAPI

from ingest_api.app import create_app
from ingest_api.extension import ALONE, Extension
from schemas.access import Role
from schemas.settings import Settings


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

    async def person(self, name: str, role: Role = "user") -> Person:
        """The account of this name, made where it is missing; without hashing a password, which takes its time."""
        if name not in self.people:
            email = f"{name}@example.com"
            insert = "insert into users (email, password_hash, role) values ($1, 'none', $2) returning user_id::text"
            user_id = await self.connection.fetchval(insert, email, role)
            self.people[name] = Person(user_id, email, token_headers(self.app, user_id, role))
        return self.people[name]

    async def registered(self, name: str) -> Person:
        """A new account, made and logged in to over HTTP."""
        email = f"{name}@example.com"
        created = await self.client.post("/v1/users", json={"email": email, "password": PASSWORD})
        assert created.status_code == 201, created.text
        return Person(created.json()["user_id"], email, await log_in(self.client, email))

    async def wallet(self, person: Person, currency: str = "USD") -> str:
        """A new wallet of theirs."""
        created = await self.client.post("/v1/wallets", json={"currency": currency}, headers=person.headers)
        assert created.status_code == 201, created.text
        return str(created.json()["wallet_id"])

    async def get(self, path: str, person: Person | None = None) -> Any:
        return await self.client.get(path, headers=person.headers if person else {})

    async def post(self, path: str, body: Any, person: Person | None = None, **headers: str) -> Any:
        return await self.client.post(path, json=body, headers={**(person.headers if person else {}), **headers})


def token_headers(app: FastAPI, user_id: str, role: str = "user", epoch: int = 0) -> dict[str, str]:
    """Those of a request of this user's, with a token that the running app itself has made."""
    return {"Authorization": f"Bearer {app.state.services.tokens.issue(user_id, role, epoch=epoch)}"}


@asynccontextmanager
async def app_client(
    settings: Settings, extension: Extension = ALONE
) -> AsyncIterator[tuple[FastAPI, httpx2.AsyncClient]]:
    """An app that has been started, and a client of it."""
    app = create_app(settings, extension=extension)
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://api", timeout=60) as client,
    ):
        yield app, client
