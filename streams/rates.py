"""What each wallet pays in a minute: an agent with a table, as an example for one's own (`docs/consumers.md`)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.headers import SOURCE_OFFSET
from schemas.money import format_units, parse_units
from schemas.rates import Rate, encode_rate
from schemas.settings import Settings
from schemas.topics import RATES_TABLE, TRANSFERS_OUTCOMES, TRANSFERS_RATES
from schemas.transfers import decode_outcome
from sinks.kafka.publisher import source_offset_of
from sinks.kafka.records import Consumed
from streams.line import exit_on_fault
from streams.tables import TableApp

State = Sequence[Any]
"""The last minute of a wallet and currency; its transfers, their units, and the last request that is counted."""


def counted(known: Mapping[str, State], records: Iterable[Consumed]) -> dict[tuple[str, str], State]:
    """By wallet and currency and by minute, what these outcomes make of it. A request counts once."""
    current: dict[str, State] = {}
    changed: dict[tuple[str, str], State] = {}
    for record in records:
        told, at = decode_outcome(record.value or b""), source_offset_of(record)
        key = f"{told.source_wallet_id} {told.currency}"
        last_minute, transfers, units, upto = current.get(key) or known.get(key) or ("", 0, 0, -1)
        if told.status == "COMPLETED" and at > upto:
            minute = max(last_minute, told.completed_at.isoformat()[:16])
            transfers, units = (transfers, units) if minute == last_minute else (0, 0)
            current[key] = changed[key, minute] = [minute, transfers + 1, units + parse_units(told.amount), at]
    return changed


def rates_app(settings: Settings) -> TableApp:
    """A consumer group of its own, which slows no other agent down."""
    app = TableApp("rates", settings)
    table, output = app.table_on(RATES_TABLE), app.raw_topic(TRANSFERS_RATES)

    async def count(batches: Any) -> None:
        async for batch in batches.noack().events():
            changed = counted(table, batch.value)
            for (key, _), (minute, transfers, units, upto) in changed.items():
                wallet_id, currency = key.split()
                rate = Rate(
                    wallet_id=wallet_id,
                    currency=currency,
                    minute=f"{minute}:00Z",
                    transfers=transfers,
                    volume=format_units(units),
                )
                headers = [(SOURCE_OFFSET, str(upto).encode())]
                await output.send(
                    key=wallet_id.encode(), value=encode_rate(rate), partition=batch.message.partition, headers=headers
                )
            await app.producer.flush()  # told before it is noted: after a crash it is told again rather than not
            table.update({key: state for (key, _), state in changed.items()})
            batch.ack()

    app.agent(app.raw_topic(TRANSFERS_OUTCOMES), name="rates")(lambda batches: exit_on_fault(count(batches)))
    return app
