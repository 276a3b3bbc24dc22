"""Wallets, and what is read of them: entries, balances, statements, what is pending."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from hfts_client.models.answered import Answered


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


class WalletList(msgspec.Struct, frozen=True, kw_only=True):
    """Every wallet of the caller."""

    data: list[Wallet]


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


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A wallet's balance after so many entries (``version``)."""

    balance: Decimal
    version: int


class Balance(Answered, frozen=True, kw_only=True):
    """What a wallet holds or has held, after so many entries (``version``)."""

    wallet_id: UUID
    currency: str
    balance: Decimal
    version: int
    at: datetime | None
    completed_at: datetime | None


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
