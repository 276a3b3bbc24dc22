"""One transfer and whether its request has been applied, and what transfers were asked for with."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from sinks.directory import statements
from sinks.directory.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRow:
    """A transfer and the owners of its two wallets; amounts are decimal text."""

    transfer_id: str
    source_wallet_id: str
    destination_wallet_id: str
    amount: str
    currency: str
    status: str
    reason: str | None
    source_balance: str | None
    source_version: int | None
    destination_balance: str | None
    destination_version: int | None
    requested_at: datetime
    completed_at: datetime
    reference: str | None
    metadata: dict[str, str] | None
    kind: str | None = None
    parent_id: str | None = None
    expires_at: datetime | None = None
    source_user_id: str | None
    destination_user_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRequest:
    """What a transfer in the ledger was asked for with, and where that request stood; ``amount`` is decimal text."""

    transfer_id: str
    source_wallet_id: str
    destination_wallet_id: str
    amount: str
    currency: str
    reference: str | None
    metadata: dict[str, str] | None
    kind: str | None = None
    parent_id: str | None = None
    expires_at: datetime | None = None
    requested_at: datetime
    request_partition: int
    request_offset: int


@dataclass(frozen=True, slots=True)
class Found:
    """What one moment shows: the row if there is one, and the next offset that its partition will apply."""

    row: TransferRow | None
    next_offset: int | None


class Transfers:
    """The table of transfers, for reading. Raises DatabaseAwayError."""

    def __init__(self, database: Database, topic: str) -> None:
        self._database = database
        self._topic = topic

    async def find(self, transfer_id: str, partition: int | None) -> Found:
        """The transfer, and how far ``partition`` of the request topic has been applied at the same moment."""
        record = await self._database.row(statements.FIND_TRANSFER, transfer_id, self._topic, partition)
        if record is None:  # the statement always gives one row
            return Found(None, None)
        row = None if record["transfer_id"] is None else transfer_row(record, "next_offset")
        return Found(row, record["next_offset"])

    async def stored(self, transfer_ids: Sequence[str]) -> dict[str, StoredRequest]:
        """What those of these transfers that exist were asked for with."""
        records = await self._database.rows(statements.FIND_STORED, transfer_ids)
        return {record["transfer_id"]: StoredRequest(**_values(record)) for record in records}


def transfer_row(record: asyncpg.Record, beside: str) -> TransferRow:
    """The transfer of a record that has one more column, ``beside``."""
    values = _values(record)
    del values[beside]
    return TransferRow(**values)


def _values(record: asyncpg.Record) -> dict[str, Any]:
    values: dict[str, Any] = dict(record)
    if values["metadata"] is not None:
        values["metadata"] = msgspec.json.decode(values["metadata"])
    return values
