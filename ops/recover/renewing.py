"""Renews the topic of requests after its loss: what comes in stands behind everything that was ever applied.

The ledger names a request by its partition and offset, as do the outcomes and the receipts. A new topic counts from
0 again, so its records would be taken for others, applied long ago. Nobody can make a topic begin elsewhere, so it is
filled up to there with records that mean nothing, and these are deleted.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.default_records import DefaultRecordBatch

from ops.lag.reader import admin_client
from ops.recover.request_ids import id_of
from ops.recover.statements import KNOWN_IDS
from schemas.settings import Settings
from schemas.topics import RECORD_BYTES_MAX, TRANSFERS_REQUESTED
from sinks.kafka.options import client_options
from sinks.kafka.records import Consumed
from sinks.kafka.stretches import records_between
from sinks.kafka.tails import Bounds, bounds_of
from sinks.postgres.pool import Connection

FILLER = b"filler"
"""The value of a record that means nothing; it has no key. Nobody else's is like it."""

FILLERS_AT_ONCE = 100_000
"""In a record batch. Compressed they take a third of what a broker takes."""

FILLER_BYTES_MAX = 20

Progress = Callable[[int], None]
"""Told how many more offsets are filled."""


class Renewal:
    """Renews partitions of the request topic, one after another. While nobody works on it."""

    def __init__(
        self,
        settings: Settings,
        database: Connection,
        consumer: AIOKafkaConsumer,
        fillers: AIOKafkaProducer,
        mover: AIOKafkaProducer,
    ) -> None:
        self._settings = settings
        self._topic = settings.topic_name(TRANSFERS_REQUESTED)
        self._database = database
        self._consumer = consumer
        self._fillers = fillers
        self._mover = mover

    async def renew(self, partition: int, begin_at: int, progress: Progress, *, again: bool) -> int:
        """Let a partition begin at an offset; how many requests that came in below it were put behind it.

        Cut off, it is done ``again``; then a request may be put there twice, which is harmless. Raises KafkaError and
        asyncpg's errors.
        """
        where = TopicPartition(self._topic, partition)
        _, end = await self._bounds(where)
        spans = await self._fill(where, end, begin_at, progress)
        begin, end = await self._bounds(where)
        if not again:
            # What came in since the fill ended stands where it should.
            end = max([begin_at, *(span[1] for span in spans)])
        moved, last_filler = await self._move(where, _between(spans, (begin, end)))
        below = max([begin_at, last_filler + 1, *(span[1] for span in spans)])
        async with admin_client(self._settings) as admin:
            await admin.delete_records({where: RecordsToDelete(before_offset=below)})
        return moved

    async def _bounds(self, where: TopicPartition) -> Bounds:
        return (await bounds_of(self._consumer, where.topic, [where.partition]))[where]

    async def _fill(self, where: TopicPartition, end: int, begin_at: int, progress: Progress) -> list[Bounds]:
        """Where the fillers stand. Requests that come in meanwhile stand between them."""
        spans: list[Bounds] = []
        full = _batch(FILLERS_AT_ONCE)
        while end < begin_at:
            count = min(FILLERS_AT_ONCE, begin_at - end)
            batch = full if count == FILLERS_AT_ONCE else _batch(count)
            sent = await (await self._fillers.send_batch(batch, where.topic, partition=where.partition))
            end = sent.offset + count
            spans.append((sent.offset, end))
            progress(count)
        return spans

    async def _move(self, where: TopicPartition, spans: Sequence[Bounds]) -> tuple[int, int]:
        """Put the requests there, but for those that the ledger has, behind what there is; how many, and where the last
        filler stands that was read, or -1."""
        self._consumer.assign([where])
        moved, last_filler = 0, -1
        for span in spans:
            async for records in records_between(self._consumer, where, span):
                real = [record for record in records if not _is_filler(record)]
                if len(real) < len(records):
                    last_filler = max(record.offset for record in records if _is_filler(record))
                moved += await self._put(where, await self._unapplied(real))
        return moved, last_filler

    async def _put(self, where: TopicPartition, records: Sequence[Consumed]) -> int:
        sent = [
            await self._mover.send(where.topic, r.value, r.key, where.partition, headers=list(r.headers))
            for r in records
        ]
        for confirmed in sent:
            await confirmed
        return len(sent)

    async def _unapplied(self, records: Sequence[Consumed]) -> list[Consumed]:
        ids = {record.offset: transfer_id for record in records if (transfer_id := id_of(record)) is not None}
        rows = await self._database.fetch(KNOWN_IDS, list(ids.values())) if ids else []
        known = {row["transfer_id"] for row in rows}
        return [record for record in records if ids.get(record.offset) not in known]


@asynccontextmanager
async def renewal(settings: Settings, database: Connection, consumer: AIOKafkaConsumer) -> AsyncIterator[Renewal]:
    """A renewal with its connections. Raises KafkaError."""
    sizes = {"max_batch_size": RECORD_BYTES_MAX, "max_request_size": 2 * RECORD_BYTES_MAX}
    # The same batch goes out again and again, which the numbers of an idempotent producer would not allow.
    async with (
        AIOKafkaProducer(**client_options(settings), acks="all", **sizes) as fillers,
        AIOKafkaProducer(
            **client_options(settings), acks="all", enable_idempotence=True, compression_type="zstd", **sizes
        ) as mover,
    ):
        yield Renewal(settings, database, consumer, fillers, mover)


def _batch(count: int) -> BatchBuilder:
    batch = BatchBuilder(count * FILLER_BYTES_MAX + 1024, DefaultRecordBatch.CODEC_ZSTD)
    for _ in range(count):
        batch.append(timestamp=0, key=None, value=FILLER)
    batch.close()
    assert batch.record_count() == count  # noqa: S101
    return batch


def _is_filler(record: Consumed) -> bool:
    return record.value == FILLER and record.key is None and not record.headers


def _between(spans: Sequence[Bounds], bounds: Bounds) -> list[Bounds]:
    """What lies within the bounds and outside of the spans, which are in order."""
    found = []
    at, end = bounds
    for begin, behind in spans:
        if at < begin:
            found.append((at, min(begin, end)))
        at = max(at, behind)
    if at < end:
        found.append((at, end))
    return found
