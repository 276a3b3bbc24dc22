"""The limits of the benchmark, each for a moment: what they count must agree with what they were given."""

import asyncpg

from bench.contest import Place
from bench.limits.bare_fastapi import bare_fastapi
from bench.limits.copy import copy
from bench.limits.getmany import getmany
from bench.workloads import Workload
from schemas.settings import Settings

TINY = Workload("tiny", wallets=50, count=300, hot_share=0.2, failing_share=0.1)


def place_of(settings: Settings) -> Place:
    return Place(settings, settings.topic_partitions)


async def test_copy_brings_in_every_transfer_and_moves_the_money(
    database_settings: Settings, connection: asyncpg.Connection
) -> None:
    measured = await copy(place_of(database_settings), TINY, batch_records=100)
    assert measured.transfers in {100, 200}, "the better of one connection's part and two connections'"
    assert await connection.fetchval("select count(*) from transfers") == TINY.count
    assert await connection.fetchval("select count(*) from transfers where status = 'FAILED'") == sum(
        fails for _, _, fails in TINY.pairs()
    )
    # A wallet's version is the number of its entries, and its balance the last one's.
    assert not await connection.fetch(
        """select 1 from wallets as w left join lateral (
             select count(*) as entries, max(e.version) as version from entries as e where e.wallet_id = w.wallet_id
           ) as e on true where e.entries <> w.version or e.version <> w.version"""
    )


async def test_getmany_reads_all_that_was_laid_out(settings: Settings) -> None:
    measured = await getmany(place_of(settings), TINY)
    assert measured.transfers == TINY.count


async def test_the_bare_route_accepts_what_our_api_accepts(database_settings: Settings) -> None:
    measured = await bare_fastapi(place_of(database_settings), TINY, run_s=0.2, connections=(2,))
    assert measured.transfers > 0
    assert measured.further["connections"] == 2
