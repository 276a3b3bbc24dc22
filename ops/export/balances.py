"""Rebuilds balances from the audit topic alone, as they were at a moment, and compares them with the ledger's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ops.export.database import audit_database
from ops.export.tail import Progress
from schemas.settings import Settings
from schemas.transfers import format_time
from sinks.postgres.pool import Connection, connect

_SQL = Path(__file__).parent / "sql"

ROWS_A_BATCH = 20_000
STATEMENT_TIMEOUT_S = 3600.0
EXAMPLES_MAX = 100

LEDGER = pa.schema(
    [
        pa.field("wallet_id", pa.string(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("balance", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True)
class Held:
    """What a wallet held."""

    wallet_id: str
    currency: str
    version: int
    balance: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A wallet of which audit and ledger do not say the same; versions and balances are None where there are none."""

    wallet_id: str
    problem: str
    audit_version: int | None
    audit_balance: str | None
    ledger_version: int | None
    ledger_balance: str | None


@dataclass(slots=True)
class BalanceReport:
    """What was compared, the differences (the first of them), and what the wallet held that was asked for."""

    at: datetime
    records: int
    wallets: int
    faults: int
    differences: list[Difference] = field(default_factory=list)
    totals: dict[str, str] = field(default_factory=dict)
    """By currency, what all wallets above zero held together."""
    wallet: Held | None = None

    @property
    def agrees(self) -> bool:
        """Whether audit and ledger say the same of every wallet."""
        return self.faults == 0

    def as_json(self) -> dict[str, Any]:
        """As a JSON object; amounts are decimal text."""
        return {
            "at": format_time(self.at),
            "agrees": self.agrees,
            "records": self.records,
            "wallets": self.wallets,
            "totals": self.totals,
            "wallet": self.wallet and asdict(self.wallet),
            "differences": self.faults,
            "examples": [asdict(found) for found in self.differences],
        }


async def compare_balances(
    settings: Settings,
    folder: Path,
    at: datetime,
    wallet_id: str | None = None,
    progress: Progress = lambda _read, _total: None,
) -> BalanceReport:
    """What the audit has of ``at``, of one wallet or of all, against the ledger.

    The ledger is read first: what it has, the audit must have, up to what is still on its way. Raises CommandError,
    TopicReadError, KafkaError, OSError and asyncpg.PostgresError.
    """
    async with _ledger(settings) as ledger:
        stored = [batch async for batch in _ledger_batches(ledger, at, wallet_id)]
    async with audit_database(settings, folder, progress) as database:
        return report_of(database, stored, at, wallet_id)


def report_of(
    database: duckdb.DuckDBPyConnection, stored: list[Any], at: datetime, wallet_id: str | None
) -> BalanceReport:
    """The verdict, in a database that has the audit, on what the ledger has: batches of wallet, version and balance."""
    database.register("stored", pa.Table.from_batches(stored, LEDGER))
    database.execute(
        "create table ledger_balances as select wallet_id, version, balance::decimal(18, 4) as balance from stored"
    )
    database.unregister("stored")
    # As text: a moment given as a parameter would need a package of time zones.
    moment = format_time(at)
    statement = (_SQL / "audit_balances.sql").read_text().replace("$at", "$at::timestamptz")
    database.execute(statement, {"at": moment, "wallet": wallet_id})
    database.execute((_SQL / "differences.sql").read_text())
    [(records,)] = database.execute("select count(*) from transfers").fetchall()
    [(wallets,)] = database.execute("select count(*) from audit_balances").fetchall()
    [(faults,)] = database.execute("select count(*) from differences").fetchall()
    report = BalanceReport(at, records, wallets, faults)
    first = f"select * from differences order by wallet_id limit {EXAMPLES_MAX}"  # noqa: S608 (our own number)
    report.differences = [
        Difference(wallet, problem, audit_version, _money(audit), ledger_version, _money(ledger))
        for wallet, problem, audit_version, audit, ledger_version, ledger in database.execute(first).fetchall()
    ]
    totals = "select currency, sum(balance) from audit_balances where balance > 0 group by currency order by currency"
    report.totals = {currency: str(total) for currency, total in database.execute(totals).fetchall()}
    if wallet_id is not None:
        held = database.execute("select wallet_id, currency, version, balance from audit_balances").fetchall()
        report.wallet = next(
            (Held(wallet, currency, version, str(is_)) for wallet, currency, version, is_ in held), None
        )
    return report


def _money(amount: Any) -> str | None:
    return None if amount is None else str(amount)


@asynccontextmanager
async def _ledger(settings: Settings) -> AsyncIterator[Connection]:
    database = await connect(settings)
    try:
        await database.execute("set idle_in_transaction_session_timeout = 0")
        async with database.transaction(isolation="repeatable_read", readonly=True):
            await database.execute("set local work_mem = '256MB'")
            yield database
    finally:
        await database.close()


async def _ledger_batches(ledger: Connection, at: datetime, wallet_id: str | None) -> AsyncIterator[Any]:
    statement = (_SQL / "ledger_balances.sql").read_text()
    cursor = await ledger.cursor(statement, at, wallet_id, timeout=STATEMENT_TIMEOUT_S)
    while rows := await cursor.fetch(ROWS_A_BATCH, timeout=STATEMENT_TIMEOUT_S):
        columns = [[row[name] for row in rows] for name in LEDGER.names]
        yield pa.record_batch(
            [pa.array(column, kind) for column, kind in zip(columns, LEDGER.types, strict=True)], schema=LEDGER
        )
