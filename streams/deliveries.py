"""The deliveries stage: notifications in; those that somebody wants are queued, and delivered beside it.

Without a mail server, each is written to the log instead of being sent as an e-mail.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import msgspec
import structlog

from schemas.crash_points import CrashPoint
from schemas.notifications import NotificationKey, decode_key
from schemas.settings import Settings
from schemas.topics import NOTIFICATIONS
from sinks.channels import SEAL_PURPOSE
from sinks.crash import reach
from sinks.delivery.wanted import Wanted
from sinks.delivery_progress import DeliveryProgress, Move
from sinks.errors import ProgressMovedError
from sinks.kafka.publisher import Publisher
from sinks.kafka.records import Consumed
from sinks.log_delivery import LogDelivery
from sinks.postgres.pool import create_pool
from sinks.sealing import Seal
from sinks.tracing import tracing
from streams.deliverer import Deliverer
from streams.metrics import BATCH_SECONDS
from streams.stage import Commit, Outputs, Positions, refuse_shorter

KEYS_REMEMBERED_MAX = 100_000

CONNECTIONS_MAX = 4
"""For queueing, and for all deliveries that end at once."""

_log = structlog.get_logger(__name__)


class DeliveriesStage:
    """Queues each notification once. Only what goes to the log may go there again, after a crash."""

    agent = "deliveries"

    def __init__(self, settings: Settings, publisher: Publisher) -> None:
        self._settings = settings
        self._publisher = publisher
        self.input_topic = settings.topic_name(NOTIFICATIONS)
        self._delivery = LogDelivery() if settings.smtp_url is None else None
        self._next_offsets: Positions[int | None] = Positions(self._load_next_offsets)
        self._recent: dict[NotificationKey, None] = {}

    async def start(self) -> None:
        """Connect to PostgreSQL, and begin to deliver what is queued."""
        self._pool = await create_pool(self._settings, size_max=CONNECTIONS_MAX)
        self._progress = DeliveryProgress(self._pool, self.input_topic)
        seal = Seal.of(self._settings, SEAL_PURPOSE)
        self._wanted = Wanted(self._pool, seal, has_email=self._settings.smtp_url is not None)
        self._deliverer = Deliverer(self._settings, self._pool)
        self._deliverer.start()

    async def stop(self) -> None:
        """Let deliveries under way come to their end, for a bounded time, and disconnect."""
        await self._deliverer.stop()
        self._pool.terminate()

    async def resume_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        """Behind the last notification delivered; by the committed offset where none was."""
        loaded = await self._next_offsets.loaded(partitions)
        return {partition: offset for partition, offset in loaded.items() if offset is not None}

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop what is known of partitions that are no longer ours."""
        self._next_offsets.forget(partitions)

    async def prepare(self, batches: Mapping[int, Sequence[Consumed]]) -> Commit:
        """Nothing: everything about a delivery is an effect."""
        return partial(self._commit, batches)

    async def _commit(self, batches: Mapping[int, Sequence[Consumed]]) -> Outputs:
        with BATCH_SECONDS.labels(self.agent, "commit").time():
            return await self._deliver(batches)

    async def _deliver(self, batches: Mapping[int, Sequence[Consumed]]) -> Outputs:
        """Deliver, or queue, what is new of these notifications.

        Raises ProgressMovedError when another process has delivered meanwhile: before anything of ours goes out, as
        far as that one has noted it, and otherwise afterwards.
        """
        before = self._next_offsets.of(batches)
        if await self._progress.read(batches) != {p: offset for p, offset in before.items() if offset is not None}:
            raise ProgressMovedError(f"another delivers {self.input_topic}, of {sorted(batches)}")
        fresh = {partition: self._fresh(records, before[partition]) for partition, records in batches.items()}
        reach(CrashPoint.AFTER_DECODE)
        queued = await self._wanted.queued([value for values in fresh.values() for value in values])
        if self._delivery is not None:
            for partition, values in fresh.items():
                if values:
                    self._delivery.deliver(partition, values)
        reach(CrashPoint.BEFORE_COMMIT)
        moves = {
            partition: Move(before[partition], records[-1].offset + 1)
            for partition, records in batches.items()
            if records[-1].offset >= (before[partition] or 0)
        }
        if moves:
            with tracing().database("stream_progress", len(moves)):
                await self._progress.move(moves, queued)
            reach(CrashPoint.AFTER_COMMIT)
            if queued:
                self._deliverer.wake()
        for partition, move in moves.items():
            self._next_offsets.keep(partition, move.after)
        return []

    def _fresh(self, records: Sequence[Consumed], next_offset: int | None) -> list[bytes]:
        """The notifications not delivered yet, each transfer and recipient once."""
        fresh: list[bytes] = []
        for record in records:
            if record.offset < (next_offset or 0):
                continue
            value = record.value or b""
            try:
                key = decode_key(value)
            except msgspec.MsgspecError as error:  # nothing of ours: it tells nobody anything
                _log.error(
                    "notification.unreadable", partition=record.partition, offset=record.offset, error=str(error)
                )
                continue
            if key not in self._recent:
                self._recent[key] = None
                fresh.append(value)
        while len(self._recent) > KEYS_REMEMBERED_MAX:
            del self._recent[next(iter(self._recent))]
        return fresh

    async def _load_next_offsets(self, partitions: list[int]) -> dict[int, int | None]:
        found = await self._progress.read(partitions)
        await refuse_shorter(self._publisher, self.input_topic, found)
        return {partition: found.get(partition) for partition in partitions}
