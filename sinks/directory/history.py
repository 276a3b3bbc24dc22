"""What has become of wallets: their state at any moment, and their transfers, stretch by stretch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from sinks.directory import statements
from sinks.directory.database import Database
from sinks.directory.filters import Filters
from sinks.directory.transfers import TransferRow, transfer_row

CANDIDATES_MAX = 500
"""Transfers of one reference or metadata that are looked at one by one. With more of them it takes fewer steps to walk
along the list and pass over those that do not fit."""

CANDIDATES_TIMEOUT_S = 0.5
"""The index over metadata collects all that it finds before the first is looked at."""


class Place(NamedTuple):
    """Right above or right below a transfer in the order of completion, and of ids where times are equal."""

    completed_at: datetime
    transfer_id: str
    is_above: bool


@dataclass(frozen=True, slots=True)
class Leg:
    """A transfer, and which of a wallet's versions it made."""

    version: int
    row: TransferRow


@dataclass(frozen=True, slots=True)
class Examined:
    """A transfer that was looked at, and whether it passed the filters."""

    row: TransferRow
    passes: bool


class History:
    """Reads transfers in the order of versions or of time. Every method raises DatabaseAwayError.

    Each takes as long as what it is asked for is large, however much else is stored.
    """

    def __init__(self, database: Database, topic: str) -> None:
        self._database = database
        self._topic = topic

    async def next_offset(self, partition: int) -> int:
        """The next offset that a partition of the request topic will apply."""
        record = await self._database.row(statements.FIND_PROGRESS, self._topic, partition)
        return 0 if record is None else int(record["next_offset"])

    async def version_at(self, wallet_id: str, moment: datetime) -> int:
        """How many of the wallet's entries count as made at that moment or before.

        Entries are stamped by the clocks of workers, and in the order of versions stamps may run backwards by as much
        as those clocks differ. The answer is a version stamped then or before whose successor is stamped later.
        With several such, it is always the same one, and never a lower one for a later moment.
        """
        record = await self._database.row(statements.VERSION_AT, wallet_id, moment)
        return 0 if record is None else int(record["version"])

    async def legs(
        self, wallet_id: str, first: int, last: int, filters: Filters, elsewhere: Sequence[str] = ()
    ) -> list[Leg]:
        """The wallet's entries of these versions that pass, the newest first, without those out of ``elsewhere``."""
        rows = await self._database.rows(
            statements.LEGS, *filters.values, wallet_id, first, last, [one for one in elsewhere if one != wallet_id]
        )
        return [Leg(row["version"], transfer_row(row, "version")) for row in rows]

    async def failed(
        self, wallet_ids: Sequence[str], place: Place, count_max: int, filters: Filters, *, newer: bool
    ) -> list[Examined]:
        """Failed transfers out of these wallets, onwards from a place."""
        statement = statements.NEWER_FAILED if newer else statements.OLDER_FAILED
        return await self._examined(statement, filters, wallet_ids, place=place, newer=newer, count_max=count_max)

    async def all(self, place: Place, count_max: int, filters: Filters, *, newer: bool) -> list[Examined]:
        """Transfers of all wallets, onwards from a place."""
        statement = statements.NEWER_TRANSFERS if newer else statements.OLDER_TRANSFERS
        return await self._examined(statement, filters, place=place, newer=newer, count_max=count_max)

    async def marked(self, filters: Filters, wallet_ids: Sequence[str] | None) -> list[TransferRow] | None:
        """Every transfer with the reference or metadata of the filters that passes, of these wallets or of all.

        None when there are too many to say, or when nothing of that kind is asked for.
        """
        if filters.reference is None and not filters.metadata:
            return None
        statement = statements.BY_METADATA if filters.reference is None else statements.BY_REFERENCE
        rows = await self._database.search(
            CANDIDATES_TIMEOUT_S, statement, *filters.values, wallet_ids, CANDIDATES_MAX + 1
        )
        if rows is None or rows[0]["candidates"] > CANDIDATES_MAX:
            return None
        return [transfer_row(row, "candidates") for row in rows if row["transfer_id"] is not None]

    async def _examined(
        self, statement: str, filters: Filters, *values: Any, place: Place, newer: bool, count_max: int
    ) -> list[Examined]:
        is_included = place.is_above is not newer
        rows = await self._database.rows(
            statement, *filters.values, *values, place.completed_at, place.transfer_id, is_included, count_max
        )
        return [_examined(row) for row in rows]


def _examined(record: asyncpg.Record) -> Examined:
    return Examined(
        transfer_row(record, "passes"), passes=bool(record["passes"])
    )  # null where there is nothing to compare
