"""The ledger on a real PostgreSQL."""

import asyncio
from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec
import pytest
from builders import an_order, new_id, repeat_of
from ledger_wallets import batch, make_wallet, wallet

from schemas.codes import DeadLetterCause, FailureReason
from sinks.errors import ProgressMovedError, VersionConflictError
from sinks.ledger.ledger import Ledger
from sinks.ledger.rules import decide
from sinks.ledger.types import Batch

TOPIC = "requests"


@pytest.fixture
def ledger(pool: asyncpg.Pool) -> Ledger:
    return Ledger(pool, TOPIC, decide)


async def test_a_batch_changes_wallets_rows_and_progress_together(ledger: Ledger, pool: asyncpg.Pool) -> None:
    source, destination = await make_wallet(pool, 1000), await make_wallet(pool)
    assert await ledger.progress([0]) == {0: 0}
    orders = [
        an_order(
            0, 300, source_wallet_id=source, destination_wallet_id=destination, metadata={"k": "v"}, reference="r"
        ),
        an_order(1, 800, source_wallet_id=source, destination_wallet_id=destination),
        an_order(2, 100, source_wallet_id=destination, destination_wallet_id=source),
        an_order(3, 100, source_wallet_id=source, destination_wallet_id=new_id()),
    ]
    applied = await ledger.apply_batches([batch(orders, end=9)])
    assert [t.reason for t in applied.transfers] == [
        None,
        FailureReason.INSUFFICIENT_FUNDS,
        None,
        FailureReason.WALLET_NOT_FOUND,
    ]
    assert applied.refused == []
    assert await wallet(pool, source) == (800, 2)
    assert await wallet(pool, destination) == (200, 2)
    assert await ledger.progress([0]) == {0: 9}
    entries = await pool.fetch(
        "select wallet_id::text, version, amount::text, balance::text from entries order by 1, 2"
    )
    assert {(e["wallet_id"], e["version"], e["amount"], e["balance"]) for e in entries} == {
        (source, 1, "-0.0300", "0.0700"),
        (source, 2, "0.0100", "0.0800"),
        (destination, 1, "0.0300", "0.0300"),
        (destination, 2, "-0.0100", "0.0200"),
    }
    replayed = await ledger.replay(orders)
    assert replayed == applied, "the rows tell the same as the decision did"


async def test_a_batch_without_orders_moves_the_progress(ledger: Ledger) -> None:
    await ledger.progress([0])
    assert (await ledger.apply_batches([Batch(partition=0, first_offset=0, next_offset=5, orders=[])])).transfers == []
    assert await ledger.progress([0]) == {0: 5}


async def test_repeats_change_nothing_and_reused_ids_are_refused(ledger: Ledger, pool: asyncpg.Pool) -> None:
    source, destination = await make_wallet(pool, 1000), await make_wallet(pool)
    await ledger.progress([0])
    await ledger.progress([1])
    first = an_order(0, 100, source_wallet_id=source, destination_wallet_id=destination)
    same = repeat_of(first, 1)
    other = repeat_of(first, 2, reference="other")
    applied = await ledger.apply_batches([batch([first, same, other])])
    assert [t.request_offset for t in applied.transfers] == [0]
    assert [(r.order.offset, r.cause) for r in applied.refused] == [(2, DeadLetterCause.TRANSFER_ID_REUSED)]

    fresh = an_order(5, 100, source_wallet_id=source, destination_wallet_id=destination)
    later = await ledger.apply_batches([batch([repeat_of(first, 3), repeat_of(other, 4), fresh], first=3)])
    assert [t.request_offset for t in later.transfers] == [5]
    assert [r.order.offset for r in later.refused] == [4]
    elsewhere = await ledger.apply_batches([batch([repeat_of(first, 0, partition=1)])])
    assert (elsewhere.transfers, elsewhere.refused) == ([], [])
    assert await wallet(pool, source) == (800, 2)
    again = await ledger.replay([first, same, other, repeat_of(first, 3), repeat_of(other, 4), fresh])
    assert [t.request_offset for t in again.transfers] == [0, 5]
    assert [r.order.offset for r in again.refused] == [2, 4]


async def test_partitions_are_applied_in_one_transaction_or_none_of_them(ledger: Ledger, pool: asyncpg.Pool) -> None:
    source, destination = await make_wallet(pool, 1000), await make_wallet(pool)
    for partition in range(3):
        await ledger.progress([partition])
    batches = [
        batch([an_order(0, 100, partition=p, source_wallet_id=source, destination_wallet_id=destination)], end=1 + p)
        for p in range(3)
    ]
    moved = msgspec.structs.replace(batches[1], first_offset=9, next_offset=10)
    with pytest.raises(ProgressMovedError):
        await ledger.apply_batches([batches[0], moved, batches[2]])
    assert await wallet(pool, source) == (1000, 0)
    applied = await ledger.apply_batches(batches)
    assert [(t.request_partition, t.source_version) for t in applied.transfers] == [(0, 1), (1, 2), (2, 3)]
    assert await ledger.progress(range(3)) == {0: 1, 1: 2, 2: 3}


async def test_a_poison_record_leaves_the_other_partitions_whole(ledger: Ledger, pool: asyncpg.Pool) -> None:
    source, destination = await make_wallet(pool, 1000), await make_wallet(pool)
    batches = []
    for partition in range(3):
        await ledger.progress([partition])
        orders = [
            an_order(n, 10, partition=partition, source_wallet_id=source, destination_wallet_id=destination)
            for n in range(3)
        ]
        batches.append(batch(orders))
    poison = repeat_of(batches[1].orders[1], 1, partition=1, reference="nul \x00 byte")
    batches[1] = batch([batches[1].orders[0], poison, batches[1].orders[2]])
    applied = await ledger.apply_batches(batches)
    assert [(t.request_partition, t.request_offset) for t in applied.transfers] == [
        (0, 0), (0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (2, 2),
    ]  # fmt: skip
    assert [(r.order.partition, r.order.offset) for r in applied.refused] == [(1, 1)]
    assert await wallet(pool, source) == (920, 8)


async def test_a_worker_that_lost_its_partition_changes_nothing(ledger: Ledger, pool: asyncpg.Pool) -> None:
    source, destination = await make_wallet(pool, 1000), await make_wallet(pool)
    await ledger.progress([0])
    mine = batch([an_order(0, 100, source_wallet_id=source, destination_wallet_id=destination)])
    theirs = batch([an_order(0, 200, source_wallet_id=source, destination_wallet_id=destination)])
    await ledger.apply_batches([theirs])
    with pytest.raises(ProgressMovedError):
        await ledger.apply_batches([mine])
    assert await wallet(pool, source) == (800, 1)
    assert await pool.fetchval("select count(*) from transfers") == 1


async def test_of_two_workers_with_one_batch_one_wins(pool: asyncpg.Pool) -> None:
    source, destination = await make_wallet(pool, 10_000), await make_wallet(pool)
    one, other = Ledger(pool, TOPIC, decide), Ledger(pool, TOPIC, decide)
    await one.progress([0])
    contested = batch([an_order(n, 1, source_wallet_id=source, destination_wallet_id=destination) for n in range(50)])
    results = await asyncio.gather(
        one.apply_batches([contested]), other.apply_batches([contested]), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["Applied", "ProgressMovedError"]
    assert await wallet(pool, source) == (9_950, 50)


@pytest.mark.parametrize(
    "poison",
    [
        {"reference": "nul \x00 byte"},
        {"metadata": {"k": "nul \x00"}},
        {"reference": "\ud800"},
        {"currency": "TOOLONG"},
        {"transfer_id": "not-a-uuid"},
    ],
    ids=str,
)
async def test_a_poison_record_is_isolated_and_the_rest_goes_through(
    ledger: Ledger, pool: asyncpg.Pool, poison: dict[str, Any]
) -> None:
    source, destination = await make_wallet(pool, 1000), await make_wallet(pool)
    await ledger.progress([0])
    orders = [an_order(n, 10, source_wallet_id=source, destination_wallet_id=destination) for n in range(9)]
    orders[5] = repeat_of(orders[5], 5, **poison)
    applied = await ledger.apply_batches([batch(orders, end=12)])
    assert [t.request_offset for t in applied.transfers] == [0, 1, 2, 3, 4, 6, 7, 8]
    assert [(r.order.offset, r.cause) for r in applied.refused] == [(5, DeadLetterCause.UNPROCESSABLE)]
    assert await wallet(pool, source) == (920, 8)
    assert await ledger.progress([0]) == {0: 12}


async def test_a_wallet_changed_behind_the_ledgers_back_is_read_again(pool: asyncpg.Pool) -> None:
    """A decision made on an old version is never written: here the first attempt decides on one."""
    source, destination = await make_wallet(pool, 1000), await make_wallet(pool)
    stale = [True]

    def decide_on_stale_state(orders: Any, wallets: Any, now: Any, facts: Any) -> Any:
        if stale:
            stale.pop()
            wallets[source] = msgspec.structs.replace(wallets[source], version=77, units=999_999)
        return decide(orders, wallets, now, facts)

    ledger = Ledger(pool, TOPIC, decide_on_stale_state)
    await ledger.progress([0])
    order = an_order(0, 2000, source_wallet_id=source, destination_wallet_id=destination)
    applied = await ledger.apply_batches([batch([order])])
    assert [t.reason for t in applied.transfers] == [FailureReason.INSUFFICIENT_FUNDS]
    assert not stale
    assert issubclass(VersionConflictError, Exception)


@pytest.mark.parametrize("committed", [True, False])
async def test_a_connection_lost_at_commit_is_settled_by_the_progress(
    pool: asyncpg.Pool,
    monkeypatch: pytest.MonkeyPatch,
    committed: bool,
) -> None:
    source, destination = await make_wallet(pool, 1000), await make_wallet(pool)
    ledger = Ledger(pool, TOPIC, decide)
    await ledger.progress([0])
    ordinary = Ledger._apply_once
    losses = [ConnectionResetError("lost at COMMIT")]

    async def lose_the_answer(self: Ledger, connection: Any, given: Sequence[Batch]) -> Any:
        if losses and not committed:
            raise losses.pop()
        applied = await ordinary(self, connection, given)
        if losses:
            raise losses.pop()
        return applied

    monkeypatch.setattr(Ledger, "_apply_once", lose_the_answer)
    order = an_order(0, 100, source_wallet_id=source, destination_wallet_id=destination)
    applied = await ledger.apply_batches([batch([order])])
    assert [t.request_offset for t in applied.transfers] == [0]
    assert await wallet(pool, source) == (900, 1)


async def test_partitions_that_share_wallets_do_not_deadlock(ledger: Ledger, pool: asyncpg.Pool) -> None:
    wallets = [await make_wallet(pool, 1_000_000) for _ in range(6)]
    rounds, size = 15, 30

    async def run(partition: int) -> None:
        await ledger.progress([partition])
        for number in range(rounds):
            first = number * size
            orders = [
                an_order(
                    first + n,
                    1 + n,
                    partition=partition,
                    source_wallet_id=wallets[(n + partition) % 6],
                    destination_wallet_id=wallets[(n * 5 + partition + 1) % 6],
                )
                for n in range(size)
            ]
            await ledger.apply_batches([batch(orders)])

    await asyncio.gather(*(run(partition) for partition in range(4)))
    assert await pool.fetchval("select sum(balance * 10000)::bigint from wallets") == 6_000_000
    assert await pool.fetchval("select count(*) from transfers") == 4 * rounds * size
    assert (
        await pool.fetchval(
            """select count(*) from wallets w
        where version <> (select count(*) from entries e where e.wallet_id = w.wallet_id)"""
        )
        == 0
    )


@pytest.mark.parametrize(
    "statement",
    ["update transfers set amount = 1", "delete from transfers", "truncate transfers"],
)
async def test_transfers_are_append_only(pool: asyncpg.Pool, statement: str) -> None:
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await pool.execute(statement)
