"""Transfers that others draw on: holds, and what may be reversed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from sinks.directory import statements
from sinks.directory.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawableRow:
    """A transfer, and what was drawn on it; amounts are decimal text with four digits after the point.

    ``payer_wallet_id`` is its source, or the wallet of which a capture's money had been held.
    """

    transfer_id: str
    kind: str | None
    status: str
    reason: str | None
    source_wallet_id: str
    destination_wallet_id: str
    payer_wallet_id: str
    amount: str
    currency: str
    captured: str
    voided: str
    reversed: str
    remaining: str
    reference: str | None
    metadata: dict[str, str] | None
    expires_at: datetime | None
    requested_at: datetime
    completed_at: datetime
    is_expired: bool | None
    destination_version: int | None
    source_user_id: str | None
    destination_user_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawRow:
    """A capture, void or reversal, completed or failed."""

    transfer_id: str
    kind: str
    status: str
    reason: str | None
    amount: str
    destination_wallet_id: str
    completed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DueHold:
    """A hold that has come to its end, and of which something is left. ``draws`` counts attempts that failed, too."""

    transfer_id: str
    source_wallet_id: str
    destination_wallet_id: str
    currency: str
    expires_at: datetime
    remaining: str
    draws: int


@dataclass(frozen=True, slots=True)
class ExpiryRound:
    """No hold that was to end before ``settled_before`` is open. ``began_at`` is by the database's clock."""

    settled_before: datetime
    began_at: datetime


class Holds:
    """Holds and what was drawn on them, for reading; and how far expired ones are settled. Raises DatabaseAwayError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, transfer_id: str) -> DrawableRow | None:
        """The transfer of this id, of whatever kind."""
        row = await self._database.row(statements.FIND_DRAWABLE, transfer_id)
        return _drawable(row) if row else None

    async def draws(self, transfer_id: str, count_max: int) -> list[DrawRow]:
        """What has drawn, or has tried to, on a transfer, the newest first."""
        return [DrawRow(**row) for row in await self._database.rows(statements.LIST_DRAWS, transfer_id, count_max)]

    async def of_wallet(
        self, hold_wallet_id: str, *, first_version: int, before_version: int, count_max: int, only_open: bool
    ) -> list[DrawableRow]:
        """The completed holds of a hold wallet from one of its versions to before another, the newest first."""
        rows = await self._database.rows(
            statements.LIST_HOLDS, hold_wallet_id, before_version, count_max, only_open, first_version
        )
        return [_drawable(row) for row in rows]

    async def by_reference(self, wallet_id: str, reference: str) -> list[str]:
        """Ids of transfers that brought money to a wallet with this reference, two at most."""
        found = await self._database.rows(statements.FIND_BY_REFERENCE, wallet_id, reference)
        return [row["transfer_id"] for row in found]

    async def begin_expiry_round(self, interval_s: float) -> ExpiryRound | None:
        """Take the next round of expiring holds upon oneself. None when it is not time for it, or another process
        does it."""
        row = await self._database.row(statements.BEGIN_EXPIRY_ROUND, interval_s)
        return ExpiryRound(**row) if row else None

    async def due(self, since: datetime, count_max: int) -> list[DueHold]:
        """Holds that have come to their end since then, are open and have nothing to wait for, the oldest first."""
        rows = await self._database.rows(statements.DUE_HOLDS, since, count_max, False)
        return [DueHold(**row) for row in rows]

    async def oldest_open(self, since: datetime) -> datetime | None:
        """When the first of them was to end, also of those that wait; None when none has come to its end since then."""
        row = await self._database.row(statements.DUE_HOLDS, since, 1, True)
        return row["expires_at"] if row else None

    async def settle_expiry(self, settled_before: datetime) -> None:
        """Note that no hold that was to end before this time is open."""
        await self._database.rows(statements.SETTLE_EXPIRY, settled_before)


def _drawable(row: asyncpg.Record) -> DrawableRow:
    values: dict[str, Any] = dict(row)
    if values["metadata"] is not None:
        values["metadata"] = msgspec.json.decode(values["metadata"])
    return DrawableRow(**values)
