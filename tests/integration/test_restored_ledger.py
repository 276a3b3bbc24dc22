"""The database is lost and restored to a moment in the past, while everything else lives on."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from builders import a_request
from payments import assert_all_agrees, funded_fleet, payments, send
from plain_topics import records_of
from restorable import RestorableDatabase, restorable_database
from workers import stop, wait_logged, wait_settled, worker

from ops.load.wallets import Fleet
from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES
from schemas.transfers import decode_outcome, encode_request
from sinks.kafka.topics import ensure_topics
from sinks.postgres.migrate import known_migrations, migrate_up
from sinks.postgres.pool import connect
from streams.transport import EXIT_SOFTWARE

ALL = ("transfers", "notifications", "audit", "deliveries")


@pytest.fixture
async def database(database_settings: Settings) -> AsyncIterator[RestorableDatabase]:
    async with restorable_database(database_settings) as database:
        connection = await connect(database.settings)
        await migrate_up(connection, known_migrations())
        await connection.close()
        await ensure_topics(database.settings)
        yield database


async def balances(settings: Settings, fleet: Fleet) -> list[Any]:
    connection = await connect(settings)
    rows = await connection.fetch(
        "select wallet_id, balance, version from wallets where wallet_id = any($1::uuid[]) order by 1", fleet.wallets
    )
    await connection.close()
    return rows


async def outcomes(settings: Settings) -> list[bytes]:
    return [record.value or b"" for record in await records_of(settings, TRANSFERS_OUTCOMES)]


async def test_a_restored_ledger_goes_on_as_it_was_told(database: RestorableDatabase, tmp_path: Path) -> None:
    settings = database.settings
    logs = [tmp_path / "before.log", tmp_path / "after.log"]
    async with worker(settings, logs[0]) as process:
        connection: asyncpg.Connection = await connect(settings)
        fleet = await funded_fleet(settings, connection, 20)
        strangers = await funded_fleet(settings, connection, 2)
        await connection.close()

        load = asyncio.create_task(send(settings, payments(fleet, 2_000)))
        await database.back_up()
        await load
        await send(settings, payments(fleet, 500, seed=2))
        await wait_settled(settings, ALL, process)
        await database.archive()
        await send(settings, payments(fleet, 1_000, seed=3))  # only the topics will know of these
        await wait_settled(settings, ALL, process)
        told = await outcomes(settings)
        had = await balances(settings, fleet)

        database.destroy()
        await database.restore()
        assert await balances(settings, fleet) != had
        # The worker has noticed nothing yet. It must not decide on what it remembers, nor before what was told is in.
        source, destination = strangers.wallets
        request = a_request(source_wallet_id=source, destination_wallet_id=destination, amount="1.0000")
        await send(settings, [(source.encode(), encode_request(request))])
        assert await asyncio.wait_for(process.wait(), 60) == EXIT_SOFTWARE, logs[0].read_text()

    async with worker(settings, logs[1]) as process:
        await wait_logged(logs[1], "ledger.caught_up")
        await wait_settled(settings, ALL, process)
        assert await stop(process) == 0, logs[1].read_text()
    assert await balances(settings, fleet) == had
    after = await outcomes(settings)
    ids = Counter(decode_outcome(value).transfer_id for value in after)
    assert len(after) == len(told) + 1
    assert set(ids.values()) == {1}
    assert Counter(after) - Counter(told) == Counter([v for v in after if request.transfer_id.encode() in v])
    await assert_all_agrees(settings)
