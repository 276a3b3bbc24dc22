"""Brings a ledger that was restored to where it was: each outcome told since becomes the row that it was made of."""

import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from functools import partial

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from schemas.transfers import HOLD, TransferRequest
from sinks.errors import CannotFollowError, TransientError
from sinks.kafka.publisher import KafkaPublisher
from sinks.kafka.stretches import records_between
from sinks.kafka.tails import committed_reader, partitions_of
from sinks.ledger import statements
from sinks.ledger.facts import limited_payers, parents_named, with_drawn
from sinks.ledger.identity import sort_orders
from sinks.ledger.ledger import Ledger
from sinks.ledger.rules import decide
from sinks.ledger.spending import first_minute, minute_of
from sinks.ledger.transaction import stored_transfers
from sinks.ledger.types import Batch, Facts, Order, Parent, Transfer
from sinks.postgres.pool import connect, create_pool
from streams.beyond_ledger import assigned, last_told, orders_of, outcomes_from
from streams.following import Candidate, Following, Place, legs_of

LOCK_WAIT = "2s"
"""A worker that finds it cannot catch up tries again and again, and is done within this time."""

# The server's own default may be two hours, for which a machine that is gone would keep everybody waiting.
_KEEPALIVE = "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3"

ROWS_MAX = 5_000
"""In one transaction."""

GAP_OUTCOMES_MAX = 50_000
"""So many outcomes at most may follow on one that was not told. What was not told is a few thousand, committed in the
last moments of a process."""

GAP_REQUESTS_MAX = 20_000
"""So many requests of a partition at most are looked at for it."""

LOG_INTERVAL_S = 10.0

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def alone(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection that holds the right to bring the ledger and the topics together.

    Raises TransientError when another process keeps it for long, and what ``connect`` raises.
    """
    connection = await connect(settings)
    try:
        await connection.execute(f"set lock_timeout = '{LOCK_WAIT}'; {_KEEPALIVE}")
        try:
            await connection.execute(statements.RECOVERY_LOCK, settings.topic_name(TRANSFERS_REQUESTED))
        except asyncpg.LockNotAvailableError as error:
            raise TransientError("another process is bringing the ledger and the topics together") from error
        yield connection
    finally:
        connection.terminate()


async def catch_up(settings: Settings) -> int:
    """Make rows of the outcomes that the ledger does not have; how many. Only ``alone``; cut off, begin again.

    From now on, nobody who took a partition over before can publish. Raises CannotFollowError, KafkaError,
    TransientError, OSError and asyncpg's errors.
    """
    async with _restoring(settings) as (ledger, pool, consumer):
        told = await last_told(settings, consumer)
        return await _CatchingUp(settings, ledger, pool, consumer).run(told)


async def decide_again(settings: Settings) -> int:
    """Apply the requests of told outcomes that the ledger does not have anew; how many offsets. Only ``alone``.

    For a ledger that cannot catch up: what these come to may differ from what was told. Raises what ``catch_up`` does.
    """
    topic = settings.topic_name(TRANSFERS_REQUESTED)
    async with _restoring(settings) as (ledger, _, consumer):
        told = await last_told(settings, consumer)
        progress = await ledger.progress(list(told))
        applied = 0
        for where, (begin, _) in (await assigned(consumer, topic, told)).items():
            at, end = progress[where.partition], told[where.partition] + 1
            applied += max(0, end - at)
            async for records in records_between(consumer, where, (max(begin, at), max(begin, end))):
                reached = records[-1].offset + 1
                await ledger.apply_batches([_batch(where, at, reached, await orders_of(settings, records))])
                at = reached
            if at < end:  # requests that are not on the topic any more
                await ledger.apply_batches([_batch(where, at, end, [])])
        return applied


@asynccontextmanager
async def _restoring(settings: Settings) -> AsyncIterator[tuple[Ledger, asyncpg.Pool, AIOKafkaConsumer]]:
    async with AsyncExitStack() as stack:
        pool = await create_pool(settings, size_max=2)
        stack.callback(pool.terminate)
        consumer = await stack.enter_async_context(committed_reader(settings))
        publisher = KafkaPublisher(settings, settings.group_name("transfers"))
        await publisher.start()
        stack.push_async_callback(publisher.stop)
        # So that the ends of what was told stay where they are.
        outputs = [settings.topic_name(TRANSFERS_OUTCOMES), settings.topic_name(DEAD_LETTERS)]
        await publisher.take_over(outputs, await partitions_of(consumer, outputs[0]))
        yield Ledger(pool, settings.topic_name(TRANSFERS_REQUESTED), decide), pool, consumer


def _batch(where: TopicPartition, first_offset: int, next_offset: int, orders: Sequence[Order]) -> Batch:
    return Batch(partition=where.partition, first_offset=first_offset, next_offset=next_offset, orders=orders)


class _CatchingUp:
    """One run of ``catch_up``."""

    def __init__(self, settings: Settings, ledger: Ledger, pool: asyncpg.Pool, consumer: AIOKafkaConsumer) -> None:
        self._settings = settings
        self._ledger = ledger
        self._pool = pool
        self._consumer = consumer
        self._following: Following
        self._told: dict[int, AsyncGenerator[list[Transfer]]] = {}
        self._queues: dict[int, deque[Transfer]] = {}
        self._places: set[Place] | None = None
        self._candidates: dict[int, deque[Candidate]] = {}
        self._made = 0
        self._logged_s = time.monotonic()

    async def run(self, told: Mapping[int, int]) -> int:
        """How many rows were made."""
        progress = await self._ledger.progress(list(told))
        self._following = Following(progress)
        behind = [partition for partition, last in told.items() if last >= progress[partition]]
        topic = self._settings.topic_name(TRANSFERS_OUTCOMES)
        for where, bounds in (await assigned(self._consumer, topic, behind)).items():
            self._told[where.partition] = outcomes_from(self._consumer, where, bounds, progress[where.partition])
            self._queues[where.partition] = deque()
        while await self._take_all() or await self._fill():
            if self._following.rows >= ROWS_MAX:
                await self._write()
        await self._write()
        return self._made

    async def _take_all(self) -> bool:
        """Take what comes next, of each partition as much as may be. Whether anything was."""
        rows = self._following.rows
        for partition, queue in self._queues.items():
            if not queue:
                queue.extend(await anext(self._told[partition], []))
            await self._learn(queue)
            while queue and self._following.take(queue[0]):
                queue.popleft()
        return self._following.rows > rows

    async def _fill(self) -> bool:
        """Make a row that must have been and was not told. Whether there was one; False when all is done, too."""
        waiting = [queue[0] for queue in self._queues.values() if queue]
        if not waiting:
            return False
        if self._places is None:
            self._places = await self._read_on()
        free = [c for p, c in self._candidates.items() if c and not self._queues.get(p)]
        await self._learn([candidates[0].order.request for candidates in free])
        now = self._ledger.now()
        facts = await self._facts([candidates[0].order.request for candidates in free], now)
        filled = self._following.fill(waiting, self._places, [c[0] for c in free], partial(decide, facts=facts), now)
        if filled is None:
            raise CannotFollowError(
                f"transfer {waiting[0].transfer_id} was told to have followed on transfers that were not told, and no "
                "request that is left on the topic can have been one"
            )
        self._candidates[filled.partition].popleft()
        _log.warning("ledger.untold_transfer", partition=filled.partition, offset=filled.offset)
        return True

    async def _facts(self, requests: Sequence[TransferRequest], now: datetime) -> Facts:
        """What the rows tell, those taken and not written yet among them."""
        rows = [row for row in self._following.unwritten if row.reason is None]
        parent_ids = parents_named(requests)
        parents: dict[str, Parent] = {}
        if parent_ids:
            parents = with_drawn(await self._ledger.parents(parent_ids), parent_ids, rows)
        payers = limited_payers(requests, self._following.known(requests))
        spending = await self._ledger.spending(payers, first_minute(now)) if payers else {}
        for row in rows:
            if row.source_wallet_id in spending and row.parent_id is None:
                spending[row.source_wallet_id].add(minute_of(row.completed_at), row.units)
        return Facts(parents, {wallet_id: found.since(first_minute(now)) for wallet_id, found in spending.items()})

    async def _learn(self, parties: Collection[Transfer | TransferRequest]) -> None:
        unknown = self._following.unknown(parties)
        if unknown:
            await self._ledger.make_hold_wallets([party for party in parties if party.kind == HOLD])
            self._following.learn(unknown, await self._ledger.wallets(sorted(unknown)))

    async def _write(self) -> None:
        if not self._following.rows:
            return
        await self._ledger.write(*self._following.work(self._ledger.now()))
        self._made += self._following.rows
        self._following.written()
        if time.monotonic() - self._logged_s > LOG_INTERVAL_S:
            self._logged_s = time.monotonic()
            _log.info("ledger.catching_up", rows=self._made)

    async def _read_on(self) -> set[Place]:
        """Read all outcomes that are left, and the requests that may have been applied and not told of. Returns the
        places that outcomes have."""
        for partition, queue in self._queues.items():
            async for transfers in self._told[partition]:
                queue.extend(transfers)
                if len(queue) > GAP_OUTCOMES_MAX:
                    raise CannotFollowError(
                        f"transfer {queue[0].transfer_id} was told to have followed on transfers that were not told, "
                        f"more than {GAP_OUTCOMES_MAX} outcomes ago"
                    )
        told = {transfer.transfer_id for queue in self._queues.values() for transfer in queue}
        await self._read_candidates(told)
        return {(leg.wallet_id, leg.version) for q in self._queues.values() for t in q for leg in legs_of(t)}

    async def _read_candidates(self, told: set[str]) -> None:
        topic = self._settings.topic_name(TRANSFERS_REQUESTED)
        bounds = await assigned(self._consumer, topic, await partitions_of(self._consumer, topic))
        for where, (begin, end) in bounds.items():
            queue = self._queues.get(where.partition)
            after = queue[-1].request_offset + 1 if queue else self._following.next_offset(where.partition)
            found: deque[Candidate] = deque()
            last = min(end, after + GAP_REQUESTS_MAX)
            async for records in records_between(self._consumer, where, (max(begin, after), last)):
                came_ms = {record.offset: record.timestamp for record in records}
                orders = await self._new(await orders_of(self._settings, records))
                found.extend(Candidate(came_ms[o.offset], o) for o in orders if o.request.transfer_id not in told)
            self._candidates[where.partition] = found

    async def _new(self, orders: list[Order]) -> list[Order]:
        """Those that have no row and repeat none of these."""
        async with self._pool.acquire() as connection:
            return sort_orders(orders, await stored_transfers(connection, orders)).fresh
