"""Deciding ahead: the next batches on wallets kept in memory, while the last ones are still being written."""

from collections.abc import Collection, Sequence

import asyncpg
import msgspec
import structlog

from schemas.codes import FailureReason
from sinks.errors import ProgressMovedError, TransientError, VersionConflictError
from sinks.ledger.facts import parents_named, unusual, with_drawn
from sinks.ledger.identity import Sorted, sort_orders
from sinks.ledger.ledger import Ledger
from sinks.ledger.memory import WalletMemory
from sinks.ledger.spending import first_minute, minute_of
from sinks.ledger.transaction import wallets_of
from sinks.ledger.types import Applied, Batch, Facts, Order, Parent, Transfer, Verdict, WalletState
from sinks.metrics import COMMIT_RETRIES, VERSION_CONFLICTS
from sinks.postgres.retry import describe

PAUSE_BATCHES_MAX = 256
"""So many batches at most are decided under locks after another writer came in between."""

_BY_BALANCE = frozenset(
    {
        FailureReason.PARENT_NOT_FOUND,
        FailureReason.AMOUNT_EXCEEDS_REMAINING,
        FailureReason.LIMIT_EXCEEDED,
        FailureReason.INSUFFICIENT_FUNDS,
        FailureReason.BALANCE_OVERFLOW,
    }
)
"""What a payment of another worker might have changed: whatever is made to be drawn on, or drawn, moves the version of
the wallet that is drawn on. Wallets that do not exist or are not active are never kept in memory, and a currency never
changes."""

# The last of asyncpg's is a connection that was cut off in mid-use.
_IN_DOUBT = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    TransientError,
    OSError,
    TimeoutError,
)

_log = structlog.get_logger(__name__)


class Decision(msgspec.Struct):
    """Batches, and what was decided of them on this memory; ``verdict`` is None when it is left to the database."""

    batches: Sequence[Batch]
    found: Sorted
    verdict: Verdict | None
    memory: WalletMemory


class SpeculativeLedger:
    """A ledger in two steps, so that the one is done for the next batches while the other is under way for the last.

    ``decide`` works on wallets in memory, as the decisions before have left them. ``commit`` writes it, provided that
    the database finds every wallet at the version it was decided on; otherwise the memory is dropped, and these and
    all batches decided on it are decided again by the ledger, under locks. When other workers change the same wallets
    all the time, most guesses would be wrong: after each, more batches go without one.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._memory = WalletMemory()
        self._pause_batches = 1
        self._paused_batches_left = 0
        self._hits = 0
        self._ahead: list[Decision] = []

    async def progress(self, partitions: Collection[int]) -> dict[int, int]:
        """The offset of the next request to apply, of each of these partitions."""
        return await self._ledger.progress(partitions)

    async def has_rows(self, partitions: Collection[int], below: int) -> bool:
        """Whether any request of these partitions below an offset has a row."""
        return await self._ledger.has_rows(partitions, below)

    async def replay(self, orders: Sequence[Order]) -> Applied:
        """What orders that were applied before came to."""
        return await self._ledger.replay(orders)

    async def decide(self, batches: Sequence[Batch]) -> Decision:
        """Decide batches that follow on those decided before, of different partitions."""
        memory = self._memory
        found = sort_orders([order for batch in batches for order in batch.orders], {})
        if self._paused_batches_left > 0:
            return Decision(batches, found, None, memory)
        others = unusual(found.fresh)
        read, unknown = memory.recall(wallets_of(found.fresh))
        if unknown:
            if others:
                await self._ledger.make_hold_wallets(others)
            loaded = await self._ledger.wallets(unknown)
            memory.learn(loaded)
            read.update(loaded)
        now = self._ledger.now()
        payers = {order.request.source_wallet_id for order in found.fresh} & memory.limited if memory.limited else set()
        parents = await self._parents(memory, parents_named(others)) if others else {}
        spent = await self._spent(memory, payers, first_minute(now)) if payers else {}
        transfers, changed = self._ledger.decide(found.fresh, read, now, Facts(parents, spent))
        memory.keep(changed)
        if payers:
            _count_spending(memory, payers, transfers, minute_of(now))
        relied_on = _relied_on(transfers, changed, read)
        decision = Decision(batches, found, Verdict(transfers, changed, read, relied_on, now), memory)
        self._ahead.append(decision)
        return decision

    async def _parents(self, memory: WalletMemory, parent_ids: set[str]) -> dict[str, Parent]:
        """Never remembered, but read anew, since many draws come once: the wallets are known by then, and whatever is
        committed later moves the version of one. What is decided and may not be committed yet is added."""
        if not parent_ids:
            return {}
        ahead = [
            transfer
            for decision in self._ahead
            if decision.verdict is not None and decision.memory is memory
            for transfer in decision.verdict.transfers
            if transfer.reason is None and (transfer.transfer_id in parent_ids or transfer.parent_id in parent_ids)
        ]
        drawn = [transfer.transfer_id for transfer in ahead if transfer.parent_id in parent_ids]
        return with_drawn(await self._ledger.parents(parent_ids, drawn), parent_ids, ahead)

    async def _spent(self, memory: WalletMemory, payers: set[str], minute: int) -> dict[str, int]:
        spending = memory.spending
        unread = payers - spending.keys()
        if unread:
            spending.update(await self._ledger.spending(unread, minute))
        return {wallet_id: spending[wallet_id].since(minute) for wallet_id in payers}

    async def commit(self, decision: Decision) -> Applied:
        """Write what was decided, exactly once; wait for as long as the database is away.

        Call it for one decision after another, in their order. Raises what ``Ledger.apply_batches`` raises.
        """
        try:
            return await self._commit(decision)
        finally:
            self._ahead = [other for other in self._ahead if other is not decision]

    async def _commit(self, decision: Decision) -> Applied:
        if not decision.batches:
            return Applied([], [])
        if decision.verdict is None or decision.memory is not self._memory:
            self._paused_batches_left = max(0, self._paused_batches_left - 1)
            return await self._ledger.apply_batches(decision.batches)
        try:
            await self._ledger.write(decision.batches, decision.verdict)
        except ProgressMovedError:
            raise
        except _IN_DOUBT as error:
            COMMIT_RETRIES.inc()
            if isinstance(error, VersionConflictError):
                VERSION_CONFLICTS.inc()
            self._memory = WalletMemory()
            self._count(hit=not isinstance(error, VersionConflictError | asyncpg.DeadlockDetectedError))
            _log.info("ledger.guessed_wrong", error=describe(error), pause_batches=self._paused_batches_left)
            return await self._ledger.apply_batches(decision.batches, in_doubt=True)
        self._count(hit=True)
        return Applied(decision.verdict.transfers, decision.found.refused)

    def _count(self, *, hit: bool) -> None:
        """Each wrong guess doubles the pause after it; as many right ones as the last pause was long halve the next."""
        if not hit:
            self._paused_batches_left = self._pause_batches
            self._pause_batches = min(2 * self._pause_batches, PAUSE_BATCHES_MAX)
            self._hits = 0
            return
        self._hits += 1
        if self._hits >= self._pause_batches:
            self._pause_batches = max(1, self._pause_batches // 2)
            self._hits = 0


def _count_spending(memory: WalletMemory, payers: set[str], transfers: Sequence[Transfer], minute: int) -> None:
    for transfer in transfers:
        if transfer.source_wallet_id in payers and transfer.reason is None and transfer.parent_id is None:
            memory.spending[transfer.source_wallet_id].add(minute, transfer.units)


def _relied_on(
    transfers: Sequence[Transfer], changed: dict[str, WalletState], read: dict[str, WalletState]
) -> list[str]:
    refused = [transfer for transfer in transfers if transfer.reason in _BY_BALANCE]
    named = {wallet_id for t in refused for wallet_id in (t.source_wallet_id, t.destination_wallet_id)}
    return sorted(wallet_id for wallet_id in named if wallet_id in read and wallet_id not in changed)
