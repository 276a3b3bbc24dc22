"""A tiny benchmark of our own pipeline, from an empty database to figures that reconcile has gone over."""

from pathlib import Path

import asyncpg

from bench.contest import Place
from bench.ours.checking import check_all
from bench.ours.drain import drain
from bench.ours.history import add_history
from bench.wallets import CURRENCY
from bench.workloads import Workload
from ops.embedded.stack import Stack
from schemas.settings import Settings

WORKLOAD = Workload("tiny", 40, 300, hot_share=0.2, failing_share=0.1)


async def test_a_drain_is_counted_checked_and_measured(
    stack: Stack, settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    pids = {row.name: row.pid for row in stack.parts.rows()}
    place = Place(
        settings, settings.topic_partitions, postgres_pid=pids["postgres"], kafka_pid=pids["kafka-1"], logs=tmp_path
    )
    measured = await drain(place, WORKLOAD)
    assert (measured.contender, measured.workload, measured.transfers) == ("ours, 1 worker, 3 partitions", "tiny", 300)
    assert all(value >= 0 for value in measured.further.values())
    assert measured.further.keys() >= {"worker_mib", "worker_cpu_us", "postgres_cpu_us", "wal_bytes", "disk_bytes"}

    stored = await connection.fetchval("select count(*) from transfers")
    history = await add_history(connection, wallets=40, rows=200, currency=CURRENCY, below=0)
    assert 160 <= history <= 240
    assert await connection.fetchval("select count(*) from transfers") == stored + history
    await check_all(settings, transfers=stored, settled=False, history=history)
