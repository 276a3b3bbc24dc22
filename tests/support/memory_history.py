"""A ledger's history in memory, and the same rules that the SQL keeps, written down plainly."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from builders import new_id

from sinks.directory.filters import Filters
from sinks.directory.history import Examined, History, Leg, Place
from sinks.directory.transfers import TransferRow

MOMENT = datetime(2026, 1, 2, tzinfo=UTC)


class MemoryHistory(History):
    """Transfers in the order in which they were made."""

    def __init__(self) -> None:
        self.rows: list[TransferRow] = []
        self.versions: dict[str, int] = {}
        self.has_candidates = False
        self.examined = 0

    def add(
        self, source: str, destination: str, *, after_s: float, reason: str | None = None, **changes: Any
    ) -> TransferRow:
        """One more transfer, completed so long after a certain moment."""
        versions: list[int | None] = [None, None]
        if reason is None:
            for place, wallet_id in enumerate((source, destination)):
                self.versions[wallet_id] = versions[place] = self.versions.get(wallet_id, 0) + 1
        at = MOMENT + timedelta(seconds=after_s)
        fields: dict[str, Any] = {
            "transfer_id": new_id(),
            "source_wallet_id": source,
            "destination_wallet_id": destination,
            "amount": "1.0000",
            "currency": "USD",
            "status": "COMPLETED" if reason is None else "FAILED",
            "reason": reason,
            "source_balance": None if reason else "0.0000",
            "source_version": versions[0],
            "destination_balance": None if reason else "0.0000",
            "destination_version": versions[1],
            "requested_at": at,
            "completed_at": at,
            "reference": None,
            "metadata": None,
            "source_user_id": None,
            "destination_user_id": None,
        }
        row = TransferRow(**fields | changes)
        self.rows.append(row)
        return row

    def leg_of(self, row: TransferRow, wallet_id: str) -> int | None:
        if row.source_wallet_id == wallet_id:
            return row.source_version
        return row.destination_version if row.destination_wallet_id == wallet_id else None

    async def version_at(self, wallet_id: str, moment: datetime) -> int:
        stamps = {
            version: row.completed_at for row in self.rows if (version := self.leg_of(row, wallet_id)) is not None
        }
        return version_at(stamps, moment)

    async def legs(
        self, wallet_id: str, first: int, last: int, filters: Filters, elsewhere: Sequence[str] = ()
    ) -> list[Leg]:
        self.examined += last - first + 1
        legs = [
            Leg(version, row)
            for row in self.rows
            if (version := self.leg_of(row, wallet_id)) is not None
            and first <= version <= last
            and (row.source_wallet_id == wallet_id or row.source_wallet_id not in elsewhere)
            and passes(row, filters)
        ]
        return sorted(legs, key=lambda leg: leg.version, reverse=True)

    async def failed(
        self, wallet_ids: Sequence[str], place: Place, count_max: int, filters: Filters, *, newer: bool
    ) -> list[Examined]:
        rows = [row for row in self.rows if row.status == "FAILED" and row.source_wallet_id in wallet_ids]
        return self._onwards(rows, place, count_max, filters, newer=newer)

    async def all(self, place: Place, count_max: int, filters: Filters, *, newer: bool) -> list[Examined]:
        return self._onwards(self.rows, place, count_max, filters, newer=newer)

    async def marked(self, filters: Filters, wallet_ids: Sequence[str] | None) -> list[TransferRow] | None:
        if (filters.reference is None and not filters.metadata) or not self.has_candidates:
            return None
        return [
            row
            for row in self.rows
            if passes(row, filters)
            and (
                wallet_ids is None
                or row.source_wallet_id in wallet_ids
                or (row.status == "COMPLETED" and row.destination_wallet_id in wallet_ids)
            )
        ]

    def _onwards(
        self, rows: Sequence[TransferRow], place: Place, count_max: int, filters: Filters, *, newer: bool
    ) -> list[Examined]:
        # A place is a little above or below its transfer.
        start = (place.completed_at, place.transfer_id, 1 if place.is_above else -1)
        found = [
            row
            for row in rows
            if ((row.completed_at, row.transfer_id, 0) > start) is newer
            and filters.completed_from <= row.completed_at < filters.completed_before
        ]
        found.sort(key=lambda row: (row.completed_at, row.transfer_id), reverse=not newer)
        self.examined += len(found[:count_max])
        return [Examined(row, passes(row, filters)) for row in found[:count_max]]


def version_at(stamps: dict[int, datetime], moment: datetime) -> int:
    """The search of `version_at.sql` over stamps by version."""
    newest, reached = max(stamps, default=0), 0
    width = 1
    while width * 16 <= newest:
        width *= 16
    while width:
        for _ in range(15):
            if reached + width > newest or stamps[reached + width] > moment:
                break
            reached += width
        width //= 16
    return reached


def passes(row: TransferRow, filters: Filters) -> bool:
    """Whether the transfer is one of those that the filters ask for."""
    return (
        filters.status in {None, row.status}
        and filters.amount_min <= Decimal(row.amount) <= filters.amount_max
        and filters.completed_from <= row.completed_at < filters.completed_before
        and filters.requested_from <= row.requested_at < filters.requested_before
        and filters.reference in {None, row.reference}
        and (not filters.metadata or dict(filters.metadata).items() <= (row.metadata or {}).items())
    )
