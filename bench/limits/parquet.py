"""`python -m bench.limits.parquet`: `hfts audit export` beside pyarrow alone, and how long the ready views take.

Pyarrow alone writes the very rows that were exported, out of memory, into the same files with the same settings, and
waits for the disk as the export does. Both are measured in turns, on a broker of their own.
"""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import typer
import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from rich.console import Console
from uuid_utils import uuid7

from bench.server import bench_server
from bench.wallets import CURRENCY, wallet_id
from ops.export.columns import SCHEMA
from ops.export.database import lock, prepare
from ops.export.files import OPTIONS
from ops.export.layout import path_of, scan
from ops.export.run import export_audit
from ops.load.kafka_sender import BATCH_BYTES
from schemas.audit import GENESIS_HASH, chain_record
from schemas.money import format_units
from schemas.settings import Settings
from schemas.topics import AUDIT
from schemas.transfers import Outcome, encode_outcome
from sinks.kafka.options import client_options

_CONSOLE = Console(highlight=False, soft_wrap=True)

WALLETS = 10_000
RECORDS_A_SECOND = 2_000
"""By their times, so that a million records is some eight minutes, and ten millions is an hour and a half."""

BEGUN = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
ROWS_A_FILE = 122_880
PARTITIONS = 12

VIEWS = ("daily_volume", "net_flow", "failure_rates", "velocity", "velocity_by_minute", "top_counterparties")

# As the records of so many transfers look: ids and hashes that do not repeat, and one failure in a hundred.
_MADE = """
select
    uuid()::varchar as transfer_id,
    md5('wallet-' || source)::uuid::varchar as source_wallet_id,
    md5('wallet-' || (source + 1 + hash(number + 1) % ({wallets} - 1)) % {wallets})::uuid::varchar
        as destination_wallet_id,
    ((1 + hash(number + 2) % 10000000) / 10000)::decimal(18, 4) as amount,
    'USD' as currency,
    case when fails then 'FAILED' else 'COMPLETED' end as status,
    case when fails then 'insufficient_funds' end as reason,
    case when not fails then number % 1000000 end::decimal(18, 4) as source_balance,
    case when not fails then number end as source_version,
    case when not fails then number % 1000000 end::decimal(18, 4) as destination_balance,
    case when not fails then number end as destination_version,
    completed_at - interval 20 milliseconds as requested_at,
    completed_at,
    null::varchar as reference,
    null::map(varchar, varchar) as metadata,
    null::varchar as kind,
    null::varchar as parent_id,
    null::timestamptz as expires_at,
    {partition}::integer as partition,
    number - {first} as audit_offset,
    number - {first} as outcome_offset,
    number - {first} as sequence,
    sha256(number::varchar) as prev_hash,
    sha256((number + 1)::varchar) as hash
from (
    select
        number,
        hash(number) % {wallets} as source,
        hash(number + 3) % 100 = 0 as fails,
        timestamptz '2026-02-01 00:00:00+00' + to_microseconds((number - {first}) * {partitions} * 500) as completed_at
    from range({first}, {last}) as numbers(number)
)
"""


def main(
    *,
    records: Annotated[int, typer.Option(help="Records to export.")] = 1_000_000,
    rounds: Annotated[int, typer.Option(help="How often both are measured.")] = 3,
    rows: Annotated[int, typer.Option(help="Rows to ask, made up.")] = 10_000_000,
) -> None:
    """Measure the export beside pyarrow alone, then each view over so many rows."""
    if records:
        uvloop.run(_measure(records, rounds))
    if rows:
        _ask_views(rows)


async def _measure(records: int, rounds: int) -> None:
    async with bench_server() as server, server.place() as place:
        await _lay(place.settings, records)
        folder = Path(tempfile.mkdtemp(prefix="hfts-parquet-"))
        try:
            ours, alone, defaults = [], [], []
            for number in range(rounds):
                exported = folder / f"export-{number}"
                began_s = time.perf_counter()
                await export_audit(place.settings, exported)
                ours.append(time.perf_counter() - began_s)
                _check(exported, records)
                files = scan(exported)
                tables = [
                    (file.path.relative_to(exported), pq.read_table(file.path, partitioning=None)) for file in files
                ]
                alone.append(_write_alone(folder / "alone", tables, OPTIONS))
                defaults.append(_write_alone(folder / "defaults", tables, {"compression": "zstd"}))
                size = sum(file.path.stat().st_size for file in files)
                shutil.rmtree(exported)
            of_dicts = _write_dicts(folder / "dicts", tables)
        finally:
            shutil.rmtree(folder)
    _CONSOLE.print(f"{records:,} records in {len(files)} files, {size / records:.0f} bytes a record, {rounds} rounds")
    _print("hfts audit export", records, ours)
    _print("pyarrow alone, the same settings", records, alone)
    _print("pyarrow alone, its own settings and zstd", records, defaults)
    _print("pyarrow alone, out of rows as dicts", records, [of_dicts])
    _CONSOLE.print(f"export ÷ pyarrow, the same settings: {statistics.median(alone) / statistics.median(ours):.2f}")
    _CONSOLE.print(f"export ÷ pyarrow, its own settings: {statistics.median(defaults) / statistics.median(ours):.2f}")
    _CONSOLE.print(f"export ÷ pyarrow, out of dicts: {of_dicts / statistics.median(ours):.2f}")


def _print(what: str, records: int, seconds: list[float]) -> None:
    rates = sorted(records / took_s for took_s in seconds)
    _CONSOLE.print(f"{what}: {statistics.median(rates):,.0f} records/s ({rates[0]:,.0f} to {rates[-1]:,.0f})")


async def _lay(settings: Settings, records: int) -> None:
    """A chain in each partition."""
    topic, filling = settings.topic_name(AUDIT), dict[int, BatchBuilder]()
    async with AIOKafkaProducer(**client_options(settings), acks="all", max_batch_size=BATCH_BYTES) as producer:

        async def send(partition: int) -> None:
            await (await producer.send_batch(filling.pop(partition), topic, partition=partition))

        for partition, key, value in _values(records, settings.topic_partitions):
            batch = filling.setdefault(partition, producer.create_batch())
            if batch.append(key=key, value=value, timestamp=None) is None:
                await send(partition)
                filling[partition] = producer.create_batch()
                filling[partition].append(key=key, value=value, timestamp=None)
        for partition in list(filling):
            await send(partition)


def _values(records: int, partitions: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Partition, key and value of each record."""
    heads = [GENESIS_HASH] * partitions
    for number in range(records):
        partition, sequence = number % partitions, number // partitions
        at = BEGUN + timedelta(seconds=(number // 800) * 800 / RECORDS_A_SECOND)
        outcome = _outcome(number, at)
        document = orjson.loads(encode_outcome(outcome))
        value, heads[partition] = chain_record(
            document, outcome_offset=sequence, sequence=sequence, prev_hash=heads[partition]
        )
        yield partition, outcome.source_wallet_id.encode(), value


def _outcome(number: int, at: datetime) -> Outcome:
    source = number * 7919 % WALLETS
    return Outcome(
        transfer_id=str(uuid7()),
        source_wallet_id=wallet_id(source),
        destination_wallet_id=wallet_id((source + 1 + number % (WALLETS - 1)) % WALLETS),
        amount=format_units(1 + number * 104_729 % 10_000_000),
        currency=CURRENCY,
        requested_at=at - timedelta(microseconds=20_000 + number % 1000),
        status="COMPLETED",
        reason=None,
        source_balance=format_units(number * 15_485_863 % 10**10),
        source_version=1 + number // WALLETS,
        destination_balance=format_units(number * 32_452_843 % 10**10),
        destination_version=1 + number // WALLETS,
        completed_at=at,
    )


def _check(folder: Path, records: int) -> None:
    rows = sum(pq.ParquetFile(file.path).metadata.num_rows for file in scan(folder))
    if rows != records:
        raise RuntimeError(f"{records:,} records were laid out, {rows:,} stand in the files")


def _write_alone(folder: Path, tables: list[tuple[Path, Any]], options: dict[str, Any]) -> float:
    """Seconds for the same rows in the same files."""
    began_s = time.perf_counter()
    for name, table in tables:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table, path, **options)
        with path.open("rb") as file:
            os.fsync(file.fileno())
    took_s = time.perf_counter() - began_s
    shutil.rmtree(folder)
    return took_s


def _write_dicts(folder: Path, tables: list[tuple[Path, Any]]) -> float:
    """Seconds for the same rows in the same files, where each is a dict at first."""
    took_s = 0.0
    for name, table in tables:
        rows = table.to_pylist()
        began_s = time.perf_counter()
        made = pa.Table.from_pylist(rows, SCHEMA)
        took_s += time.perf_counter() - began_s + _write_alone(folder, [(name, made)], OPTIONS)
    return took_s


def _ask_views(rows: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="hfts-views-"))
    try:
        _make(folder, rows)
        with duckdb.connect() as database:
            prepare(database, scan(folder), folder / "spill")
            lock(database)
            _CONSOLE.print(f"{rows:,} rows of {WALLETS:,} wallets")
            for view in VIEWS:
                began_s = time.perf_counter()
                answer = database.sql(f"select * from {view}").to_arrow_table()  # noqa: S608 (one of ours)
                _CONSOLE.print(f"{view}: {time.perf_counter() - began_s:.2f} s, {len(answer):,} rows")
    finally:
        shutil.rmtree(folder)


def _make(folder: Path, rows: int) -> None:
    """Files as an export leaves them, without a chain that holds."""
    each = rows // PARTITIONS
    with duckdb.connect() as database:
        database.execute("load icu")
        database.execute("set timezone = 'UTC'")
        for partition in range(PARTITIONS):
            for first in range(0, each, ROWS_A_FILE):
                base = partition * each
                last = min(first + ROWS_A_FILE, each)
                made = (
                    _MADE.format(
                        wallets=WALLETS, partition=partition, first=base, last=base + last, partitions=PARTITIONS
                    )
                    + f" where number >= {base + first}"
                )
                table = database.sql(made).to_arrow_table().cast(SCHEMA)
                path = path_of(folder, "2026-02-01", partition, first, last - 1)
                path.parent.mkdir(exist_ok=True)
                pq.write_table(table, path, **OPTIONS)


if __name__ == "__main__":
    typer.run(main)
