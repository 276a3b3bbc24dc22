"""Deciding ahead of the commit, on a real PostgreSQL: right guesses are written, wrong ones decided again."""

from typing import Any

import asyncpg
import pytest
from builders import an_order, new_id, repeat_of
from counted import Since
from ledger_wallets import batch, make_wallet, wallet

from schemas.codes import DeadLetterCause, FailureReason
from schemas.holds import hold_wallet_id
from sinks.directory.statements import SET_WALLET_STATUS
from sinks.errors import ProgressMovedError
from sinks.ledger.ledger import Ledger
from sinks.ledger.rules import decide
from sinks.ledger.speculation import SpeculativeLedger
from sinks.ledger.types import Applied, Batch

TOPIC = "requests"


class CountingLedger(Ledger):
    """Counts what reaches the database, and loses connections on request."""

    reads = 0
    careful = 0
    lose: str | None = None
    lost: type[Exception] = ConnectionResetError

    async def wallets(self, wallet_ids: Any) -> Any:
        self.reads += 1
        return await super().wallets(wallet_ids)

    async def apply_batches(self, batches: Any, *, in_doubt: bool = False) -> Any:
        self.careful += 1
        return await super().apply_batches(batches, in_doubt=in_doubt)

    async def write(self, batches: Any, verdict: Any) -> None:
        if self.lose == "before commit":
            raise self.lost
        await super().write(batches, verdict)
        if self.lose == "after commit":
            raise self.lost


class World:
    """A payer with 1000 units, a payee, and the offsets given out so far."""

    def __init__(self, pool: asyncpg.Pool, payer: str, payee: str) -> None:
        self.pool, self.payer, self.payee = pool, payer, payee
        self.inner = CountingLedger(pool, TOPIC, decide)
        self.ledger = SpeculativeLedger(self.inner)
        self.offset = 0

    def payment(self, units: int, **extra: Any) -> Batch:
        order = an_order(
            self.offset, units, **{"source_wallet_id": self.payer, "destination_wallet_id": self.payee} | extra
        )
        self.offset += 1
        return batch([order])

    async def apply(self, *batches: Batch) -> Applied:
        return await self.ledger.commit(await self.ledger.decide(batches))

    async def pay(self, units: int) -> str | None:
        [transfer] = (await self.apply(self.payment(units))).transfers
        return transfer.reason


@pytest.fixture
async def world(pool: asyncpg.Pool) -> World:
    world = World(pool, await make_wallet(pool, 1000), await make_wallet(pool))
    await world.ledger.progress([0])
    return world


async def test_wallets_are_read_once_and_versions_go_on(world: World) -> None:
    assert [await world.pay(100) for _ in range(3)] == [None, None, None]
    assert (world.inner.reads, world.inner.careful) == (1, 0)
    assert await wallet(world.pool, world.payer) == (700, 3)
    assert await wallet(world.pool, world.payee) == (300, 3)
    rows = await world.pool.fetch("select source_version, destination_version from transfers order by 1")
    assert [tuple(row) for row in rows] == [(1, 1), (2, 2), (3, 3)]


async def test_batches_are_decided_on_what_is_not_committed_yet(world: World) -> None:
    first = await world.ledger.decide([world.payment(900)])
    second = await world.ledger.decide([world.payment(200)])
    third = await world.ledger.decide([world.payment(100)])
    reasons = [(await world.ledger.commit(one)).transfers[0].reason for one in (first, second, third)]
    assert reasons == [None, FailureReason.INSUFFICIENT_FUNDS, None]
    assert await wallet(world.pool, world.payer) == (0, 2)
    assert world.inner.careful == 0


async def test_a_payment_by_another_worker_is_noticed(world: World) -> None:
    await world.pay(100)
    other = SpeculativeLedger(Ledger(world.pool, TOPIC, decide))
    await other.progress([1])
    theirs = an_order(0, 600, partition=1, source_wallet_id=world.payer, destination_wallet_id=world.payee)
    await other.commit(await other.decide([batch([theirs])]))
    first = await world.ledger.decide([world.payment(400)])
    second = await world.ledger.decide([world.payment(300)])
    counted = Since()
    reasons = [(await world.ledger.commit(one)).transfers[0].reason for one in (first, second)]
    assert reasons == [FailureReason.INSUFFICIENT_FUNDS, None], "both are decided again"
    assert (counted("hfts_version_conflicts_total"), counted("hfts_commit_retries_total")) == (1, 1)
    assert await wallet(world.pool, world.payer) == (0, 3)
    assert world.inner.careful == 2


async def test_money_that_came_in_behind_our_back_can_be_spent(world: World) -> None:
    """A refusal changes no row, so the wallets it is due to are checked, too."""
    await world.pay(1000)
    other = Ledger(world.pool, TOPIC, decide)
    await other.progress([1])
    back = an_order(0, 500, partition=1, source_wallet_id=world.payee, destination_wallet_id=world.payer)
    await other.apply_batches([batch([back])])
    assert await world.pay(500) is None
    assert await wallet(world.pool, world.payer) == (0, 3)


async def test_a_wallet_is_frozen_and_released_at_once(world: World) -> None:
    await world.pay(100)
    changes = (("frozen", FailureReason.WALLET_FROZEN), ("active", None), ("closed", FailureReason.WALLET_CLOSED))
    for status, reason in changes:
        await world.pool.execute("update wallets set status = $2 where wallet_id = $1", world.payee, status)
        assert await world.pay(100) == reason
        assert await world.pay(100) == reason
    assert await wallet(world.pool, world.payee) == (300, 3)


@pytest.mark.parametrize("side", ["payer", "payee"])
@pytest.mark.parametrize(("status", "reason"), [("frozen", "wallet_frozen"), ("closed", "wallet_closed")])
async def test_a_wallet_that_changes_between_decision_and_commit(
    world: World, side: str, status: str, reason: str
) -> None:
    """The worker has it in memory, as active. What was decided on that is decided again."""
    if side == "payer":
        await world.pay(1000)  # only an empty wallet is closed
    decided = [await world.ledger.decide([world.payment(1)]) for _ in range(2)]
    wallet_id = getattr(world, side)
    assert await world.pool.fetchrow(SET_WALLET_STATUS, wallet_id, status, ["active"], hold_wallet_id(wallet_id))
    assert [(await world.ledger.commit(each)).transfers[0].reason for each in decided] == [reason, reason]
    assert (await wallet(world.pool, wallet_id))[0] == 0


async def test_a_wallet_made_after_a_payment_to_it_failed_is_found(world: World) -> None:
    wallet_id = new_id()
    for reason in (FailureReason.WALLET_NOT_FOUND, None):
        [transfer] = (await world.apply(world.payment(1, destination_wallet_id=wallet_id))).transfers
        assert transfer.reason == reason
        user = "insert into users (email, password_hash) values ('late@example.com', '') returning user_id"
        if reason:
            await world.pool.execute(
                "insert into wallets (wallet_id, user_id, currency) values ($1, $2, 'USD')",
                wallet_id,
                await world.pool.fetchval(user),
            )


async def test_a_repeat_of_a_stored_transfer_is_found(world: World) -> None:
    first = world.payment(100)
    await world.apply(first)
    [order] = first.orders
    again = await world.apply(batch([repeat_of(order, 1)]))
    assert (again.transfers, again.refused) == ([], [])
    other = await world.apply(batch([repeat_of(order, 2, reference="other")]))
    assert [refused.cause for refused in other.refused] == [DeadLetterCause.TRANSFER_ID_REUSED]
    world.offset = 3
    assert await world.pay(100) is None
    assert await wallet(world.pool, world.payer) == (800, 2)


async def test_a_poison_record_is_isolated(world: World) -> None:
    poison = world.payment(1, metadata={"k": "nul \x00"})
    following = await world.ledger.decide([poison])
    last = await world.ledger.decide([world.payment(5)])
    assert [r.cause for r in (await world.ledger.commit(following)).refused] == [DeadLetterCause.UNPROCESSABLE]
    assert [t.reason for t in (await world.ledger.commit(last)).transfers] == [None]
    assert await wallet(world.pool, world.payer) == (995, 1)


@pytest.mark.parametrize("error", [ConnectionResetError, asyncpg.InternalClientError])
@pytest.mark.parametrize("moment", ["before commit", "after commit"])
async def test_a_lost_connection_is_settled_by_the_progress(world: World, moment: str, error: type[Exception]) -> None:
    await world.pay(100)
    decided = [await world.ledger.decide([world.payment(units)]) for units in (200, 300)]
    world.inner.lose, world.inner.lost = moment, error
    counted = Since()
    assert [t.units for t in (await world.ledger.commit(decided[0])).transfers] == [200]
    world.inner.lose = None
    assert [t.units for t in (await world.ledger.commit(decided[1])).transfers] == [300]
    assert (counted("hfts_version_conflicts_total"), counted("hfts_commit_retries_total")) == (0, 1)
    assert await wallet(world.pool, world.payer) == (400, 3)


async def test_a_partition_that_another_has_taken_over_is_left_alone(world: World) -> None:
    mine = await world.ledger.decide([world.payment(100)])
    await Ledger(world.pool, TOPIC, decide).apply_batches([batch([an_order(0, 1)])])
    with pytest.raises(ProgressMovedError):
        await world.ledger.commit(mine)
    assert await wallet(world.pool, world.payer) == (1000, 0)


async def test_the_more_guesses_are_wrong_the_fewer_are_made(world: World) -> None:
    other = Ledger(world.pool, TOPIC, decide)
    await other.progress([1])
    careful = []
    for number in range(20):
        theirs = an_order(number, 1, partition=1, source_wallet_id=world.payer, destination_wallet_id=world.payee)
        before = world.inner.careful
        decision = await world.ledger.decide([world.payment(1)])
        await other.apply_batches([batch([theirs])])
        await world.ledger.commit(decision)
        careful.append(world.inner.careful - before)
    guesses = sum(1 for decision in careful if decision == 0)
    assert guesses == 0
    assert world.inner.reads <= 5, "after a wrong guess 1, 2, 4 and 8 batches go without one"
    assert await wallet(world.pool, world.payer) == (960, 40)
