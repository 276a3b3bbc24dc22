"""A workload worked out beforehand: batches of rows in COPY's binary form, and what each changes in the wallets."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice

import asyncpg
from uuid_utils import uuid7

from bench.ours.requests import AMOUNT, FUNDS, TOO_MUCH
from bench.wallets import CURRENCY, wallet_id
from bench.workloads import Workload

COLUMNS = (
    *("transfer_id", "source_wallet_id", "destination_wallet_id", "amount", "currency", "status", "reason"),
    *("source_balance", "source_version", "destination_balance", "destination_version"),
    *("requested_at", "completed_at", "request_partition", "request_offset"),
)

_STAGE = "create temporary table prepared (like transfers)"
_ROWS = f"select {', '.join(COLUMNS)} from prepared"  # noqa: S608 (our own names)


@dataclass(slots=True)
class Batch:
    """So many rows, as COPY reads them, and for each wallet in them: what it gains, in how many transfers."""

    rows: int
    copied: bytes = b""
    wallets: list[str] = field(default_factory=list)
    units: list[int] = field(default_factory=list)
    legs: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Wallet:
    """A wallet's balance and version, and what a batch has done to them so far."""

    balance: int
    version: int = 0
    units: int = 0
    legs: int = 0

    def move(self, units: int) -> None:
        self.balance += units
        self.units += units
        self.version += 1
        self.legs += 1


async def prepare(database: asyncpg.Connection, workload: Workload, batch_records: int) -> list[Batch]:
    """The workload in batches of ``batch_records``. PostgreSQL itself puts rows into COPY's form, from a table of its
    own that is gone afterwards."""
    wallets: dict[int, _Wallet] = {}
    payers = {source for source, _, _ in workload.pairs()}
    pairs, batches, offset = workload.pairs(), list[Batch](), 0
    await database.execute(_STAGE)
    while chunk := list(islice(pairs, batch_records)):
        for number in {number for source, destination, _ in chunk for number in (source, destination)}:
            wallets.setdefault(number, _Wallet(FUNDS if number in payers else 0))
        rows = list(_rows(chunk, wallets, offset))
        offset += len(chunk)
        batches.append(_changes(len(chunk), wallets))
        await database.execute("truncate prepared")
        await database.copy_records_to_table("prepared", records=rows, columns=COLUMNS)
        output = io.BytesIO()
        await database.copy_from_query(_ROWS, output=output, format="binary")
        batches[-1].copied = output.getvalue()
    await database.execute("drop table prepared")
    return batches


def _rows(
    chunk: list[tuple[int, int, bool]], wallets: dict[int, _Wallet], first_offset: int
) -> Iterator[tuple[object, ...]]:
    now = datetime.now(UTC)
    for offset, (source, destination, fails) in enumerate(chunk, first_offset):
        ids = str(uuid7()), wallet_id(source), wallet_id(destination)
        if fails:
            yield *ids, Decimal(TOO_MUCH), CURRENCY, "FAILED", "insufficient_funds", *[None] * 4, now, now, 0, offset
            continue
        payer, payee, units = wallets[source], wallets[destination], int(Decimal(AMOUNT))
        payer.move(-units)
        payee.move(units)
        after = payer.balance, payer.version, payee.balance, payee.version
        yield *ids, Decimal(AMOUNT), CURRENCY, "COMPLETED", None, *after, now, now, 0, offset


def _changes(rows: int, wallets: dict[int, _Wallet]) -> Batch:
    batch = Batch(rows)
    for number, wallet in wallets.items():
        if wallet.legs:
            batch.wallets.append(wallet_id(number))
            batch.units.append(wallet.units)
            batch.legs.append(wallet.legs)
            wallet.units = wallet.legs = 0
    return batch
