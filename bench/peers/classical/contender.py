"""The classical design as a contender: two server processes, a worker with two, Redis, and clients in a closed loop."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.children import module, our_path
from bench.contest import Measured, Place
from bench.ground import prepared_ground
from bench.http_client import Driven, drive
from bench.limits.bare_fastapi import bodies_of
from bench.ours.processes import Running, environment_of
from bench.peers.classical.app import PATH
from bench.peers.classical.redis_server import redis_server
from bench.peers.classical.tables import Base, create_engine
from bench.peers.classical.tasks import BROKER_VARIABLE
from bench.serving import running, wait_listening
from bench.usage import cpu_all_s
from bench.workloads import Workload
from ops.embedded.ports import HOST, free_port
from schemas.settings import Settings

CONNECTIONS = (8, 32)
"""Each is tried, and the best counts."""

RUN_S = 5.0
SERVERS = 2
WARM_UP_REQUESTS = 200
"""Of each server."""

WARM_UP_S_MAX = 60.0
TASKS_S_MAX = 120.0
POLL_INTERVAL_S = 0.05
STATEMENT_TIMEOUT_S = 900.0

_APP = "bench.peers.classical.app:app_from_environment"

_FILL = "insert into classical_wallets select wallet_id, currency, balance, 1 from wallets where kind = 'user'"
_COUNT = """
select count(*) as rows, extract(epoch from max(created_at) - min(created_at))::float8 as seconds
from classical_transfers where created_at > $1
"""
_TASKS_LEFT = "select (select count(*) from classical_transfers) - (select count(*) from classical_audit)"
_AGREEMENT = """
select (select sum(balance) from classical_wallets) = (select sum(balance) from wallets where kind = 'user')
   and (select sum(version - 1) from classical_wallets)
       = (select 2 * count(*) from classical_transfers where status = 'COMPLETED')
"""


async def classical(
    place: Place,
    workload: Workload,
    *,
    run_s: float = RUN_S,
    connections: Sequence[int] = CONNECTIONS,
    servers: int = SERVERS,
) -> Measured:
    """Transfers committed, ``run_s`` with each number of connections; each followed by its two tasks.

    Raises RuntimeError when a program is missing, a request is refused, or the figures do not agree.
    """
    async with AsyncExitStack() as stack:
        broker_url = await stack.enter_async_context(redis_server(place))
        database = await stack.enter_async_context(prepared_ground(place.settings, workload, everyone=True))
        await make_tables(place.settings, database)
        environment = {**our_path(), **environment_of(place.settings), BROKER_VARIABLE: broker_url}
        worker = await stack.enter_async_context(
            running(place, "celery", module("bench.peers.classical.tasks"), environment)
        )
        started = [await stack.enter_async_context(_server(place, n, environment)) for n in range(servers)]
        urls, bodies = [f"http://{HOST}:{port}{PATH}" for _, port in started], bodies_of(workload)
        processes = [worker, *(process for process, _ in started)]
        await _drive_all(urls, bodies, connections=4 * servers, seconds=WARM_UP_S_MAX, count=WARM_UP_REQUESTS)
        runs = []
        for number in connections:
            await _wait_for_tasks(database, worker)
            began, used_s = await database.fetchval("select clock_timestamp()"), _used(processes)
            driven = await _drive_all(urls, bodies, connections=number, seconds=run_s)
            behind_s = await _wait_for_tasks(database, worker)
            rows, seconds = await database.fetchrow(_COUNT, began) or (0, 0.0)
            accepted = sum(one.accepted for one in driven)
            if rows != accepted or any(one.refused for one in driven):
                raise RuntimeError(f"{accepted:,} requests were accepted, others refused, {rows:,} transfers stored")
            further = {
                "connections": float(number),
                "tasks_behind_s": behind_s,
                "server_cpu_us": 1e6 * (_used(processes) - used_s) / rows,
                "request_p50_ms": max(one.p50_ms for one in driven),
                "request_p99_ms": max(one.p99_ms for one in driven),
            }
            runs.append((rows, seconds, further))
        if not await database.fetchval(_AGREEMENT, timeout=STATEMENT_TIMEOUT_S):
            raise RuntimeError("the classical design's wallets and transfers do not agree")
    best = max(runs, key=lambda run: run[0] / run[1])
    return Measured("classical: FastAPI, SQLAlchemy, Celery", workload.name, *best)


async def make_tables(settings: Settings, database: asyncpg.Connection) -> None:
    """Its tables, with the wallets that there are and the money in them."""
    engine: AsyncEngine = create_engine(settings, pool_size=1)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()
    await database.execute("alter table classical_wallets set (fillfactor = 70)")
    await database.execute(_FILL, timeout=STATEMENT_TIMEOUT_S)
    await database.execute("vacuum analyze classical_wallets", timeout=STATEMENT_TIMEOUT_S)


@asynccontextmanager
async def _server(place: Place, number: int, environment: Mapping[str, str]) -> AsyncIterator[tuple[Running, int]]:
    """One process, and its port. Of processes that share a port, one can get all of the connections."""
    port = free_port(())
    options = [f"--host={HOST}", f"--port={port}", "--loop=uvloop", "--http=httptools"]
    options += ["--no-access-log", "--log-level=warning"]
    command = [*module("uvicorn"), "--factory", _APP, *options]
    async with running(place, f"uvicorn-{number + 1}", command, environment) as process:
        await wait_listening(process, port)
        yield process, port


async def _drive_all(
    urls: Sequence[str], bodies: Sequence[bytes], *, connections: int, seconds: float, count: int | None = None
) -> list[Driven]:
    """All servers at once, each with its share of the connections."""
    share = max(1, connections // len(urls))
    headers = {"Content-Type": "application/json"}
    return await asyncio.gather(
        *(drive(url, bodies, headers, connections=share, seconds=seconds, count=count) for url in urls)
    )


def _used(processes: Iterable[Running]) -> float:
    return cpu_all_s([process.pid for process in processes])


async def _wait_for_tasks(database: asyncpg.Connection, worker: Running) -> float:
    """Wait until every transfer has its audit entry; the seconds that took."""
    began_s = time.perf_counter()
    while left := await database.fetchval(_TASKS_LEFT):
        worker.check()
        if time.perf_counter() - began_s > TASKS_S_MAX:
            raise RuntimeError(f"{left:,} tasks are not done {TASKS_S_MAX:.0f} s after their transfers")
        await asyncio.sleep(POLL_INTERVAL_S)
    return time.perf_counter() - began_s
