"""What the API tells. Members that this version does not know are passed over."""

from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

Id: TypeAlias = UUID | str


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """Something the API has answered with. ``request_id`` is that of the request, to be found in the API's logs."""

    request_id: str | None = None


class User(Answered, frozen=True, kw_only=True):
    """An account."""

    user_id: UUID
    email: str
    status: str
    role: str
    created_at: datetime
    updated_at: datetime


class NewApiKey(Answered, frozen=True, kw_only=True):
    """An API key. ``key`` is to be sent as a token; it is in no ``repr``."""

    key_id: UUID
    user_id: UUID
    name: str
    scopes: list[str]
    key: str
    created_at: datetime
    expires_at: datetime | None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(key_id={self.key_id!r}, name={self.name!r}, scopes={self.scopes!r})"


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key without its secret. ``last_used_at`` is told to a quarter of an hour."""

    key_id: UUID
    user_id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class ApiKeyList(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of an account, the newest first."""

    data: list[ApiKey]


class Wallet(Answered, frozen=True, kw_only=True):
    """A wallet, its available balance and the number of its entries (``version``).

    ``held`` is set aside by holds, and no part of the balance. Limits are those of one transfer and of a day's sum.
    """

    wallet_id: UUID
    user_id: UUID | None
    kind: str
    currency: str
    balance: Decimal
    version: int
    status: str
    created_at: datetime
    updated_at: datetime
    held: Decimal | None = None
    transfer_max: Decimal | None = None
    day_max: Decimal | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of a transfer, as its wallet sees it: what came in (or went out, below 0) and the balance after it."""

    transfer_id: UUID
    version: int
    amount: Decimal
    balance: Decimal
    currency: str
    counterparty_wallet_id: UUID
    reference: str | None
    completed_at: datetime


class EntryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of entries, the newest first."""

    data: list[Entry]
    has_more: bool
    next_cursor: int | None = None


class WalletList(msgspec.Struct, frozen=True, kw_only=True):
    """Every wallet of the caller."""

    data: list[Wallet]


class Receipt(Answered, frozen=True, kw_only=True):
    """The brokers hold the request, on all of their in-sync replicas. Its outcome is at ``location``."""

    transfer_id: UUID
    status: Literal["PENDING"]
    topic: str
    partition: int
    offset: int
    accepted_at: datetime
    location: str


class PendingTransfer(Answered, frozen=True, kw_only=True):
    """A request that has not been applied yet."""

    transfer_id: UUID
    status: Literal["PENDING"]


class Transfer(Answered, frozen=True, kw_only=True):
    """What became of a transfer. What only the other party may know is None.

    ``reason`` is a failure code, and None if it COMPLETED. Balances and versions are those after it. ``kind`` is None
    for an ordinary one; ``parent_id`` is what a capture, void or reversal draws on.
    """

    transfer_id: UUID
    status: Literal["COMPLETED", "FAILED"]
    reason: str | None
    source_wallet_id: UUID
    destination_wallet_id: UUID
    amount: Decimal
    currency: str
    reference: str | None
    metadata: dict[str, str] | None
    source_balance: Decimal | None
    source_version: int | None
    destination_balance: Decimal | None
    destination_version: int | None
    requested_at: datetime
    completed_at: datetime
    kind: str | None = None
    parent_id: UUID | None = None
    expires_at: datetime | None = None


class TransferEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An outcome that was told. With ``event_id`` as ``after``, a later `events` goes on behind it."""

    event_id: str
    type: str
    transfer: Transfer


class AcceptedLine(msgspec.Struct, frozen=True, kw_only=True):
    """The brokers hold this transfer of a batch. Its outcome is at ``location``."""

    transfer_id: UUID
    location: str


class TransferPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of transfers, the newest first. One without any may have more behind it."""

    data: list[Transfer]
    has_more: bool
    next_cursor: str


class Verdict(Answered, frozen=True, kw_only=True):
    """What would become of a transfer now."""

    verdict: Literal["COMPLETED", "FAILED"]
    reason: str | None
    detail: str | None
    source_balance: Decimal | None
    destination_balance: Decimal | None


class Balance(Answered, frozen=True, kw_only=True):
    """What a wallet holds or has held, after so many entries (``version``)."""

    wallet_id: UUID
    currency: str
    balance: Decimal
    version: int
    at: datetime | None
    completed_at: datetime | None


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A wallet's balance after so many entries (``version``)."""

    balance: Decimal
    version: int


class Statement(Answered, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """A wallet's entries from ``start`` (None: the very beginning) to before ``end``, the oldest first.

    ``opening`` and all amounts sum up to ``closing``.
    """

    wallet_id: UUID
    currency: str
    start: datetime | None
    end: datetime
    opening: State
    entries: list[Entry]
    closing: State


class PendingRequests(Answered, frozen=True, kw_only=True):
    """How many requests to pay out of a wallet Kafka holds and no worker has applied: at least, if not ``is_all``."""

    wallet_id: UUID
    pending: int
    is_all: bool
    partition: int
    from_offset: int
    to_offset: int


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """A capture or void of a hold."""

    transfer_id: UUID
    kind: str
    status: Literal["COMPLETED", "FAILED"]
    reason: str | None
    amount: Decimal
    destination_wallet_id: UUID
    completed_at: datetime


class Hold(Answered, frozen=True, kw_only=True):
    """Money set aside. ``status`` is open, expired, captured, voided or failed; in a list, ``draws`` are left out."""

    hold_id: UUID
    status: str
    reason: str | None
    source_wallet_id: UUID
    hold_wallet_id: UUID
    amount: Decimal
    captured: Decimal
    voided: Decimal
    remaining: Decimal
    currency: str
    reference: str | None
    metadata: dict[str, str] | None
    expires_at: datetime | None
    requested_at: datetime
    completed_at: datetime
    version: int | None
    draws: list[Draw] = []


class HoldPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of holds, the newest first."""

    data: list[Hold]
    has_more: bool


class NotificationPreferences(Answered, frozen=True, kw_only=True):
    """How one is told of transfers. ``minimums``: by currency, the least amount of a completed one to be told of."""

    email: bool
    webhook: bool
    failures: bool
    minimums: dict[str, Decimal]
    updated_at: datetime | None


class Webhook(Answered, frozen=True, kw_only=True):
    """Where notifications are sent to. ``previous_secret_until``: as long the secret before the last signs, too."""

    url: str
    previous_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime


class NewWebhookSecret(Webhook, frozen=True, kw_only=True):
    """A webhook and its new ``secret``, which is in no ``repr``; None where it keeps the one it has."""

    secret: str | None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(url={self.url!r})"


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A notification on one channel. ``status`` is pending, delivered or failed."""

    transfer_id: UUID
    recipient: str
    channel: str
    status: str
    attempts: int
    digest_id: UUID | None
    last_error: str | None
    created_at: datetime
    tried_at: datetime | None
    next_try_at: datetime | None


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of deliveries, the newest first."""

    data: list[Delivery]
    has_more: bool
    next_cursor: str | None
