"""The API in this process, on fakes that are simple and complete."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import uuid4

import httpx2
import pytest
from event_scene import Scene, running_scene
from fake_ledger import TOPIC, FakeFollowing, FakeHolds, FakeRequests, FakeTransfers, FakeWallets
from fake_notices import FakeDeliveries, FakePreferences, FakeWebhooks
from fake_people import FakeApiKeys, FakeAttempts, FakePasswords, FakeRevocations, FakeSessions, FakeUsers
from fastapi import FastAPI
from memory_history import MemoryHistory

from ingest_api.access import Access
from ingest_api.app import create_app
from ingest_api.drawing import OpenAmounts
from ingest_api.event_feed import EventFeed
from ingest_api.key_checks import KeyChecks
from ingest_api.known_transfers import KnownTransfers
from ingest_api.opaque_tokens import Prefix, new_token
from ingest_api.outcome_reader import Outcomes
from ingest_api.owners import WalletOwners
from ingest_api.receipts import ReceiptSigner
from ingest_api.revocations import Revocations
from ingest_api.services import Services
from ingest_api.stream_limits import StreamLimits
from ingest_api.submission import Submitter
from ingest_api.throttle import Throttle
from ingest_api.tokens import AccessTokens
from ingest_api.waits import Waits
from ingest_api.watched_wallets import WatchedWallets
from schemas.settings import Settings
from sinks.directory.api_keys import GoodKey
from sinks.directory.pages import Pages
from sinks.directory.wallets import Owner
from sinks.ledger.rehearsal import Rehearsal
from sinks.ledger.statements import READ_WALLETS

SECRET_KEY = "a secret of the unit tests, " * 3


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
    following: FakeFollowing = field(default_factory=FakeFollowing)
    holds: FakeHolds = field(default_factory=FakeHolds)
    history: MemoryHistory = field(default_factory=MemoryHistory)
    passwords: FakePasswords = field(default_factory=FakePasswords)
    sessions: FakeSessions = field(default_factory=FakeSessions)
    api_keys: FakeApiKeys = field(default_factory=FakeApiKeys)
    revoked: FakeRevocations = field(default_factory=FakeRevocations)
    attempts: FakeAttempts = field(default_factory=FakeAttempts)
    preferences: FakePreferences = field(default_factory=FakePreferences)
    webhooks: FakeWebhooks = field(default_factory=FakeWebhooks)
    deliveries: FakeDeliveries = field(default_factory=FakeDeliveries)
    readiness: FakeReadiness = field(default_factory=FakeReadiness)
    ledger_wallets: list[tuple[Any, ...]] = field(default_factory=list)
    revocations: Revocations = field(init=False)
    """What the app knows of them. It reads them when a test says so."""

    @property
    def tokens(self) -> AccessTokens:
        return AccessTokens(SECRET_KEY, self.settings.access_token_ttl_s)

    def come_from(self, address: str) -> None:
        """Let further requests come from this address."""
        transport = self.client._transport
        assert isinstance(transport, httpx2.ASGITransport)
        transport.client = (address, 1)

    async def ledger_rows(self, sql: str, *_: Any) -> Any:
        """What the ledger has: these wallets, and nothing else."""
        return self.ledger_wallets if sql == READ_WALLETS else []

    def wallet(self, user_id: str | None = None) -> str:
        """A new wallet's id, the user's."""
        wallet_id = str(uuid4())
        self.wallets.owners[wallet_id] = Owner(user_id)
        return wallet_id

    def headers(self, user_id: str, role: str = "user", **more: str) -> dict[str, str]:
        """Those of a request of this user's."""
        return {"Authorization": f"Bearer {self.tokens.issue(user_id, role)}", **more}

    def key(self, *scopes: str, user_id: str | None = None) -> str:
        """A new API key with these scopes."""
        token = new_token(Prefix.API_KEY)
        self.api_keys.good[token.subject] = GoodKey(
            user_id=user_id or str(uuid4()),
            scopes=list(scopes),
            secret_hash=token.token_hash,
            expires_at=None,
            access_epoch=0,
        )
        return token.text

    def services(self) -> Services:
        owners = WalletOwners(self.wallets)
        ttl_s = self.settings.access_token_ttl_s
        self.revocations = Revocations(self.revoked, ttl_s)
        return Services(
            topic=TOPIC,
            users=self.users,
            sessions=self.sessions,
            api_keys=self.api_keys,
            password_resets=cast("Any", None),  # all that it does is done by PostgreSQL
            notification_preferences=self.preferences,
            webhooks=self.webhooks,
            deliveries=self.deliveries,
            wallets=self.wallets,
            transfers=self.transfers,
            holds=self.holds,
            open_amounts=OpenAmounts(self.transfers),
            rehearsal=Rehearsal(self.ledger_rows),
            history=self.history,
            pages=Pages(self.history),
            pending=cast("Any", None),  # it speaks to Kafka alone
            owners=owners,
            submitter=Submitter(self.requests, KnownTransfers(self.transfers.stored)),
            passwords=cast("Any", self.passwords),
            throttle=Throttle(self.attempts, SECRET_KEY, account_max=3, address_per_minute=20),
            tokens=self.tokens,
            access=Access(self.tokens, KeyChecks(self.api_keys, ttl_s), self.revocations),
            refresh_token_ttl_s=self.settings.refresh_token_ttl_s,
            receipts=ReceiptSigner(SECRET_KEY),
            readiness=cast("Any", self.readiness),
            outcomes=Outcomes(
                waits=Waits(),
                events=EventFeed(WatchedWallets(self.wallets, owners)),
                streams=StreamLimits(count_max=4, caller_max=2),
                following=self.following,
                past=cast("Any", None),
            ),
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


@pytest.fixture
async def scene(api: Api) -> AsyncIterator[Scene]:
    async with running_scene(api) as found:
        yield found
