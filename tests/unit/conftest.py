"""The API in this process, on fakes that are simple and complete."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import httpx2
import pytest
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
from sinks.directory.api_keys import ApiKeys, GoodKey
from sinks.directory.attempts import Attempts
from sinks.directory.deliveries import Deliveries, DeliveryRow, LogPlace, decode_place, encode_place
from sinks.directory.holds import DrawableRow, DrawRow, Holds
from sinks.directory.notification_preferences import NotificationPreferences, Preferences
from sinks.directory.pages import Pages
from sinks.directory.revocations import RecentRevocations
from sinks.directory.sessions import Renewed, Sessions
from sinks.directory.transfers import Found, StoredRequest, TransferRow, Transfers
from sinks.directory.users import LoginRow, UserRow, Users
from sinks.directory.wallets import Owner, WalletRow, Wallets
from sinks.directory.webhooks import PREVIOUS_SECRET_LIFE, WebhookRow, Webhooks
from sinks.errors import BrokerAwayError, DatabaseAwayError
from sinks.kafka.positions import Position
from sinks.ledger.rehearsal import Rehearsal
from sinks.ledger.statements import READ_WALLETS
from sinks.password_rules import refusal

TOPIC = "transfers.requested"
SECRET_KEY = "a secret of the unit tests, " * 3


class FakeRequests:
    """A topic of one partition."""

    def __init__(self) -> None:
        self.topic = TOPIC
        self.records: list[tuple[bytes, bytes]] = []
        self.is_away = False
        self.then: Callable[[bytes, Position], None] = lambda _value, _position: None

    async def publish(self, key: bytes, value: bytes) -> Position:
        if self.is_away:
            raise BrokerAwayError("away")
        self.records.append((key, value))
        position = Position(0, len(self.records) - 1)
        self.then(value, position)
        return position

    async def publish_all(self, records: Sequence[tuple[bytes, bytes]]) -> list[Position | None]:
        if self.is_away:
            return [None] * len(records)
        return [await self.publish(key, value) for key, value in records]


class FakeUsers(Users):
    def __init__(self) -> None:
        self.logins: dict[str, LoginRow] = {}
        self.fault: Exception | None = None

    async def find_login(self, email: str) -> LoginRow | None:
        return self.logins.get(email)

    async def create(self, email: str, password_hash: str) -> UserRow | None:
        now = datetime.now(UTC)
        return UserRow(user_id=str(uuid4()), email=email, status="active", role="user", created_at=now, updated_at=now)

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

    async def owners_of(self, wallet_ids: Sequence[str]) -> dict[str, Owner]:
        self._count()
        return {wallet_id: self.owners[wallet_id] for wallet_id in wallet_ids if wallet_id in self.owners}

    async def of_user(self, user_id: str) -> list[WalletRow]:
        self._count()
        return [_wallet_row(wallet_id, user_id) for wallet_id, owner in self.owners.items() if owner.user_id == user_id]

    async def world(self, currency: str) -> str:
        self._count()
        return self.worlds.setdefault(currency, str(uuid4()))

    def _count(self) -> None:
        if self.is_away:
            raise DatabaseAwayError("away")
        self.statements += 1


def _wallet_row(wallet_id: str, user_id: str) -> WalletRow:
    now = datetime.now(UTC)
    return WalletRow(
        wallet_id=wallet_id,
        user_id=user_id,
        kind="user",
        currency="USD",
        balance="0.0000",
        held="0.0000",
        transfer_max=None,
        day_max=None,
        version=0,
        status="active",
        created_at=now,
        updated_at=now,
    )


class FakeTransfers(Transfers):
    def __init__(self) -> None:
        self.rows: dict[str, TransferRow] = {}
        self.requests: dict[str, StoredRequest] = {}
        self.next_offset: int | None = None
        self.is_away = False
        self.asked: list[Sequence[str]] = []

    async def stored(self, transfer_ids: Sequence[str]) -> dict[str, StoredRequest]:
        self.asked.append(transfer_ids)
        if self.is_away:
            raise DatabaseAwayError("away")
        return {each: self.requests[each] for each in transfer_ids if each in self.requests}

    async def find(self, transfer_id: str, partition: int | None) -> Found:
        if self.is_away:
            raise DatabaseAwayError("away")
        return Found(self.rows.get(transfer_id), None if partition is None else self.next_offset)


class FakeFollowing:
    """Outcomes are told by whoever has the waits and the feed."""

    def __init__(self) -> None:
        self.is_away = False

    async def follow(self, timeout_s: float) -> bool:
        return not self.is_away


class FakePasswords:
    """Keeps a password as it is, and the hashes it was asked to check."""

    def __init__(self) -> None:
        self.checked: list[str | None] = []

    async def verify(self, text: str, hashed: str | None) -> bool:
        self.checked.append(hashed)
        return text == hashed

    async def hash(self, text: str) -> str:
        return text

    async def upgraded(self, text: str, hashed: str) -> str | None:
        return None

    async def refusal(self, text: str, email: str) -> str | None:
        return refusal(text, (email,))


class FakeSessions(Sessions):
    """Sessions by their id, each with the hash of its newest token."""

    def __init__(self) -> None:
        self.newest: dict[str, bytes] = {}
        self.renewed = Renewed("", "user")

    async def open(self, session_id: str, user_id: str, session_epoch: int, token_hash: bytes, ttl_s: int) -> bool:
        self.newest[session_id] = token_hash
        self.renewed = Renewed(user_id, "user")
        return True

    async def renew(self, session_id: str, shown_hash: bytes, next_hash: bytes) -> Renewed | None:
        if self.newest.get(session_id) != shown_hash:
            self.newest.pop(session_id, None)
            return None
        self.newest[session_id] = next_hash
        return self.renewed

    async def revoke(self, session_id: str) -> None:
        self.newest.pop(session_id, None)


class FakeAttempts(Attempts):
    """Buckets that never drain."""

    def __init__(self) -> None:
        self.counts: Counter[bytes] = Counter()
        self.marks: set[bytes] = set()

    async def take(self, key: bytes, *, interval_s: float, count_max: int) -> float | None:
        if self.counts[key] >= count_max:
            return interval_s
        self.counts[key] += 1
        return None

    async def is_marked(self, key: bytes) -> bool:
        return key in self.marks

    async def forgive(
        self, emptied: Sequence[bytes], *, given_back: bytes, interval_s: float, mark: bytes, mark_ttl_s: float
    ) -> None:
        for key in emptied:
            del self.counts[key]
        self.counts[given_back] -= 1
        self.marks.add(mark)


class FakeHolds(Holds):
    """What may be drawn on, by id."""

    def __init__(self) -> None:
        self.rows: dict[str, DrawableRow] = {}
        self.tried: dict[str, list[DrawRow]] = {}

    async def find(self, transfer_id: str) -> DrawableRow | None:
        return self.rows.get(transfer_id)

    async def draws(self, transfer_id: str, count_max: int) -> list[DrawRow]:
        return self.tried.get(transfer_id, [])[:count_max]

    async def of_wallet(
        self, hold_wallet_id: str, *, before_version: int, count_max: int, only_open: bool
    ) -> list[DrawableRow]:
        return [
            row
            for row in self.rows.values()
            if row.destination_wallet_id == hold_wallet_id
            and (row.destination_version or 0) < before_version
            and (row.remaining != "0.0000" or not only_open)
        ][:count_max]

    async def by_reference(self, wallet_id: str, reference: str) -> list[str]:
        named = (wallet_id, reference)
        return [key for key, row in self.rows.items() if (row.destination_wallet_id, row.reference) == named][:2]


class FakePreferences(NotificationPreferences):
    def __init__(self) -> None:
        self.chosen: dict[str, Preferences] = {}

    async def find(self, user_id: str) -> Preferences:
        return self.chosen.get(user_id, Preferences())

    async def put(self, user_id: str, chosen: Preferences) -> Preferences:
        self.chosen[user_id] = replace(chosen, updated_at=datetime.now(UTC))
        return self.chosen[user_id]


class FakeWebhooks(Webhooks):
    """Keeps the secrets as they are, the newest first."""

    def __init__(self) -> None:
        self.rows: dict[str, WebhookRow] = {}
        self.secrets: dict[str, list[bytes]] = {}

    async def find(self, user_id: str) -> WebhookRow | None:
        return self.rows.get(user_id)

    async def put(self, user_id: str, url: str, secret: bytes) -> tuple[WebhookRow, bool]:
        is_new, now = user_id not in self.rows, datetime.now(UTC)
        made = WebhookRow(url=url, previous_secret_until=None, created_at=now, updated_at=now)
        self.rows[user_id] = replace(self.rows.get(user_id, made), url=url)
        self.secrets.setdefault(user_id, [secret])
        return self.rows[user_id], is_new

    async def rotate(self, user_id: str, secret: bytes) -> WebhookRow | None:
        if user_id not in self.rows:
            return None
        self.secrets[user_id].insert(0, secret)
        until = datetime.now(UTC) + PREVIOUS_SECRET_LIFE
        self.rows[user_id] = replace(self.rows[user_id], previous_secret_until=until)
        return self.rows[user_id]

    async def delete(self, user_id: str) -> bool:
        self.secrets.pop(user_id, None)
        return self.rows.pop(user_id, None) is not None


class FakeDeliveries(Deliveries):
    """Rows in the order of the log."""

    def __init__(self) -> None:
        self.rows: dict[str, list[DeliveryRow]] = {}

    async def of_user(self, user_id: str, behind: LogPlace, count_max: int) -> list[DeliveryRow]:
        rows = self.rows.get(user_id, [])
        places = [decode_place(encode_place(row)) for row in rows]
        start = places.index(behind) + 1 if behind in places else 0
        return rows[start : start + count_max]


class FakeReadiness:
    def __init__(self) -> None:
        self.faults: list[tuple[str, str]] = []

    async def missing(self) -> list[tuple[str, str]]:
        return self.faults


class FakeApiKeys(ApiKeys):
    """Counts how often it was asked for a key."""

    def __init__(self) -> None:
        self.good: dict[str, GoodKey] = {}
        self.asked = 0
        self.is_away = False

    async def find(self, key_id: str) -> GoodKey | None:
        if self.is_away:
            raise DatabaseAwayError("away")
        self.asked += 1
        return self.good.get(key_id)

    async def touch(self, key_id: str) -> None:
        pass

    async def surrender(self, key_id: str, secret_hash: bytes) -> str | None:
        found = self.good.get(key_id)
        if found is None or found.secret_hash != secret_hash:
            return None
        del self.good[key_id]
        return found.user_id


class FakeRevocations(RecentRevocations):
    """The newest first."""

    def __init__(self) -> None:
        self.found: list[tuple[str, int]] = []
        self.is_away = False

    async def within(self, window_s: float, count_max: int) -> list[tuple[str, int]]:
        if self.is_away:
            raise DatabaseAwayError("away")
        return self.found[:count_max]


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
