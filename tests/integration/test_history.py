"""What has become of wallets, read by real statements: the same as by plain rules in memory, and by the indexes."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from memory_history import MOMENT, MemoryHistory
from stored_history import SEED, SEED_FAILED, store

from schemas.settings import Settings
from sinks.directory import history as history_module
from sinks.directory import statements
from sinks.directory.database import Database
from sinks.directory.filters import MOMENT_MAX, MOMENT_MIN, Filters
from sinks.directory.history import History, Leg, Place
from sinks.directory.streams import TOP
from sinks.directory.transfers import TransferRow

WALLETS = [str(UUID(int=number)) for number in range(1, 5)]

FILTERS = [
    Filters(),
    Filters(status="FAILED"),
    Filters(amount_min=Decimal(2), amount_max=Decimal("2.5")),
    Filters(reference="rare"),
    Filters(metadata={"order": "1"}),
    Filters(metadata={"order": "2", 'a"\\': "é"}, status="COMPLETED"),
    Filters(completed_from=MOMENT + timedelta(seconds=100), completed_before=MOMENT + timedelta(seconds=300)),
    Filters(requested_from=MOMENT + timedelta(seconds=50), requested_before=MOMENT + timedelta(seconds=400)),
]


@pytest.fixture
async def history(database_settings: Settings) -> AsyncIterator[History]:
    database = await Database.open(database_settings)
    yield History(database, "transfers.requested")
    await database.close()


def in_memory(random: Random, count: int) -> MemoryHistory:
    """Clocks of workers differ, and several transfers share a moment."""
    memory = MemoryHistory()
    for number in range(count):
        source, destination = random.sample(WALLETS, 2)
        memory.add(
            source,
            destination,
            after_s=number // 3 * 3 + random.choice((0, 0, 0, 5, 10)),
            reason=random.choice((None, None, "insufficient_funds")),
            amount=f"{random.randint(1, 3)}.0000",
            reference=random.choice((None, "rare", "often")),
            metadata=random.choice((None, {"order": "1"}, {"order": "2", 'a"\\': "é"})),
            transfer_id=str(UUID(int=random.getrandbits(128))),
        )
    return memory


async def both(connection: asyncpg.Connection, count: int = 500) -> MemoryHistory:
    """The same history in memory and in the ledger."""
    memory = in_memory(Random(7), count)
    await store(connection, memory.rows)
    for wallet_id in WALLETS:
        await connection.execute(
            "insert into wallets (wallet_id, kind, currency, version) values ($1, 'world', $2, $3)",
            wallet_id,
            f"X{wallet_id[-2:]}",
            memory.versions.get(wallet_id, 0),
        )
    return memory


async def test_versions_at_all_moments(history: History, connection: asyncpg.Connection) -> None:
    memory = await both(connection)
    for seconds in range(-10, 520, 7):
        moment = MOMENT + timedelta(seconds=seconds)
        for wallet_id in WALLETS[:2]:
            assert await history.version_at(wallet_id, moment) == await memory.version_at(wallet_id, moment), seconds
    assert await history.version_at(WALLETS[0], MOMENT_MAX) == memory.versions[WALLETS[0]]
    assert await history.version_at(WALLETS[0], MOMENT_MIN) == 0
    assert await history.version_at(str(uuid4()), MOMENT_MAX) == 0


@pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 255, 256, 257, 3000])
async def test_versions_of_wallets_of_any_size(history: History, connection: asyncpg.Connection, count: int) -> None:
    wallet_id = str(uuid4())
    await connection.execute(SEED, wallet_id, str(uuid4()), count)
    await connection.execute(
        "insert into wallets (wallet_id, kind, currency, version) values ($1, 'world', 'USD', $2)", wallet_id, count
    )
    begin = MOMENT - timedelta(days=1)
    for version in {0, 1, 15, 16, 17, 255, 256, 257, count - 1, count} & set(range(count + 1)):
        assert await history.version_at(wallet_id, begin + timedelta(seconds=version)) == version
        assert await history.version_at(wallet_id, begin + timedelta(seconds=version, microseconds=-1)) == max(
            0, version - 1
        )


async def test_lists_hold_what_they_should(history: History, connection: asyncpg.Connection) -> None:
    memory = await both(connection)
    random = Random(3)
    for filters in FILTERS:
        for newer in (False, True):
            row = random.choice(memory.rows)
            for place in (Place(row.completed_at, row.transfer_id, is_above=random.random() > 0.5), TOP):
                for wallet_ids in (WALLETS[:1], WALLETS[:3], []):
                    found = await history.failed(wallet_ids, place, 20, filters, newer=newer)
                    expected = await memory.failed(wallet_ids, place, 20, filters, newer=newer)
                    assert found == expected
                assert await history.all(place, 30, filters, newer=newer) == await memory.all(
                    place, 30, filters, newer=newer
                )
        for first, last in ((1, 10), (60, 140), (100, 10_000)):
            legs = await history.legs(WALLETS[0], first, last, filters, WALLETS[:2])
            assert legs == await memory.legs(WALLETS[0], first, last, filters, WALLETS[:2])


async def test_marked_transfers_are_found_or_are_too_many(
    history: History, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = await both(connection)
    memory.has_candidates = True
    for filters in [*FILTERS[3:6], Filters(reference="none"), Filters(metadata={"none": ""})]:
        for wallet_ids in (None, WALLETS[:1], WALLETS[:3]):
            found = await history.marked(filters, wallet_ids)
            assert found is not None
            assert ids(found) == ids(await memory.marked(filters, wallet_ids) or [])
    assert await history.marked(Filters(), None) is None
    monkeypatch.setattr(history_module, "CANDIDATES_MAX", 20)
    assert await history.marked(FILTERS[3], None) is None


async def test_a_search_that_takes_too_long_is_given_up(
    history: History, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await both(connection, 10)
    monkeypatch.setattr(statements, "BY_REFERENCE", f"{statements.BY_REFERENCE} cross join pg_sleep(60)")
    monkeypatch.setattr(history_module, "CANDIDATES_TIMEOUT_S", 0.01)
    assert await history.marked(Filters(reference="rare"), None) is None
    monkeypatch.undo()
    assert await history.marked(Filters(reference="rare"), None) is not None, "the connection is as good as before"


async def test_the_server_ends_what_nobody_waits_for_any_more(database_settings: Settings) -> None:
    """Whoever asked may have been killed."""
    database = await Database.open(database_settings)
    assert dict(await database.row("show statement_timeout") or {}) == {"statement_timeout": "5s"}
    await database.close()


def ids(rows: list[TransferRow]) -> list[str]:
    return sorted(row.transfer_id for row in rows)


async def test_both_own_wallets_show_a_transfer_between_them_once(
    history: History, connection: asyncpg.Connection
) -> None:
    memory = MemoryHistory()
    row = memory.add(WALLETS[0], WALLETS[1], after_s=0)
    await store(connection, [row])
    assert await history.legs(WALLETS[0], 1, 1, Filters(), WALLETS[:2]) == [Leg(1, row)]
    assert await history.legs(WALLETS[1], 1, 1, Filters(), WALLETS[:2]) == []
    assert await history.legs(WALLETS[1], 1, 1, Filters()) == [Leg(1, row)]


ROWS = 40_000
INDEXES = {
    "version_at": {"transfers_entries", "wallets_pkey"},
    "legs": {"transfers_entries", "wallets_pkey"},
    "failed": {"transfers_failed", "wallets_pkey"},
    "all": {"transfers_completed", "wallets_pkey"},
    "reference": {"transfers_reference", "wallets_pkey"},
    "metadata": {"transfers_metadata", "wallets_pkey"},
    "entries": {"transfers_entries", "wallets_pkey"},
}


async def test_every_list_is_read_by_its_index(connection: asyncpg.Connection) -> None:
    """On many transfers of few wallets, the one that is asked about among them: nothing is read from end to end, nor
    much more than is shown; likewise when the plan is made without a look at what is asked for."""
    wallet, other = uuid4(), uuid4()
    await seeded(connection, wallet, other)
    filters = replace(Filters(), amount_min=Decimal(2)).values
    at, place = MOMENT, (TOP.completed_at, TOP.transfer_id, True)
    asked: dict[str, tuple[str, tuple[Any, ...], int]] = {
        "version_at": (statements.VERSION_AT, (wallet, at), 5 * 16 * 64),
        "legs": (statements.LEGS, (*filters, wallet, 15_000, 15_200, [wallet]), 5 * 64),
        "failed": (statements.OLDER_FAILED, (*filters, [wallet], *place, 25), 25),
        "all": (statements.OLDER_TRANSFERS, (*filters, *place, 25), 30),
        "reference": (statements.BY_REFERENCE, (*Filters(reference="number 500").values, [wallet], 501), 2),
        "metadata": (statements.BY_METADATA, (*Filters(metadata={"order": "500"}).values, [wallet], 501), 2),
        "entries": (statements.PAGE_OF_ENTRIES, (wallet, 15_000, 100), 3 * 64),
    }
    for mode in ("force_custom_plan", "force_generic_plan"):
        await connection.execute(f"set plan_cache_mode = {mode}")
        for name, (statement, values, rows_max) in asked.items():
            is_search = name in {"reference", "metadata"}
            await connection.execute(f"set enable_seqscan = {'off' if is_search else 'on'}")  # as a search does
            nodes = await plan_of(connection, statement, values)
            # Owners are joined to what is found, and few wallets may as well be read at once.
            read = [node for node in nodes if node.get("Relation Name") == "transfers"]
            assert {node["Node Type"] for node in read} <= {"Bitmap Heap Scan", "Index Scan"}, name
            used = {node["Index Name"] for node in nodes if "Index Name" in node}
            assert used <= INDEXES[name], name
            assert used & {index for index in INDEXES[name] if index.startswith("transfers")}, name
            assert sum(node["Actual Rows"] * node["Actual Loops"] for node in read) <= rows_max, name


async def seeded(connection: asyncpg.Connection, wallet: UUID, other: UUID) -> None:
    for wallet_id, currency in ((wallet, "USD"), (other, "EUR")):
        await connection.execute(
            "insert into wallets (wallet_id, kind, currency, version) values ($1, 'world', $2, $3)",
            wallet_id,
            currency,
            ROWS // 2,
        )
    await connection.execute(SEED, wallet, other, ROWS // 2)
    await connection.execute(SEED, uuid4(), uuid4(), ROWS // 2)
    await connection.execute(SEED_FAILED, wallet, other, 1000)
    await connection.execute("analyze transfers")
    await connection.execute("analyze wallets")


async def plan_of(connection: asyncpg.Connection, statement: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Every node of the plan that the statement is run by, as a prepared one."""
    await connection.execute(f"prepare asked as {statement}")
    given = ", ".join(map(_literal, values))
    explained = await connection.fetchval(f"explain (analyze, format json) execute asked ({given})")
    await connection.execute("deallocate asked")
    return list(_nodes(json.loads(explained)[0]["Plan"]))


def _literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"array[{', '.join(map(_literal, value))}]::uuid[]"
    if isinstance(value, bool | int | Decimal):
        return str(value).lower()
    return f"'{value}'"


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(found for child in plan.get("Plans", []) for found in _nodes(child))]
