"""Watches the outcomes topic for what becomes of the requests that were sent."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from ops.load.latency import Latencies
from ops.topic_reader import group_free_consumer, partition_counts
from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES


class _Seen(msgspec.Struct, gc=False):
    transfer_id: str
    reason: str | None


_DECODER = msgspec.json.Decoder(_Seen)


class OutcomeWatcher:
    """Knows which transfers are still awaited, and how long the others took from their intended time."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._intended_s: dict[str, float] = {}
        self.latencies = Latencies()
        self.results: Counter[str] = Counter()
        """By reason of failure, or ``COMPLETED``."""

    def expect(self, transfer_id: str, intended_s: float) -> None:
        """A transfer is about to be sent; ``intended_s`` is on ``time.monotonic``."""
        self._intended_s[transfer_id] = intended_s

    def give_up(self, transfer_id: str) -> None:
        """It was not accepted after all."""
        self._intended_s.pop(transfer_id, None)

    @property
    def awaited(self) -> int:
        """Transfers without an outcome so far."""
        return len(self._intended_s)

    async def settle(self, timeout_s: float) -> int:
        """Wait for what is awaited; how many have no outcome when nothing has come for ``timeout_s``."""
        left, moved_s = self.awaited, time.monotonic()
        while self.awaited and time.monotonic() - moved_s < timeout_s:
            await asyncio.sleep(0.05)
            if self.awaited != left:
                left, moved_s = self.awaited, time.monotonic()
        return self.awaited

    async def watch(self) -> None:
        """Read until cancelled."""
        while True:
            polled = await self._consumer.getmany(timeout_ms=1_000)
            now_s = time.monotonic()
            for records in polled.values():
                for record in records:
                    self._note(record.value, now_s)

    def _note(self, value: bytes | None, now_s: float) -> None:
        seen = _DECODER.decode(value or b"{}")
        intended_s = self._intended_s.pop(seen.transfer_id, None)
        if intended_s is not None:
            self.latencies.add(now_s - intended_s)
            self.results[seen.reason or "COMPLETED"] += 1


@asynccontextmanager
async def outcome_watcher(settings: Settings) -> AsyncIterator[OutcomeWatcher]:
    """A watcher that reads from the present ends on. A failure of its reading is raised at the end."""
    topic = settings.topic_name(TRANSFERS_OUTCOMES)
    count = (await partition_counts(settings, [topic]))[topic]
    async with group_free_consumer(settings) as consumer:
        partitions = [TopicPartition(topic, partition) for partition in range(count)]
        consumer.assign(partitions)
        for partition, end in (await consumer.end_offsets(partitions)).items():
            consumer.seek(partition, end)
        watcher = OutcomeWatcher(consumer)
        task = asyncio.create_task(watcher.watch())
        try:
            yield watcher
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if not task.cancelled():
            task.result()
