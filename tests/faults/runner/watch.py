"""Sees outcomes as any consumer of theirs would, and notes when each one came."""

import asyncio
import time
from dataclasses import dataclass, field

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES
from sinks.kafka.options import client_options

POLL_TIMEOUT_MS = 200


@dataclass(slots=True)
class Arrivals:
    """When outcomes came, by partition, and the first of each transfer. Times are of ``time.monotonic``."""

    by_partition: dict[int, list[float]] = field(default_factory=dict)
    first_s: dict[str, float] = field(default_factory=dict)

    def note(self, partition: int, transfer_id: str, now_s: float) -> None:
        """One has come."""
        self.by_partition.setdefault(partition, []).append(now_s)
        self.first_s.setdefault(transfer_id, now_s)


async def watch_outcomes(settings: Settings, arrivals: Arrivals) -> None:
    """Read from the first record on until cancelled, whatever happens to the brokers."""
    positions: dict[TopicPartition, int] = {
        TopicPartition(settings.topic_name(TRANSFERS_OUTCOMES), partition): 0
        for partition in range(settings.topic_partitions)
    }
    while True:  # until cancelled; each failure costs a pause
        try:
            await _read_on(settings, arrivals, positions)
        except (KafkaError, OSError):
            await asyncio.sleep(POLL_TIMEOUT_MS / 1000)


async def _read_on(settings: Settings, arrivals: Arrivals, positions: dict[TopicPartition, int]) -> None:
    consumer = AIOKafkaConsumer(
        **client_options(settings),
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="none",
        fetch_max_wait_ms=100,
        request_timeout_ms=5_000,
        retry_backoff_ms=100,
    )
    try:
        await consumer.start()
        consumer.assign(list(positions))
        for where, position in positions.items():
            consumer.seek(where, position)
        while True:  # until cancelled or cut off
            for where, records in (await consumer.getmany(timeout_ms=POLL_TIMEOUT_MS)).items():
                now_s = time.monotonic()
                for record in records:
                    arrivals.note(where.partition, orjson.loads(record.value or b"")["transfer_id"], now_s)
                    positions[where] = record.offset + 1
    finally:
        await consumer.stop()
