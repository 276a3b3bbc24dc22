"""What the pipeline has left behind, read by the runner itself: rows, records, balances."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from schemas.money import UNITS_PER_ONE, parse_amount
from schemas.settings import Settings
from schemas.topics import AUDIT, DEAD_LETTERS, NOTIFICATIONS, TRANSFERS_OUTCOMES
from sinks.postgres.pool import connect
from tests.faults.runner.book import Payment
from tests.faults.runner.reading import read_topic

ROWS_AT_ONCE = 5_000


class Told(NamedTuple):
    """What a row or an outcome says of a transfer."""

    payment: Payment
    status: str


@dataclass(slots=True)
class Evidence:
    """By transfer id, wallet id, or (transfer id, recipient)."""

    rows: dict[str, Told] = field(default_factory=dict)
    outcomes: defaultdict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    audits: Counter[str] = field(default_factory=Counter)
    notifications: Counter[tuple[str, str]] = field(default_factory=Counter)
    dead_letters: int = 0
    balances: dict[str, int] = field(default_factory=dict)
    """Units of 0.0001 of every wallet."""
    owned: set[str] = field(default_factory=set)
    """Wallets that somebody owns, who is told of their transfers."""


async def gather(settings: Settings) -> Evidence:
    """Read everything. Raises UnreadableError, KafkaError, OSError and asyncpg.PostgresError."""
    evidence = Evidence()
    async for record in read_topic(settings, settings.topic_name(TRANSFERS_OUTCOMES)):
        told = orjson.loads(record.value or b"")
        evidence.outcomes[told["transfer_id"]].append(_told(told))
    async for record in read_topic(settings, settings.topic_name(AUDIT)):
        evidence.audits[orjson.loads(record.value or b"")["transfer_id"]] += 1
    async for record in read_topic(settings, settings.topic_name(NOTIFICATIONS)):
        told = orjson.loads(record.value or b"")
        evidence.notifications[told["transfer_id"], told["recipient"]] += 1
    async for _ in read_topic(settings, settings.topic_name(DEAD_LETTERS)):
        evidence.dead_letters += 1
    await _read_ledger(settings, evidence)
    return evidence


async def _read_ledger(settings: Settings, evidence: Evidence) -> None:
    connection = await connect(settings)
    try:
        for row in await connection.fetch(
            "select wallet_id::text, (balance * $1)::bigint as units, user_id is not null as owned from wallets",
            UNITS_PER_ONE,
        ):
            evidence.balances[row["wallet_id"]] = row["units"]
            if row["owned"]:
                evidence.owned.add(row["wallet_id"])
        async with connection.transaction():
            async for row in connection.cursor(
                "select transfer_id::text, source_wallet_id::text, destination_wallet_id::text, "
                "(amount * $1)::bigint as units, status from transfers",
                UNITS_PER_ONE,
                prefetch=ROWS_AT_ONCE,
            ):
                payment = Payment(row["source_wallet_id"], row["destination_wallet_id"], row["units"])
                evidence.rows[row["transfer_id"]] = Told(payment, row["status"])
    finally:
        await connection.close()


def _told(outcome: dict[str, str]) -> Told:
    units = parse_amount(outcome["amount"])
    return Told(Payment(outcome["source_wallet_id"], outcome["destination_wallet_id"], units), outcome["status"])
