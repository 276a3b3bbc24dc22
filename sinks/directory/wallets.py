"""Wallets and their entries."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg
import msgspec

from schemas.holds import hold_wallet_id
from sinks.directory import statements
from sinks.directory.database import Database
from sinks.errors import NoSuchUserError, TransientError

VERSION_MAX = 2**63 - 1
_WORLD_ATTEMPTS_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletRow:
    """A wallet; amounts are decimal text with four digits after the point. ``balance`` is what is available."""

    wallet_id: str
    user_id: str | None
    kind: str
    currency: str
    balance: str
    version: int
    status: str
    created_at: datetime
    updated_at: datetime
    held: str
    transfer_max: str | None
    day_max: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One leg of a transfer; ``amount`` is signed decimal text."""

    transfer_id: str
    version: int
    amount: str
    balance: str
    currency: str
    counterparty_wallet_id: str
    reference: str | None
    completed_at: datetime


class Owner(msgspec.Struct, frozen=True, gc=False):
    """Whose a wallet is; ``user_id`` is None for a world wallet. This never changes."""

    user_id: str | None


class Wallets:
    """The table of wallets. Every method raises DatabaseAwayError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, user_id: str, currency: str) -> WalletRow | None:
        """The new wallet, or None when the user has one in this currency. Raises NoSuchUserError.

        Makes the currency's world wallet, too, where it is missing.
        """
        try:
            row = await self._database.row(statements.CREATE_WALLET, user_id, currency)
        except asyncpg.ForeignKeyViolationError:
            raise NoSuchUserError(f"no user {user_id}") from None
        return WalletRow(**row) if row else None

    async def find(self, wallet_id: str) -> WalletRow | None:
        """The wallet of this id."""
        row = await self._database.row(statements.FIND_WALLET, wallet_id, hold_wallet_id(wallet_id))
        return WalletRow(**row) if row else None

    async def version_of(self, wallet_id: str) -> int:
        """How many entries the wallet has; 0 for one that does not exist."""
        found = await self.find(wallet_id)
        return 0 if found is None else found.version

    async def of_user(self, user_id: str) -> list[WalletRow]:
        """The user's wallets in order of currency."""
        rows = [WalletRow(**row) for row in await self._database.rows(statements.LIST_WALLETS, user_id)]
        hold_wallets = {hold_wallet_id(row.wallet_id): row.wallet_id for row in rows}
        found = await self._database.rows(statements.BALANCES, list(hold_wallets))
        held = {hold_wallets[wallet_id]: balance for wallet_id, balance, _ in found}
        return [replace(row, held=held.get(row.wallet_id, row.held)) for row in rows]

    async def versions_of_user(self, user_id: str) -> dict[str, int]:
        """The versions of the user's wallets and of their hold wallets, by id."""
        rows = await self._database.rows(statements.LIST_WALLETS, user_id)
        versions = {row["wallet_id"]: row["version"] for row in rows}
        found = await self._database.rows(statements.BALANCES, [hold_wallet_id(each) for each in versions])
        return versions | {wallet_id: version for wallet_id, _, version in found}

    async def set_limits(self, wallet_id: str, transfer_max: str | None, day_max: str | None) -> bool:
        """Bound each transfer and hold out of the wallet, and their sum over a day; None for no limit. False if there
        is no such wallet."""
        return await self._database.row(statements.SET_LIMITS, wallet_id, transfer_max, day_max) is not None

    async def owner_of(self, wallet_id: str) -> Owner | None:
        """Whose the wallet is, or None when there is no such wallet."""
        row = await self._database.row(statements.WALLET_OWNER, wallet_id)
        return Owner(row["user_id"]) if row else None

    async def owners_of(self, wallet_ids: Sequence[str]) -> dict[str, Owner]:
        """Whose these wallets are; those that do not exist are left out."""
        rows = await self._database.rows(statements.WALLET_OWNERS, wallet_ids)
        return {row["wallet_id"]: Owner(row["user_id"]) for row in rows}

    async def world(self, currency: str) -> str:
        """Id of the currency's world wallet, made where it is missing."""
        for _ in range(_WORLD_ATTEMPTS_MAX):
            row = await self._database.row(statements.WORLD_WALLET, currency)
            if row is not None:
                return str(row["wallet_id"])
        raise TransientError(f"the world wallet of {currency} is being made by another connection")

    async def set_status(self, wallet_id: str, status: str, from_statuses: Sequence[str]) -> WalletRow | None:
        """The wallet with its new status, or None if it has none of these now, or is to be closed and not empty."""
        row = await self._database.row(
            statements.SET_WALLET_STATUS, wallet_id, status, from_statuses, hold_wallet_id(wallet_id)
        )
        return WalletRow(**row) if row else None

    async def entries(self, wallet_id: str, *, before_version: int, count_max: int) -> list[EntryRow]:
        """At most ``count_max`` entries with a version below ``before_version``, the newest first."""
        rows = await self._database.rows(statements.PAGE_OF_ENTRIES, wallet_id, before_version, count_max)
        return [EntryRow(**row) for row in rows]
