"""The API in this process, on fakes that are simple and complete."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from ingest_api.app import create_app
from ingest_api.owners import WalletOwners
from ingest_api.receipts import ReceiptSigner
from ingest_api.services import Services
from ingest_api.submission import Submitter
from ingest_api.tokens import AccessTokens
from schemas.settings import Settings
from sinks.directory.transfers import Found, TransferRow, Transfers
from sinks.directory.users import LoginRow, UserRow, Users
from sinks.directory.wallets import Owner, Wallets
from sinks.errors import BrokerAwayError, DatabaseAwayError
from sinks.kafka.requests import Position

TOPIC = "transfers.requested"
SECRET_KEY = "a secret of the unit tests, " * 3


class FakeRequests:
    """A topic of one partition."""

    def __init__(self) -> None:
        self.topic = TOPIC
        self.records: list[tuple[bytes, bytes]] = []
        self.is_away = False

    async def publish(self, key: bytes, value: bytes) -> Position:
        if self.is_away:
            raise BrokerAwayError("away")
        self.records.append((key, value))
        return Position(0, len(self.records) - 1)


class FakeUsers(Users):
    def __init__(self) -> None:
        self.logins: dict[str, LoginRow] = {}
        self.fault: Exception | None = None

    async def find_login(self, email: str) -> LoginRow | None:
        return self.logins.get(email)

    async def find(self, user_id: str) -> UserRow | None:
        if self.fault is not None:
            raise self.fault
        return None


class FakeWallets(Wallets):
    """Counts what would be a statement in the database."""

    def __init__(self) -> None:
        self.owners: dict[str, Owner] = {}
        self.worlds: dict[str, str] = {}
        self.statements = 0
        self.is_away = False

    async def owner_of(self, wallet_id: str) -> Owner | None:
        self._count()
        return self.owners.get(wallet_id)

    async def world(self, currency: str) -> str:
        self._count()
        return self.worlds.setdefault(currency, str(uuid4()))

    def _count(self) -> None:
        if self.is_away:
            raise DatabaseAwayError("away")
        self.statements += 1


class FakeTransfers(Transfers):
    def __init__(self) -> None:
        self.rows: dict[str, TransferRow] = {}
        self.next_offset: int | None = None

    async def find(self, transfer_id: str, partition: int | None) -> Found:
        return Found(self.rows.get(transfer_id), None if partition is None else self.next_offset)


class FakePasswords:
    """Keeps a password as it is, and the hashes it was asked to check."""

    def __init__(self) -> None:
        self.checked: list[str | None] = []

    async def verify(self, text: str, hashed: str | None) -> bool:
        self.checked.append(hashed)
        return text == hashed


class FakeReadiness:
    def __init__(self) -> None:
        self.faults: list[tuple[str, str]] = []

    async def missing(self) -> list[tuple[str, str]]:
        return self.faults


@dataclass
class Api:
    """A client of the app, and the fakes behind it."""

    app: FastAPI
    client: httpx2.AsyncClient
    settings: Settings
    requests: FakeRequests = field(default_factory=FakeRequests)
    users: FakeUsers = field(default_factory=FakeUsers)
    wallets: FakeWallets = field(default_factory=FakeWallets)
    transfers: FakeTransfers = field(default_factory=FakeTransfers)
    passwords: FakePasswords = field(default_factory=FakePasswords)
    readiness: FakeReadiness = field(default_factory=FakeReadiness)

    @property
    def tokens(self) -> AccessTokens:
        return AccessTokens(SECRET_KEY, self.settings.access_token_ttl_s)

    def wallet(self, user_id: str | None = None) -> str:
        """A new wallet's id, the user's."""
        wallet_id = str(uuid4())
        self.wallets.owners[wallet_id] = Owner(user_id)
        return wallet_id

    def headers(self, user_id: str, role: str = "user", **more: str) -> dict[str, str]:
        """Those of a request of this user's."""
        return {"Authorization": f"Bearer {self.tokens.issue(user_id, role)}", **more}

    def services(self) -> Services:
        return Services(
            topic=TOPIC,
            users=self.users,
            wallets=self.wallets,
            transfers=self.transfers,
            owners=WalletOwners(self.wallets),
            submitter=Submitter(self.requests),
            passwords=cast("Any", self.passwords),
            tokens=self.tokens,
            receipts=ReceiptSigner(SECRET_KEY),
            readiness=cast("Any", self.readiness),
        )


@pytest.fixture
async def api(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Api]:
    monkeypatch.setenv("POSTGRES_PASSWORD", "none")
    monkeypatch.setenv("SECRET_KEY", SECRET_KEY)
    settings = Settings()

    @asynccontextmanager
    async def open_fakes(_: Settings) -> AsyncIterator[Services]:
        yield built.services()

    app = create_app(settings, open_services=open_fakes)
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://api") as client:
        built = Api(app, client, settings)
        async with app.router.lifespan_context(app):
            yield built
