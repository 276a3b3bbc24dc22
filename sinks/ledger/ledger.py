"""The ledger as the transfers agent sees it: give it a batch, get what it came to, whatever the database does."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import asyncpg
import msgspec

from schemas.codes import DeadLetterCause
from sinks.errors import ProgressMovedError
from sinks.ledger import statements
from sinks.ledger.identity import sort_orders
from sinks.ledger.transaction import stored_transfers, write_orders
from sinks.ledger.types import Applied, Batch, Decide, Order, Refused
from sinks.postgres.faults import is_data_fault
from sinks.postgres.pool import Connection
from sinks.postgres.retry import describe, until_done


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """Applies batches of one request topic.

    Everything here waits for as long as the database is away, with a growing pause of at most 2 s between tries,
    and logs each; it raises only what no retry can mend.
    """

    def __init__(self, pool: asyncpg.Pool, topic: str, decide: Decide, now: Callable[[], datetime] = _utc_now) -> None:
        self._pool = pool
        self._topic = topic
        self._decide = decide
        self._now = now

    async def progress(self, partition: int) -> int:
        """The offset of the next request to apply in this partition."""
        async for attempt in until_done():
            with attempt:
                async with self._pool.acquire() as connection:
                    await connection.execute(statements.START_PROGRESS, self._topic, partition)
                    return await self._read_progress(connection, partition)
        raise AssertionError("retries end only with an answer")

    async def apply_batch(self, batch: Batch) -> Applied:
        """Apply a batch exactly once: its rows, its wallets and its progress change together or not at all.

        A batch that the database refuses for its data is halved until the record at fault stands alone.

        Raises ProgressMovedError when another worker has taken the partition over.
        """
        try:
            return await self._apply_with_retries(batch)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if not is_data_fault(error) or not batch.orders:
                raise
            if len(batch.orders) == 1:
                await self._apply_with_retries(msgspec.structs.replace(batch, orders=[]))
                return Applied([], [Refused(batch.orders[0], DeadLetterCause.UNPROCESSABLE, describe(error))])
        return await self._apply_halves(batch)

    async def replay(self, partition: int, orders: Sequence[Order]) -> Applied:
        """What orders that were applied before came to, read from the rows they made. Writes nothing."""
        async for attempt in until_done():
            with attempt:
                async with self._pool.acquire() as connection:
                    stored = await stored_transfers(connection, orders)
        found = sort_orders(orders, stored, partition)
        lost = [Refused(order, DeadLetterCause.UNPROCESSABLE, "refused when it was applied") for order in found.fresh]
        return Applied(found.own, sorted([*found.refused, *lost], key=lambda refused: refused.order.offset))

    async def _apply_halves(self, batch: Batch) -> Applied:
        middle = len(batch.orders) // 2
        between = batch.orders[middle].offset
        left = msgspec.structs.replace(batch, next_offset=between, orders=batch.orders[:middle])
        right = msgspec.structs.replace(batch, first_offset=between, orders=batch.orders[middle:])
        first, second = await self.apply_batch(left), await self.apply_batch(right)
        return Applied(first.transfers + second.transfers, first.refused + second.refused)

    async def _apply_with_retries(self, batch: Batch) -> Applied:
        async for attempt in until_done():
            with attempt:
                async with self._pool.acquire() as connection:
                    if attempt.num > 1:
                        # A connection lost at COMMIT leaves it open whether the batch is in: the progress tells.
                        progress = await self._read_progress(connection, batch.partition)
                        if progress == batch.next_offset != batch.first_offset:
                            return await self.replay(batch.partition, batch.orders)
                    return await self._apply_once(connection, batch)
        raise AssertionError("retries end only with an answer")

    async def _apply_once(self, connection: Connection, batch: Batch) -> Applied:
        # Nearly always every id is new, so the rows are looked for only once one turns out not to be.
        found = sort_orders(batch.orders, {}, batch.partition)
        try:
            return await self._write(connection, batch, found.fresh, Applied([], found.refused))
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name != "transfers_pkey":
                raise
        stored = await stored_transfers(connection, batch.orders)
        found = sort_orders(batch.orders, stored, batch.partition)
        return await self._write(connection, batch, found.fresh, Applied(found.own, found.refused))

    async def _write(self, connection: Connection, batch: Batch, fresh: list[Order], known: Applied) -> Applied:
        written = await write_orders(
            connection, topic=self._topic, batch=batch, orders=fresh, decide=self._decide, now=self._now()
        )
        transfers = [*known.transfers, *written]
        if known.transfers:
            transfers.sort(key=lambda transfer: transfer.request_offset)
        return Applied(transfers, known.refused)

    async def _read_progress(self, connection: Connection, partition: int) -> int:
        progress: int | None = await connection.fetchval(statements.READ_PROGRESS, self._topic, partition)
        if progress is None:
            raise ProgressMovedError(f"{self._topic}[{partition}] has no progress any more")
        return progress
