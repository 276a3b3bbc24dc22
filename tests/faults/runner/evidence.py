"""What the pipeline has left behind, read by the runner itself: rows, records, balances."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from uuid_utils import UUID

from ingest_api.hold_expiry import void_namespace
from schemas.headers import CAUSE
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
    completed_at: datetime | None = None


@dataclass(slots=True)
class Evidence:
    """By transfer id, wallet id, or (transfer id, recipient)."""

    rows: dict[str, Told] = field(default_factory=dict)
    outcomes: defaultdict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    audits: Counter[str] = field(default_factory=Counter)
    notifications: Counter[tuple[str, str]] = field(default_factory=Counter)
    dead_letters: list[str] = field(default_factory=list)
    """The cause of each, and what it was about."""
    balances: dict[str, int] = field(default_factory=dict)
    """Units of 0.0001 of every wallet."""
    owned: set[str] = field(default_factory=set)
    """Wallets that somebody owns, who is told of their transfers."""
    void_namespace: UUID = field(default_factory=lambda: UUID(int=0))
    """Out of which come the ids of the voids that the pipeline asks for itself."""


async def gather(settings: Settings) -> Evidence:
    """Read everything. Raises UnreadableError, KafkaError, OSError and asyncpg.PostgresError."""
    evidence = Evidence(void_namespace=void_namespace(settings.secret_key.get_secret_value()))
    async for record in read_topic(settings, settings.topic_name(TRANSFERS_OUTCOMES)):
        told = orjson.loads(record.value or b"")
        evidence.outcomes[told["transfer_id"]].append(_told(told))
    async for record in read_topic(settings, settings.topic_name(AUDIT)):
        evidence.audits[orjson.loads(record.value or b"")["transfer_id"]] += 1
    async for record in read_topic(settings, settings.topic_name(NOTIFICATIONS)):
        told = orjson.loads(record.value or b"")
        evidence.notifications[told["transfer_id"], told["recipient"]] += 1
    async for record in read_topic(settings, settings.topic_name(DEAD_LETTERS)):
        cause = dict(record.headers)[CAUSE].decode()
        evidence.dead_letters.append(f"{cause}: {(record.value or b'').decode()}")
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
                "(amount * $1)::bigint as units, kind, parent_id::text, expires_at, status, completed_at "
                "from transfers",
                UNITS_PER_ONE,
                prefetch=ROWS_AT_ONCE,
            ):
                transfer_id, *payment, status, completed_at = row.values()
                evidence.rows[transfer_id] = Told(Payment(*payment), status, completed_at)
    finally:
        await connection.close()


def _told(outcome: dict[str, Any]) -> Told:
    payment = Payment(
        outcome["source_wallet_id"],
        outcome["destination_wallet_id"],
        parse_amount(outcome["amount"]),
        outcome.get("kind"),
        outcome.get("parent_id"),
        datetime.fromisoformat(outcome["expires_at"]) if "expires_at" in outcome else None,
    )
    return Told(payment, outcome["status"], datetime.fromisoformat(outcome["completed_at"]))
