"""Compares what is told with what is committed, for as long as the process runs.

It begins at the present end: what was before is for `hfts reconcile`. Each look reads the outcomes that are new and
compares them with their rows, and looks among them for rows that were committed a while ago. Up to 1,000 transfers a
second that is all of them. Beyond, it is a sample: the newest of each partition, one after the other, every two
seconds.

A ledger that was restored lacks rows until its workers have made them again. An outcome whose request it has not
applied yet is compared later. While a server is away nothing is compared, and nothing is taken for a difference.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from ops.background import pause
from ops.monitor.stream_check import ROUNDS_KEPT, Difference, History, Kind, Row, Told, compare, read_told
from ops.monitor.stream_metrics import Compared, StreamMetrics
from ops.monitor.stream_reading import Plan, plan_reading
from ops.monitor.watching import watching
from ops.topic_reader import TopicReadError, group_free_consumer, partition_counts, read_spans, topic_spans
from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from sinks.directory.database import Database
from sinks.errors import DatabaseAwayError
from sinks.kafka.publisher import source_offset_of
from sinks.kafka.records import Consumed
from sinks.kafka.tails import bounds_of, last_between
from sinks.ledger.transaction import transfer_of
from sinks.postgres.statements import read_statement

INTERVAL_S = 2.0
RETRY_S = 5.0

LOOK_S_MAX = 30.0
"""A look that takes longer hangs on a broker or the database, and is begun again over new connections."""

SETTLED = timedelta(seconds=20)
"""Rows are looked for when they have been committed for so long: nearly all are told within a second."""

OFFSETS_MAX = 2_000
"""Outcomes read in one look, and rows looked for. Each outcome takes some 40 µs here and 8 µs of the database: 4 % of a
core at most."""

CHUNK_RECORDS = 250
"""So few at once that nobody else waits for long in this process."""

FETCH_BYTES_MAX = 256 * 1024

LOGGED_MAX = 10
"""Of the differences of a look so many are logged one by one."""

_FAULTS = (
    TopicReadError,
    KafkaError,
    DatabaseAwayError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    TimeoutError,
)
_ROWS_OF_TOLD = read_statement(__file__, "rows_of_told")
_SETTLED_ROWS = read_statement(__file__, "settled_rows")
_log = structlog.get_logger(__name__)


class StreamWatch:
    """Where it has come to, and what it has found."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.compared = Compared()
        self._settings = settings
        self._database = database
        self._topic = settings.topic_name(TRANSFERS_OUTCOMES)
        self._history: History | None = None
        self._positions: dict[int, int] = {}
        self._begins: deque[datetime] = deque(maxlen=ROUNDS_KEPT)

    async def run(self, ending: asyncio.Event) -> None:
        """Look again and again until the end is asked for."""
        while not ending.is_set():
            try:
                await self._follow(ending)
            except _FAULTS as error:
                _log.warning("stream.not_compared", error=f"{type(error).__name__}: {error}")
                await pause(ending, RETRY_S)

    async def _follow(self, ending: asyncio.Event) -> None:
        counts = await partition_counts(self._settings, [self._topic])
        async with group_free_consumer(self._settings, fetch_bytes_max=FETCH_BYTES_MAX) as consumer:
            while not ending.is_set():
                async with asyncio.timeout(LOOK_S_MAX):
                    await self.look(consumer, counts)
                await pause(ending, INTERVAL_S)

    async def look(self, consumer: AIOKafkaConsumer, counts: dict[str, int]) -> None:
        """Compare what is new. Raises what Kafka and PostgreSQL raise; then nothing counts as compared."""
        now: datetime = (await self._database.rows("select clock_timestamp()"))[0][0]
        if self._history is None:
            self._history = await self._begin(consumer)
            self.compared.checked_upto = now - SETTLED
            return
        plan = plan_reading(self._positions, await topic_spans(consumer, counts), OFFSETS_MAX)
        told, positions, differences = await self._read(consumer, plan)
        begins = [outcomes[0].outcome.completed_at for outcomes in told.values()]
        rows, checked_upto = await self._settled_rows(now - SETTLED, [*self._begins, *begins])
        # Nothing is noted before everything has been read.
        for partition in plan.anew:
            self._history.forget(partition)
        differences += self._history.read(told, plan.passed_over)
        differences += self._history.look_for(rows)
        self._positions = positions
        if begins:
            self._begins.append(min(begins))
        self.compared.outcomes += sum(map(len, told.values()))
        self.compared.passed_over += plan.offsets_passed_over
        self.compared.checked_upto = checked_upto
        self._note(differences, self._history, now)

    async def _begin(self, consumer: AIOKafkaConsumer) -> History:
        """At the present ends."""
        counts = await partition_counts(self._settings, [self._topic])
        bounds = await bounds_of(consumer, self._topic, range(counts[self._topic]))
        last = await last_between(consumer, bounds)
        self._positions = {where.partition: end for where, (_, end) in bounds.items()}
        return History({where.partition: source_offset_of(last.get(where)) for where in bounds})

    async def _read(
        self, consumer: AIOKafkaConsumer, plan: Plan
    ) -> tuple[dict[int, list[Told]], dict[int, int], list[Difference]]:
        """The outcomes of a plan that are to be compared, where to read on, and how they differ from their rows."""
        told: dict[int, list[Told]] = {}
        positions = {span.partition: span.end for span in plan.spans}
        differences: list[Difference] = []
        held_back = set[int]()
        async for where, records in read_spans(consumer, plan.spans, records_per_poll=CHUNK_RECORDS):
            if where.partition in held_back:
                continue
            readable, unreadable = _readable(records)
            differences += unreadable
            for each, is_applied, row in await self._with_rows(readable):
                if row is None and not is_applied:
                    positions[where.partition] = each.offset
                    held_back.add(where.partition)
                    break
                told.setdefault(where.partition, []).append(each)
                difference = compare(each, row)
                if difference is not None:
                    differences.append(difference)
        return told, positions, [found for found in differences if found.at < positions[found.partition]]

    async def _with_rows(self, told: Sequence[Told]) -> list[tuple[Told, bool, Any]]:
        if not told:
            return []
        found = await self._database.rows(
            _ROWS_OF_TOLD,
            self._settings.topic_name(TRANSFERS_REQUESTED),
            [each.outcome.transfer_id for each in told],
            [each.partition for each in told],
            [each.source_offset for each in told],
        )
        return [(each, row["is_applied"], _row(row)) for each, row in zip(told, found, strict=True)]

    async def _settled_rows(self, upto: datetime, begins: Sequence[datetime]) -> tuple[list[Row], datetime]:
        """Those behind the ones that were looked for last, and where to go on behind them.

        Where more come in than are looked for, it goes on where a reading of the topic began: of the rows of that time
        the outcomes have been read.
        """
        after = self.compared.checked_upto
        found = [Row(*row) for row in await self._database.rows(_SETTLED_ROWS, after, upto, OFFSETS_MAX)]
        if len(found) < OFFSETS_MAX:
            return found, upto if after is None else max(upto, after)
        last = found[-1].completed_at
        return found, max((begin for begin in begins if last < begin <= upto), default=last)

    def _note(self, differences: Sequence[Difference], history: History, now: datetime) -> None:
        for difference in differences[:LOGGED_MAX]:
            _log.error("stream.differs", **difference._asdict())
        self.compared.differences.update(difference.kind for difference in differences)
        since = history.untold_since()
        self.compared.untold_s = 0.0 if since is None else max(0.0, (now - since).total_seconds())
        self.compared.looked_at_s = time.time()


def _readable(records: Sequence[Consumed]) -> tuple[list[Told], list[Difference]]:
    told: list[Told] = []
    unreadable: list[Difference] = []
    for record in records:
        try:
            told.append(read_told(record))
        except ValueError as error:  # msgspec's errors are ValueErrors too
            unreadable.append(Difference(Kind.UNREADABLE, record.partition, record.offset, str(error)[:500]))
    return told, unreadable


def _row(found: asyncpg.Record) -> Any:
    columns: Any = dict(found)
    del columns["is_applied"]
    return None if columns["transfer_id"] is None else transfer_of(columns)


@asynccontextmanager
async def stream_watched(settings: Settings, database: Database) -> AsyncIterator[StreamWatch]:
    """Watch, and tell Prometheus, until the end of the block."""
    watch = StreamWatch(settings, database)
    async with watching(watch.run, "stream-watch", StreamMetrics(watch.compared, time.time)):
        yield watch
