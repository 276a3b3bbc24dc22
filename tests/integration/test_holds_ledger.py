"""Holds, draws on them and limits in a real PostgreSQL: written once, by whichever worker, and never beyond."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from builders import a_draw, a_hold, an_order, repeat_of
from counted import Since
from ledger_wallets import batch, make_wallet, wallet
from ledger_workers import Clock, LedgerWorker

from ops.recover.statements import UNTOLD
from schemas.codes import FailureReason
from schemas.holds import hold_wallet_id
from sinks.directory import statements as directory
from sinks.ledger import statements
from sinks.ledger.transaction import transfer_of
from sinks.ledger.types import Order

NOBODY = "00000000-0000-0000-0000-000000000001"
EXCEEDS, NOT_FOUND = FailureReason.AMOUNT_EXCEEDS_REMAINING, FailureReason.PARENT_NOT_FOUND


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def one(pool: asyncpg.Pool, clock: Clock) -> LedgerWorker:
    return await LedgerWorker(pool, 0, clock).start()


@pytest.fixture
async def other(pool: asyncpg.Pool, clock: Clock) -> LedgerWorker:
    return await LedgerWorker(pool, 1, clock).start()


@pytest.fixture
async def payer(pool: asyncpg.Pool) -> str:
    return await make_wallet(pool, 1_000)


@pytest.fixture
async def payee(pool: asyncpg.Pool) -> str:
    return await make_wallet(pool)


async def units(pool: asyncpg.Pool, *wallet_ids: str) -> list[int]:
    return [(await wallet(pool, wallet_id))[0] for wallet_id in wallet_ids]


async def test_a_hold_and_what_becomes_of_it_are_rows_like_any_other(
    pool: asyncpg.Pool, one: LedgerWorker, clock: Clock, payer: str, payee: str
) -> None:
    hold = a_hold(0, 700, payer, expires_at=clock.now + timedelta(hours=1))
    orders = [hold, a_draw(1, 300, "capture", hold, payee), a_draw(2, 400, "void", hold, payer, reference="r")]
    made = [await one.commit(await one.decide(order)) for order in orders]
    assert [t.reason for [t] in made] == [None, None, None]
    held = hold_wallet_id(payer)
    assert await units(pool, payer, held, payee) == [700, 0, 300]
    row: Any = await pool.fetchrow(
        "select kind, user_id, holds_of::text, currency from wallets where wallet_id = $1", held
    )
    user_id = await pool.fetchval("select user_id from wallets where wallet_id = $1", payer)
    assert tuple(row) == ("hold", user_id, payer, "USD")
    replayed = await one.careful.replay(orders)
    assert replayed.transfers == [t for [t] in made], "the rows tell the same as the decisions did"
    untold = [transfer_of(row) for row in await pool.fetch(UNTOLD, [0], [-1])]
    assert untold == replayed.transfers, "so they are told the same when outcomes were lost"
    assert await one.apply(repeat_of(orders[1], 0)) == [], "a repeat changes nothing"
    assert await units(pool, payee) == [300]


async def test_draws_are_decided_on_what_is_not_committed_yet(
    pool: asyncpg.Pool, one: LedgerWorker, payer: str, payee: str
) -> None:
    hold = a_hold(0, 100, payer)
    payment = an_order(0, 50, source_wallet_id=payer, destination_wallet_id=payee)
    draws = [a_draw(0, 60, "capture", hold, payee), a_draw(0, 60, "capture", hold, payee)]
    back = [a_draw(0, 50, "reversal", payment, payer), a_draw(0, 1, "reversal", payment, payer)]
    counted = Since()
    decisions = [await one.decide(order) for order in (hold, payment, *draws, *back)]
    made = [await one.commit(decision) for decision in decisions]
    assert [t.reason for [t] in made] == [None, None, None, EXCEEDS, None, EXCEEDS]
    assert counted("hfts_commit_retries_total") == 0
    assert await units(pool, payer, hold_wallet_id(payer), payee) == [900, 40, 60]


async def test_of_two_workers_that_draw_on_one_hold_none_goes_beyond_it(
    pool: asyncpg.Pool, one: LedgerWorker, other: LedgerWorker, payer: str, payee: str
) -> None:
    """As when a partition has moved: both have decided on the same reading."""
    hold, more = a_hold(0, 100, payer), a_hold(0, 500, payer)
    assert await one.apply(hold, more) == [None, None]
    theirs = await other.decide(a_draw(0, 60, "capture", hold, payee))
    ours = await one.decide(a_draw(0, 60, "capture", hold, payee))
    assert [t.reason for t in await other.commit(theirs)] == [None]
    assert [t.reason for t in await one.commit(ours)] == [EXCEEDS]
    races = [worker.apply(a_draw(0, 7, "capture", hold, payee)) for worker in (one, other)]
    assert await asyncio.gather(*races) == [[None], [None]]
    assert await units(pool, hold_wallet_id(payer), payee) == [526, 74]


async def test_under_locks_draws_are_decided_the_same(
    pool: asyncpg.Pool, one: LedgerWorker, payer: str, payee: str
) -> None:
    hold = a_hold(0, 100, payer)
    orders = [hold, *(a_draw(n, 40, "capture", hold, payee) for n in (1, 2, 3))]
    applied = await one.careful.apply_batches([batch(orders)])
    assert [t.reason for t in applied.transfers] == [None, None, None, EXCEEDS]
    late = [a_draw(4, 21, "void", hold, payer), a_draw(5, 20, "void", hold, payer)]
    applied = await one.careful.apply_batches([batch(late)])
    assert [t.reason for t in applied.transfers] == [EXCEEDS, None]
    assert await units(pool, payer, hold_wallet_id(payer), payee) == [920, 0, 80]


async def test_a_parent_that_comes_before_the_refusal_is_written_is_found(
    pool: asyncpg.Pool, one: LedgerWorker, other: LedgerWorker, payer: str, payee: str
) -> None:
    """A refusal changes no row, so the wallet that is drawn on is checked: whatever may be drawn on is a leg of it."""
    payment = an_order(0, 50, source_wallet_id=payer, destination_wallet_id=payee)
    too_early = await one.decide(a_draw(0, 50, "reversal", payment, payer))
    assert await other.apply(payment) == [None]
    assert [t.reason for t in await one.commit(too_early)] == [None]
    assert await units(pool, payer, payee) == [1_000, 0]
    assert await one.apply(a_draw(0, 1, "reversal", an_order(0, 1, destination_wallet_id=payee), payer)) == [NOT_FOUND]


async def test_nobody_holds_money_of_a_wallet_that_is_not_a_persons(
    pool: asyncpg.Pool, one: LedgerWorker, payer: str
) -> None:
    world = await pool.fetchval(
        "insert into wallets (kind, currency) values ('world', 'USD') returning wallet_id::text"
    )
    assert await one.apply(a_hold(0, 1, payer)) == [None]
    assert await one.apply(a_hold(0, 1, world), a_hold(0, 1, hold_wallet_id(payer))) == ["wallet_not_found"] * 2
    assert await pool.fetchval("select count(*) from wallets where kind = 'hold'") == 1


async def test_a_poison_draw_is_isolated(one: LedgerWorker, payer: str, payee: str) -> None:
    hold = a_hold(0, 100, payer)
    bad = a_draw(0, 1, "capture", hold, payee)
    bad.request.parent_id = "no-id"
    orders = [hold, bad, a_draw(2, 5, "capture", hold, payee)]
    for offset, order in enumerate(orders):
        order.offset = offset
    applied = await one.careful.apply_batches([batch(orders)])
    assert [t.request_offset for t in applied.transfers] == [0, 2]
    assert [r.order.offset for r in applied.refused] == [1]


async def limit(pool: asyncpg.Pool, wallet_id: str, *, transfer_max: str | None = None, day_max: str | None) -> None:
    await pool.execute(
        "update wallets set transfer_max = $2::text::numeric, day_max = $3::text::numeric where wallet_id = $1",
        wallet_id,
        transfer_max,
        day_max,
    )


async def test_a_limit_counts_from_the_moment_it_is_set(
    pool: asyncpg.Pool, one: LedgerWorker, payer: str, payee: str
) -> None:
    def pay(units: int) -> Order:
        return an_order(0, units, source_wallet_id=payer, destination_wallet_id=payee)

    assert await one.apply(pay(100)) == [None]
    decided = await one.decide(pay(51))
    await limit(pool, payer, transfer_max="0.0050", day_max=None)
    assert [t.reason for t in await one.commit(decided)] == ["limit_exceeded"], "it was decided on other terms"
    assert await one.apply(pay(50), pay(51)) == [None, "limit_exceeded"]
    await limit(pool, payer, day_max="0.0200")
    assert await one.apply(pay(51), a_hold(0, 50, payer), pay(1)) == ["limit_exceeded", None, "limit_exceeded"]
    assert await pool.fetchval("select terms from wallets where wallet_id = $1", payer) == 2


async def test_the_limit_of_a_day_slides_and_holds_for_all_workers(
    pool: asyncpg.Pool, one: LedgerWorker, other: LedgerWorker, clock: Clock, payer: str
) -> None:
    payee = await make_wallet(pool)

    def pay(units: int) -> Order:
        return an_order(0, units, source_wallet_id=payer, destination_wallet_id=payee)

    await limit(pool, payer, day_max="0.0300")
    exceeded = "limit_exceeded"
    hold = a_hold(0, 100, payer)
    assert await one.apply(pay(100), hold) == [None, None]
    clock.pass_by(hours=12)
    assert await other.apply(pay(101), pay(50)) == [exceeded, None], "read from the ledger"
    assert await one.apply(pay(51), pay(20)) == [exceeded, None], "another worker's payment is noticed"
    assert await one.apply(a_draw(0, 100, "void", hold, payer), pay(31), pay(30)) == [None, exceeded, None]
    clock.pass_by(hours=12, minutes=-1)
    assert await one.apply(pay(1)) == [exceeded]
    clock.pass_by(minutes=2)
    assert await one.apply(pay(200), pay(1)) == [None, exceeded]
    assert await other.apply(pay(1)) == [exceeded]


async def test_a_wrong_guess_while_the_last_day_is_read_harms_nothing(
    pool: asyncpg.Pool, one: LedgerWorker, payer: str, payee: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit under way may drop the memory that the next batch is being decided on."""
    await limit(pool, payer, day_max="0.0100")
    read = one.careful.spending

    async def drop_memory_meanwhile(wallet_ids: Any, minute: int) -> Any:
        one.forget()
        return await read(wallet_ids, minute)

    monkeypatch.setattr(one.careful, "spending", drop_memory_meanwhile)
    payments = [an_order(0, units, source_wallet_id=payer, destination_wallet_id=payee) for units in (60, 60, 40)]
    assert [await one.apply(payment) for payment in payments] == [[None], ["limit_exceeded"], [None]]


async def test_what_left_long_ago_is_not_read(pool: asyncpg.Pool, one: LedgerWorker, clock: Clock, payer: str,
                                              payee: str) -> None:  # fmt: skip
    """A busy wallet: the history of a day, in many blocks of the index."""

    def pay(units: int) -> Order:
        return an_order(0, units, source_wallet_id=payer, destination_wallet_id=payee)

    assert await one.apply(*(pay(1) for _ in range(150))) == [None] * 150
    clock.pass_by(days=2)
    assert await one.apply(*(pay(1) for _ in range(150))) == [None] * 150
    await limit(pool, payer, day_max="0.0151")
    fresh = await LedgerWorker(pool, 2, clock).start()
    assert await fresh.apply(pay(1), pay(1)) == [None, "limit_exceeded"]


@pytest.mark.parametrize(
    ("sql", "values", "index"),
    [
        (statements.SPENDING, [[NOBODY], 0], "transfers_entries"),
        (statements.PARENTS, [[NOBODY], []], "transfers_draws"),
        (directory.FIND_DRAWABLE, [NOBODY], "transfers_draws"),
        (directory.LIST_HOLDS, [NOBODY, 9, 9, True, 1], "transfers_holds"),
        (directory.DUE_HOLDS, [datetime(2026, 1, 1, tzinfo=UTC), 9, False], "transfers_draws"),
    ],
)
async def test_an_index_answers(pool: asyncpg.Pool, sql: str, values: list[Any], index: str) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local enable_seqscan = off")
        plan = str(await (await connection.prepare(sql)).explain(*values))
    assert index in plan
    assert "'Seq Scan', 'Parallel Aware': False, 'Async Capable': False, 'Relation Name': 'transfers'" not in plan


async def test_terms_count_changes_of_status_and_limits_alone(pool: asyncpg.Pool, payer: str) -> None:
    for change, terms in (
        ("status = 'frozen'", 1),
        ("day_max = 5", 2),
        ("balance = 1, version = 9, updated_at = now()", 2),
        ("transfer_max = 5", 3),
    ):
        await pool.execute(f"update wallets set {change} where wallet_id = $1", payer)  # noqa: S608 (from above)
        assert await pool.fetchval("select terms from wallets where wallet_id = $1", payer) == terms


@pytest.mark.parametrize(
    "columns",
    ["kind = 'capture'", "parent_id = transfer_id", "kind = 'hold', parent_id = transfer_id", "expires_at = now()",
     "kind = 'loan', parent_id = transfer_id"],
)  # fmt: skip
async def test_the_table_refuses_what_does_not_belong_together(
    pool: asyncpg.Pool, one: LedgerWorker, payer: str, payee: str, columns: str
) -> None:
    await one.apply(an_order(0, 1, source_wallet_id=payer, destination_wallet_id=payee))
    await pool.execute("alter table transfers disable trigger transfers_append_only")
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(f"update transfers set {columns}")  # noqa: S608 (likewise)
    await pool.execute("alter table transfers enable trigger transfers_append_only")
