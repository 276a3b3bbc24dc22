"""The ledger as the transfers agent sees it: give it a batch, get what it came to, whatever the database does."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime

import asyncpg
import msgspec

from schemas.codes import DeadLetterCause
from schemas.transfers import TransferRequest
from sinks.errors import ProgressMovedError, VersionConflictError
from sinks.ledger import statements
from sinks.ledger.facts import make_hold_wallets, read_parents, read_spending, unusual
from sinks.ledger.identity import Sorted, sort_orders
from sinks.ledger.spending import Spending
from sinks.ledger.transaction import has_rows, lock_decide_and_write, read_wallets, stored_transfers, write
from sinks.ledger.types import Applied, Batch, Decide, Order, Parent, Refused, Transfer, Verdict, WalletState
from sinks.metrics import COMMIT_RETRIES
from sinks.postgres.faults import is_data_fault
from sinks.postgres.pool import Connection
from sinks.postgres.retry import describe, until_done
from sinks.tracing import tracing


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
        self.decide = decide
        self.now = now

    async def progress(self, partitions: Collection[int]) -> dict[int, int]:
        """The offset of the next request to apply, of each of these partitions."""
        async for attempt in until_done():
            with attempt:
                async with self._pool.acquire() as connection:
                    await connection.execute(statements.START_PROGRESS, self._topic, partitions)
                    return await self._read_progress(connection, partitions)
        raise AssertionError("retries end only with an answer")

    async def has_rows(self, partitions: Collection[int], below: int) -> bool:
        """Whether any request of these partitions below an offset has a row. May take long if none has."""
        async for attempt in until_done():
            with attempt:
                async with self._pool.acquire() as connection:
                    return await has_rows(connection, partitions, below)
        raise AssertionError("retries end only with an answer")

    async def wallets(self, wallet_ids: Collection[str]) -> dict[str, WalletState]:
        """Those of these wallets that exist, as they are committed."""
        async for attempt in until_done():
            with attempt:
                async with self._pool.acquire() as connection:
                    return await read_wallets(connection, wallet_ids)
        raise AssertionError("retries end only with an answer")

    async def make_hold_wallets(self, parties: Sequence[TransferRequest | Transfer]) -> None:
        """Make the hold wallets that holds among these name and that do not exist."""
        async for attempt in until_done():
            with attempt:
                async with self._pool.acquire() as connection:
                    await make_hold_wallets(connection, parties)

    async def parents(self, parent_ids: Collection[str], aside: Collection[str] = ()) -> dict[str, Parent]:
        """Those of these transfers that are completed, and what the draws on them, but for ``aside``, have left."""
        async for attempt in until_done():
            with attempt:
                async with self._pool.acquire() as connection:
                    return await read_parents(connection, parent_ids, aside)
        raise AssertionError("retries end only with an answer")

    async def spending(self, wallet_ids: Collection[str], minute: int) -> dict[str, Spending]:
        """What has left each of these wallets from a minute on, as it is committed."""
        async for attempt in until_done():
            with attempt:
                async with self._pool.acquire() as connection:
                    return await read_spending(connection, wallet_ids, minute)
        raise AssertionError("retries end only with an answer")

    async def write(self, batches: Sequence[Batch], verdict: Verdict) -> None:
        """Try once to write what was decided beforehand.

        Raises VersionConflictError when it was decided on wallets that have changed since, ProgressMovedError, and
        the errors of asyncpg; with all but a lost connection, nothing is written.
        """
        async with self._pool.acquire() as connection:
            with tracing().database("transfers", len(verdict.transfers)):
                await write(connection, topic=self._topic, batches=batches, verdict=verdict)

    async def apply_batches(self, batches: Sequence[Batch], *, in_doubt: bool = False) -> Applied:
        """Apply batches of different partitions exactly once: rows, wallets and progress change together.

        The wallets are locked while it is decided. ``in_doubt``: the batches may be in already. When the database
        refuses them for their data, they are taken one by one, and one is halved until the record at fault stands
        alone.

        Raises ProgressMovedError when another worker has taken a partition over.
        """
        try:
            return await self._apply_with_retries(batches, in_doubt=in_doubt)
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if not is_data_fault(error) or not any(batch.orders for batch in batches):
                raise
            fault = describe(error)
        if len(batches) > 1:
            return _joined([await self.apply_batches([batch]) for batch in batches])
        [batch] = batches
        if len(batch.orders) > 1:
            return _joined([await self.apply_batches([half]) for half in _halves(batch)])
        await self._apply_with_retries([msgspec.structs.replace(batch, orders=[])])
        return Applied([], [Refused(batch.orders[0], DeadLetterCause.UNPROCESSABLE, fault)])

    async def replay(self, orders: Sequence[Order]) -> Applied:
        """What orders that were applied before came to, read from the rows they made. Writes nothing."""
        async for attempt in until_done():
            with attempt:
                async with self._pool.acquire() as connection:
                    stored = await stored_transfers(connection, orders)
        found = sort_orders(orders, stored)
        lost = [Refused(order, DeadLetterCause.UNPROCESSABLE, "refused when it was applied") for order in found.fresh]
        return Applied(found.own, sorted([*found.refused, *lost], key=lambda refused: refused.order.offset))

    async def _apply_with_retries(self, batches: Sequence[Batch], *, in_doubt: bool = False) -> Applied:
        async for attempt in until_done():
            if attempt.num > 1:
                COMMIT_RETRIES.inc()
            with attempt:
                async with self._pool.acquire() as connection:
                    # A connection lost at COMMIT leaves it open whether the batches are in: the progress tells.
                    if (in_doubt or attempt.num > 1) and await self._are_in(connection, batches):
                        return await self.replay([order for batch in batches for order in batch.orders])
                    return await self._apply_once(connection, batches)
        raise AssertionError("retries end only with an answer")

    async def _apply_once(self, connection: Connection, batches: Sequence[Batch]) -> Applied:
        # Nearly always every id is new, so the rows are looked for only once one turns out not to be.
        orders = [order for batch in batches for order in batch.orders]
        found = sort_orders(orders, {})
        try:
            return await self._write(connection, batches, found)
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name != "transfers_pkey":
                raise
        found = sort_orders(orders, await stored_transfers(connection, orders))
        try:
            return await self._write(connection, batches, found)
        except asyncpg.UniqueViolationError as error:
            if error.constraint_name != "transfers_pkey":
                raise
            raise VersionConflictError("another partition stored one of these ids just now") from error

    async def _write(self, connection: Connection, batches: Sequence[Batch], found: Sorted) -> Applied:
        with tracing().database("transfers", len(found.fresh)):
            await make_hold_wallets(connection, unusual(found.fresh))
            written = await lock_decide_and_write(
                connection, topic=self._topic, batches=batches, orders=found.fresh, decide=self.decide, now=self.now()
            )
        transfers = [*found.own, *written]
        if found.own:
            transfers.sort(key=lambda transfer: transfer.request_offset)
        return Applied(transfers, found.refused)

    async def _are_in(self, connection: Connection, batches: Sequence[Batch]) -> bool:
        wanted = {batch.partition: batch.next_offset for batch in batches}
        return await self._read_progress(connection, wanted) == wanted

    async def _read_progress(self, connection: Connection, partitions: Iterable[int]) -> dict[int, int]:
        asked = list(partitions)
        rows = await connection.fetch(statements.READ_PROGRESS, self._topic, asked)
        found: dict[int, int] = {row["partition"]: row["next_offset"] for row in rows}
        if len(found) != len(asked):
            raise ProgressMovedError(f"{self._topic}: partitions of {asked} have no progress any more")
        return found


def _halves(batch: Batch) -> tuple[Batch, Batch]:
    middle = len(batch.orders) // 2
    between = batch.orders[middle].offset
    return (
        msgspec.structs.replace(batch, next_offset=between, orders=batch.orders[:middle]),
        msgspec.structs.replace(batch, first_offset=between, orders=batch.orders[middle:]),
    )


def _joined(parts: Sequence[Applied]) -> Applied:
    return Applied(
        [transfer for part in parts for transfer in part.transfers],
        [refused for part in parts for refused in part.refused],
    )
