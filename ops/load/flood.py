"""As many requests as asked for, as fast as it goes; how fast they are applied is counted in the database."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer

from ops.lag.reader import applied_offsets
from ops.load.kafka_sender import KafkaSender, Keyed
from ops.load.report import FloodReport
from ops.load.wallets import STALLED_S_MAX, StalledError, behind
from ops.topic_reader import group_free_consumer, partition_counts, topic_spans
from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES
from sinks.postgres.pool import Connection

POLL_INTERVAL_S = 0.05

Progress = Callable[[str, int, int], None]
"""Told for a stage (sent, applied, published) how many of how many."""


async def flood(
    settings: Settings,
    sender: KafkaSender,
    database: Connection,
    records: Iterable[Keyed],
    *,
    count: int,
    rows: int,
    progress: Progress = lambda _stage, _done, _all: None,
) -> FloodReport:
    """Send ``count`` records, of which ``rows`` become rows, and wait until all outcomes are published.

    Nobody else may send meanwhile. Raises StalledError when nothing moves for a minute, and KafkaError.
    """
    topic = settings.topic_name(TRANSFERS_OUTCOMES)
    counts = await partition_counts(settings, [topic])
    async with group_free_consumer(settings) as consumer:
        gauge = _Gauge(settings, database, consumer, counts, count, rows, progress)
        await gauge.start()
        watching = asyncio.create_task(gauge.watch())
        try:
            start_s = time.monotonic()
            sent = await sender.send_batches(records)
            send_s = time.monotonic() - start_s
            gauge.sent_ends = sent.ends
            progress("sent", sent.records, count)
            await watching
        finally:
            watching.cancel()
    return FloodReport(
        sent=sent.records,
        send_s=send_s,
        applied=rows,
        apply_s=gauge.applied_s - gauge.first_s,
        publish_s=gauge.published_s - gauge.first_s,
    )


@dataclass(slots=True)
class _Gauge:
    """Polls how many requests are applied and outcomes published since the start, and notes when.

    Applied is everything when each partition is applied behind the last record sent to it. Outcomes are counted by the
    end offsets of their topic, so a worker that takes partitions over meanwhile, which leaves a transaction marker in
    each, is counted as that many outcomes more. Whoever wants to know exactly asks reconcile.
    """

    settings: Settings
    database: Connection
    consumer: AIOKafkaConsumer
    counts: dict[str, int]
    count: int
    rows: int
    progress: Progress
    sent_ends: Mapping[int, int] | None = None
    """The end of each partition once everything is sent."""
    applied_before: int = 0
    published_before: int = 0
    first_s: float = 0.0
    applied_s: float = 0.0
    published_s: float = 0.0

    async def start(self) -> None:
        """Note where everything stands."""
        self.applied_before = sum((await self._applied()).values())
        self.published_before = await self._published()
        self.first_s = time.monotonic()

    async def watch(self) -> None:
        """Poll until everything is applied and published."""
        seen, moved_s = (-1, -1), time.monotonic()
        while True:  # ends with the last outcome, or when nothing moves
            offsets = await self._applied()
            now_s = time.monotonic()
            published = await self._published() - self.published_before
            applied = self._note(offsets, published, now_s)
            if self.applied_s and published >= self.rows:
                return
            if (applied, published) != seen:
                seen, moved_s = (applied, published), now_s
            if now_s - moved_s > STALLED_S_MAX:
                raise StalledError(
                    f"{applied:,} of {self.count:,} requests are applied and {published:,} of {self.rows:,} outcomes "
                    f"published, and nothing has moved for {STALLED_S_MAX:.0f} s. Is a worker running?"
                )
            await asyncio.sleep(POLL_INTERVAL_S)

    def _note(self, offsets: Mapping[int, int], published: int, now_s: float) -> int:
        applied = min(self.count, sum(offsets.values()) - self.applied_before)  # offsets count markers, too
        self.progress("applied", applied, self.count)
        self.progress("published", min(self.rows, published), self.rows)
        if applied == 0:
            self.first_s = now_s  # the first commit comes after this poll
        if self.sent_ends is not None and not self.applied_s and behind(offsets, self.sent_ends.items()) == 0:
            self.applied_s = now_s
        self.published_s = time.monotonic()
        return applied

    async def _applied(self) -> dict[int, int]:
        return await applied_offsets(self.database, self.settings)

    async def _published(self) -> int:
        return sum(span.end for span in await topic_spans(self.consumer, self.counts))
