"""Holds that come to their end, whatever becomes of the processes that give them back."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from builders import a_draw, a_hold
from fake_ledger import FakeRequests
from ledger_wallets import make_wallet, wallet
from ledger_workers import Clock, LedgerWorker

from ingest_api.hold_expiry import MARGIN, HoldExpiry
from schemas.holds import hold_wallet_id
from schemas.settings import Settings
from schemas.transfers import decode_request
from sinks.directory.database import Database
from sinks.directory.holds import Holds
from sinks.ledger.types import Order


def two_hours_ago() -> datetime:
    """So that holds which ended an hour ago can be made."""
    return datetime.now(UTC) - timedelta(hours=2)


@pytest.fixture
async def holds(database_settings: Settings) -> AsyncIterator[Holds]:
    database = await Database.open(database_settings)
    yield Holds(database)
    await database.close()


@pytest.fixture
async def worker(pool: asyncpg.Pool) -> LedgerWorker:
    return await LedgerWorker(pool, 0, two_hours_ago).start()


class Api:
    """An API process that does nothing but this; it has its turn whenever it is asked."""

    def __init__(self, holds: Holds, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.requests = FakeRequests()
        self._expiry = HoldExpiry(holds, self.requests, "a secret of thirty-two characters")

    async def round(self) -> list[Order]:
        await self._pool.execute("update hold_expiry set next_round_at = now()")
        del self.requests.records[:]
        await self._expiry.round()
        found = [decode_request(value) for _, value in self.requests.records]
        return [Order(request, units, 0, 0) for request, units in found]


def ids(orders: list[Order]) -> list[str]:
    return [order.request.transfer_id for order in orders]


async def test_what_is_due_is_given_back_whichever_process_does_it(
    pool: asyncpg.Pool, holds: Holds, worker: LedgerWorker
) -> None:
    payer, payee = await make_wallet(pool, 1_000), await make_wallet(pool)
    ended = datetime.now(UTC) - timedelta(hours=1)
    due, drawn = a_hold(0, 300, payer, expires_at=ended), a_hold(0, 200, payer, expires_at=ended)
    others = [a_hold(0, 50, payer), a_hold(0, 50, payer, expires_at=ended + timedelta(days=1))]
    capture = a_draw(0, 150, "capture", drawn, payee)
    assert await worker.apply(due, drawn, *others, capture) == [None] * 5

    voids = await Api(holds, pool).round()
    assert sorted(order.units for order in voids) == [50, 300]
    again = await Api(holds, pool).round()
    assert ids(again) == ids(voids), "another process asks for the very same"
    assert await worker.apply(*voids) == [None, None]
    assert await worker.apply(*again) == []
    assert await Api(holds, pool).round() == []
    assert (await wallet(pool, payer))[0] == 750
    assert (await wallet(pool, hold_wallet_id(payer)))[0] == 100


async def test_a_draw_that_comes_between_is_no_hindrance(
    pool: asyncpg.Pool, holds: Holds, worker: LedgerWorker
) -> None:
    payer = await make_wallet(pool, 1_000)
    hold = a_hold(0, 300, payer, expires_at=datetime.now(UTC) - timedelta(hours=1))
    assert await worker.apply(hold) == [None]
    api = Api(holds, pool)
    [void] = await api.round()
    assert await worker.apply(a_draw(0, 100, "void", hold, payer), void) == [None, "amount_exceeds_remaining"]
    [next_void] = await api.round()
    assert (next_void.units, ids([next_void]) == ids([void])) == (200, False)
    assert await worker.apply(next_void) == [None]
    assert (await wallet(pool, payer))[0] == 1_000


async def test_only_what_was_in_the_way_of_a_void_is_waited_for(pool: asyncpg.Pool, holds: Holds) -> None:
    clock = Clock()
    clock.now = two_hours_ago()
    worker = await LedgerWorker(pool, 0, clock).start()
    payer = await make_wallet(pool, 1_000)
    hold = a_hold(0, 300, payer, expires_at=datetime.now(UTC) - timedelta(hours=1))
    assert await worker.apply(hold) == [None]
    api = Api(holds, pool)
    [void] = await api.round()
    clock.pass_by(hours=2)
    assert await worker.apply(a_draw(0, 100, "void", hold, payer), void) == [None, "amount_exceeds_remaining"]
    [next_void] = await api.round()
    assert next_void.units == 200, "at once"
    freeze = "update wallets set status = $2 where wallet_id = $1"
    await pool.execute(freeze, hold_wallet_id(payer), "frozen")
    assert await worker.apply(next_void) == ["wallet_frozen"]
    await pool.execute(freeze, hold_wallet_id(payer), "active")
    assert await api.round() == [], "not at once"


async def test_what_cannot_be_given_back_waits(pool: asyncpg.Pool, holds: Holds, worker: LedgerWorker) -> None:
    payer = await make_wallet(pool, 1_000)
    hold = a_hold(0, 300, payer, expires_at=datetime.now(UTC) - timedelta(hours=1))
    assert await worker.apply(hold) == [None]
    freeze = "update wallets set status = $2 where wallet_id = $1"
    await pool.execute(freeze, hold_wallet_id(payer), "frozen")
    assert await Api(holds, pool).round() == []
    await pool.execute(freeze, hold_wallet_id(payer), "active")
    await pool.execute(freeze, payer, "frozen")
    [void] = await Api(holds, pool).round()  # another process, whose first look is a whole one
    assert await worker.apply(void) == [None], "a frozen wallet gets its own money back"
    found = await holds.find(hold.request.transfer_id)
    assert found is not None
    assert found.remaining == "0.0000"


async def test_what_waits_is_in_nobodys_way(pool: asyncpg.Pool, holds: Holds, worker: LedgerWorker) -> None:
    payers = [await make_wallet(pool, 1_000) for _ in range(2)]
    ends = [datetime.now(UTC) - timedelta(hours=1, minutes=before) for before in (2, 1)]
    made = [a_hold(0, 300, payer, expires_at=end) for payer, end in zip(payers, ends, strict=True)]
    assert await worker.apply(*made) == [None, None]
    await pool.execute("update wallets set status = 'frozen' where wallet_id = $1", hold_wallet_id(payers[0]))
    [due] = await holds.due(datetime(1970, 1, 1, tzinfo=UTC), 1)
    assert due.transfer_id == made[1].request.transfer_id
    assert await holds.oldest_open(datetime(1970, 1, 1, tzinfo=UTC)) == ends[0]


async def test_one_process_has_the_turn_and_what_is_settled_is_not_looked_at_again(
    pool: asyncpg.Pool, holds: Holds, worker: LedgerWorker
) -> None:
    turn = await holds.begin_expiry_round(60.0)
    assert turn is not None
    assert turn.settled_before == datetime(1970, 1, 1, tzinfo=UTC)
    assert await holds.begin_expiry_round(60.0) is None
    payer = await make_wallet(pool, 1_000)
    ended = datetime.now(UTC) - timedelta(hours=1.5)
    assert await worker.apply(a_hold(0, 300, payer, expires_at=ended)) == [None]
    voids = await Api(holds, pool).round()
    settled = "select settled_before from hold_expiry"
    assert await pool.fetchval(settled) == ended, "it is open"
    assert await worker.apply(*voids) == [None]
    assert await Api(holds, pool).round() == []
    assert await pool.fetchval("select now() - settled_before >= $1 from hold_expiry", MARGIN)
    assert await pool.fetchval(settled) > ended, "nothing is open"
