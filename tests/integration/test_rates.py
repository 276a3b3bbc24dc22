"""The agent that counts what wallets pay, killed and started again."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import stamina
from plain_topics import put_records, records_of
from told_outcomes import outcome
from workers import running

from schemas.headers import SOURCE_OFFSET
from schemas.settings import Settings
from schemas.topics import EVERY_TOPIC, TRANSFERS_OUTCOMES, TRANSFERS_RATES
from schemas.transfers import encode_outcome
from sinks.kafka.records import Record
from sinks.kafka.topics import ensure_topics

RATES = (sys.executable, "-P", "-m", "ops", "rates")
NOW = datetime.now(UTC)
ADA, BOB = str(uuid4()), str(uuid4())


class NotYetError(Exception):
    """It has not come to it."""


def told(source_offsets: Iterable[int], wallet_id: str) -> list[Record]:
    said = encode_outcome(outcome(source_wallet_id=wallet_id, completed_at=NOW, amount="2.5000"))
    return [Record(b"key", said, [(SOURCE_OFFSET, str(offset).encode())]) for offset in source_offsets]


async def test_nothing_is_counted_twice_or_lost_when_it_is_killed(settings: Settings, tmp_path: Path) -> None:
    await ensure_topics(settings, EVERY_TOPIC)
    topic = settings.topic_name(TRANSFERS_OUTCOMES)

    async def rates() -> dict[str, Any]:
        """The last record of each wallet."""
        found = [orjson.loads(record.value or b"") for record in await records_of(settings, TRANSFERS_RATES)]
        return {rate["wallet_id"]: rate for rate in found}

    async def come_to(wallet_id: str, transfers: int) -> dict[str, Any]:
        async for attempt in stamina.retry_context(on=NotYetError, attempts=None, timeout=60, wait_max=0.5):
            with attempt:
                found = await rates()
                if found.get(wallet_id, {}).get("transfers", 0) < transfers:
                    raise NotYetError
        return found

    async with running(settings, tmp_path / "first.log", RATES) as process:
        await put_records(settings, topic, 0, told(range(5), ADA))
        await put_records(settings, topic, 1, told([3], BOB))
        await come_to(ADA, 5)
        await come_to(BOB, 1)
        process.kill()
        await process.wait()
    await put_records(settings, topic, 0, told(range(7), ADA))  # five of them stand there twice now
    async with running(settings, tmp_path / "second.log", RATES):
        found = await come_to(ADA, 7)
    assert found[ADA] == {
        "wallet_id": ADA,
        "currency": "USD",
        "minute": NOW.strftime("%Y-%m-%dT%H:%M:00Z"),
        "transfers": 7,
        "volume": "17.5000",
    }
    assert found[BOB]["transfers"] == 1
