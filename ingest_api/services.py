"""Everything the routes work with, built from the settings when the app starts and closed when it stops."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from fastapi import Request

from ingest_api.access import Access
from ingest_api.drawing import OpenAmounts
from ingest_api.hold_expiry import HoldExpiry
from ingest_api.key_checks import KeyChecks
from ingest_api.known_transfers import KnownTransfers
from ingest_api.outcome_reader import Outcomes, open_outcomes
from ingest_api.owners import WalletOwners
from ingest_api.passwords import PasswordHashing
from ingest_api.rate_limit import RateLimit
from ingest_api.readiness import Readiness
from ingest_api.receipts import ReceiptSigner
from ingest_api.revocations import Revocations
from ingest_api.submission import Submitter
from ingest_api.throttle import Throttle
from ingest_api.tokens import AccessTokens
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED
from sinks.channels import SEAL_PURPOSE
from sinks.directory.api_keys import ApiKeys
from sinks.directory.attempts import Attempts
from sinks.directory.database import Database
from sinks.directory.deliveries import Deliveries
from sinks.directory.history import History
from sinks.directory.holds import Holds
from sinks.directory.notification_preferences import NotificationPreferences
from sinks.directory.pages import Pages
from sinks.directory.password_resets import PasswordResets
from sinks.directory.revocations import RecentRevocations
from sinks.directory.sessions import Sessions
from sinks.directory.transfers import Transfers
from sinks.directory.users import Users
from sinks.directory.wallets import Wallets
from sinks.directory.webhooks import Webhooks
from sinks.kafka.pending import PendingReader
from sinks.kafka.requests import RequestPublisher
from sinks.ledger.rehearsal import Rehearsal
from sinks.sealing import Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What a route may use."""

    topic: str
    users: Users
    sessions: Sessions
    api_keys: ApiKeys
    password_resets: PasswordResets
    notification_preferences: NotificationPreferences
    webhooks: Webhooks
    deliveries: Deliveries
    wallets: Wallets
    transfers: Transfers
    holds: Holds
    open_amounts: OpenAmounts
    rehearsal: Rehearsal
    history: History
    pages: Pages
    pending: PendingReader
    owners: WalletOwners
    submitter: Submitter
    passwords: PasswordHashing
    throttle: Throttle
    tokens: AccessTokens
    access: Access
    refresh_token_ttl_s: int
    receipts: ReceiptSigner
    readiness: Readiness
    outcomes: Outcomes
    rate_limit: RateLimit | None = None
    webhook_private_addresses: bool = False


OpenServices = Callable[[Settings], AbstractAsyncContextManager[Services]]


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """The services on the servers that the settings name. Neither has to be up yet."""
    secret_key, previous = settings.secret_key.get_secret_value(), settings.previous_secret_keys
    topic, per_minute = settings.topic_name(TRANSFERS_REQUESTED), settings.requests_per_minute
    database = await Database.open(settings)
    requests = RequestPublisher(settings)
    passwords = PasswordHashing()
    wallets = Wallets(database)
    holds = Holds(database)
    expiry = HoldExpiry(holds, requests, secret_key)
    history = History(database, topic)
    pending = PendingReader(settings, requests.partitions, history.next_offset)
    api_keys = ApiKeys(database)
    tokens = AccessTokens(secret_key, settings.access_token_ttl_s, previous=previous)
    revocations = Revocations(RecentRevocations(database), settings.access_token_ttl_s)
    owners, transfers = WalletOwners(wallets), Transfers(database, topic)
    await requests.start()
    expiry.start()
    following = asyncio.create_task(revocations.follow(), name="revocations")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        stack.push_async_callback(requests.stop)
        stack.push_async_callback(pending.stop)
        stack.callback(passwords.close)
        stack.push_async_callback(asyncio.wait, [following])
        stack.callback(following.cancel)
        stack.push_async_callback(expiry.stop)
        yield Services(
            topic=topic,
            users=Users(database),
            sessions=Sessions(database),
            api_keys=api_keys,
            password_resets=PasswordResets(database),
            notification_preferences=NotificationPreferences(database),
            webhooks=Webhooks(database, Seal.of(settings, SEAL_PURPOSE)),
            deliveries=Deliveries(database),
            wallets=wallets,
            transfers=transfers,
            holds=holds,
            open_amounts=OpenAmounts(transfers),
            rehearsal=Rehearsal(database.rows),
            history=history,
            pages=Pages(history),
            pending=pending,
            owners=owners,
            submitter=Submitter(requests, KnownTransfers(transfers.stored)),
            passwords=passwords,
            throttle=Throttle(
                Attempts(database),
                secret_key,
                account_max=settings.login_failures_max,
                address_per_minute=settings.address_attempts_per_minute,
            ),
            tokens=tokens,
            access=Access(tokens, KeyChecks(api_keys, settings.access_token_ttl_s), revocations),
            refresh_token_ttl_s=settings.refresh_token_ttl_s,
            receipts=ReceiptSigner(secret_key, previous=previous),
            readiness=Readiness(database, requests),
            outcomes=await stack.enter_async_context(open_outcomes(settings, wallets, owners)),
            rate_limit=None if per_minute is None else RateLimit(per_minute),
            webhook_private_addresses=settings.webhook_private_addresses,
        )


def services_of(request: Request) -> Services:
    """The services of the app that serves this request."""
    services: Services = request.app.state.services
    return services
