"""The agent that counts what wallets pay, killed and started again."""

import asyncio
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import stamina
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from plain_topics import put_records, records_of
from private_words import assert_nothing_private
from told_outcomes import outcome
from workers import running

from ops.lag.reader import admin_client
from schemas.headers import SOURCE_OFFSET
from schemas.settings import Settings
from schemas.topics import EVERY_TOPIC, RATES_TABLE, TRANSFERS_OUTCOMES, TRANSFERS_RATES, Topic
from schemas.transfers import encode_outcome
from sinks.kafka.records import Record
from sinks.kafka.topics import ensure_topics
from streams.transport import EXIT_SOFTWARE

RATES = (sys.executable, "-P", "-m", "ops", "rates")
NOW = datetime.now(UTC)
ADA, BOB = str(uuid4()), str(uuid4())
WRITTEN = "what a sender wrote"


class NotYetError(Exception):
    """It has not come to it."""


def told(source_offsets: Iterable[int], wallet_id: str) -> list[Record]:
    own_texts = {"reference": "for ada@example.com", "metadata": {"note": WRITTEN}}
    said = encode_outcome(outcome(source_wallet_id=wallet_id, completed_at=NOW, amount="2.5000", **own_texts))
    return [Record(b"key", said, [(SOURCE_OFFSET, str(offset).encode())]) for offset in source_offsets]


async def take_at_most(settings: Settings, topic: Topic, limits: dict[str, str]) -> None:
    wanted = ConfigResource(ConfigResourceType.TOPIC, settings.topic_name(topic), {**topic.config, **limits})
    async with admin_client(settings) as admin:
        [response] = await admin.alter_configs([wanted])
    assert [code for code, *_ in response.resources] == [0]


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

    await put_records(settings, topic, 0, told(range(5), ADA))
    # What is told and cannot be noted.
    await take_at_most(settings, RATES_TABLE, {"max.message.bytes": "1"})
    async with running(settings, tmp_path / "first.log", RATES) as process:
        assert await asyncio.wait_for(process.wait(), 60) == EXIT_SOFTWARE
    await take_at_most(settings, RATES_TABLE, {})
    # What is told, and perhaps noted, but not committed yet.
    async with running(settings, tmp_path / "second.log", RATES) as process:
        await put_records(settings, topic, 1, told([3], BOB))
        await come_to(BOB, 1)
        process.kill()
        await process.wait()
    await put_records(settings, topic, 0, told(range(7), ADA))  # five of them stand there twice now
    async with running(settings, tmp_path / "third.log", RATES):
        found = await come_to(ADA, 7)
    assert found[ADA] == {
        "wallet_id": ADA,
        "currency": "USD",
        "minute": NOW.strftime("%Y-%m-%dT%H:%M:00Z"),
        "transfers": 7,
        "volume": "17.5000",
    }
    assert found[BOB]["transfers"] == 1
    await assert_nothing_private(settings, WRITTEN, topics=(TRANSFERS_RATES, RATES_TABLE))
