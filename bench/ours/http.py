"""Transfers over HTTP, one a request and a thousand a request: how many are accepted, and how many committed."""

import asyncio
import math
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Literal

from bench.contest import Measured, Place
from bench.http_client import Driven, drive
from bench.ours.api import Api, running_api
from bench.ours.bodies import BATCH_LINES, batch_bodies, single_bodies
from bench.ours.checking import check_all
from bench.ours.funding import fund_sources
from bench.ours.gauge import Gauge
from bench.ours.processes import Running, workers
from bench.ours.storage import stored
from bench.usage import cpu_all_s, resident_mib
from bench.wallets import has_wallets, make_wallets
from bench.workloads import Workload
from ops.lag.reader import applied_offsets
from ops.topic_reader import group_free_consumer, partition_counts, topic_spans
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED
from sinks.postgres.pool import Connection, connect

SECONDS = 5.0
CONNECTIONS = (16, 64)
"""Of single requests. Each is tried, and the best counts."""

BATCH_CONNECTIONS = 4
BATCHES_S_MAX = 120.0

WARM_UP_S = 2.0
WARM_UP_BATCHES = 5

Kind = Literal["single", "batch"]


async def http_single_accepted(place: Place, workload: Workload) -> Measured:
    """One transfer a request, no worker beside it: 202 says that Kafka has it. All are applied afterwards."""
    return await _http(place, workload, "single", committed=False)


async def http_single_committed(place: Place, workload: Workload) -> Measured:
    """The same with workers beside it, from the first commit to the last outcome."""
    return await _http(place, workload, "single", committed=True)


async def http_batch_accepted(place: Place, workload: Workload) -> Measured:
    """A thousand transfers a request as NDJSON, each with a key of its own. ``workload.count`` says how many in all."""
    return await _http(place, workload, "batch", committed=False)


async def http_batch_committed(place: Place, workload: Workload) -> Measured:
    """The same with workers beside it."""
    return await _http(place, workload, "batch", committed=True)


async def _http(place: Place, workload: Workload, kind: Kind, *, committed: bool) -> Measured:
    settings = place.settings
    async with AsyncExitStack() as stack:
        database = await connect(settings)
        stack.push_async_callback(database.close)
        if not await has_wallets(database):
            await make_wallets(database, workload.wallets)
        funded = await fund_sources(place, database, workload)
        warm_up, *loads = _loads(workload, kind)
        beside = await stack.enter_async_context(workers(place, place.workers)) if committed else []
        api = await stack.enter_async_context(running_api(place))
        before = (await stored(database)).rows
        warmed = await _drive(place, database, api, beside, warm_up)
        runs = [await _drive(place, database, api, beside, load) for load in loads]
        if not committed:
            beside = await stack.enter_async_context(workers(place, place.workers))
            await _applied(settings, database, beside)
        rows = (await stored(database)).rows - before
        asked = sum(run.transfers for run in (warmed, *runs))
        if rows != asked:
            raise RuntimeError(f"{asked:,} transfers were accepted over HTTP, {rows:,} are stored")
        await check_all(settings, transfers=funded + rows, settled=False)
    best = max(runs, key=lambda run: run.transfers / run.seconds)
    name = (
        f"ours, HTTP {'one a request' if kind == 'single' else 'batches'}, {'committed' if committed else 'accepted'}"
    )
    return Measured(name, workload.name, best.transfers, best.seconds, best.further())


@dataclass(frozen=True, slots=True)
class _Load:
    """Singles are sent for some seconds, again and again the same; batches each once: their keys are used up."""

    kind: Kind
    bodies: Sequence[bytes]
    connections: int
    seconds: float

    async def drive(self, api: Api) -> Driven:
        """Send it."""
        is_single = self.kind == "single"
        headers = {
            "Authorization": f"Bearer {api.token}",
            "Content-Type": "application/json" if is_single else "application/x-ndjson",
        }
        return await drive(
            api.url("/v1/transfers" if is_single else "/v1/transfers/batch"),
            self.bodies,
            headers,
            connections=self.connections,
            seconds=self.seconds,
            count=None if is_single else len(self.bodies),
        )


def _loads(workload: Workload, kind: Kind) -> list[_Load]:
    """One to warm up with, and those to measure."""
    if kind == "single":
        bodies = single_bodies(workload)
        measured = [_Load(kind, bodies, connections, SECONDS) for connections in CONNECTIONS]
        return [_Load(kind, bodies, CONNECTIONS[0], WARM_UP_S), *measured]
    bodies = batch_bodies(workload)
    parts = bodies[:WARM_UP_BATCHES], bodies[WARM_UP_BATCHES:]
    return [_Load(kind, part, BATCH_CONNECTIONS, BATCHES_S_MAX) for part in parts]


@dataclass(frozen=True, slots=True)
class _Run:
    """``seconds``: of the requests, or from the first commit to the last outcome where workers ran beside."""

    driven: Driven
    transfers: int
    seconds: float
    connections: int
    cpu_s: dict[str, float]
    api_mib: float

    def further(self) -> dict[str, float]:
        """The other figures."""
        return {
            "connections": self.connections,
            "request_p50_ms": self.driven.p50_ms,
            "request_p99_ms": self.driven.p99_ms,
            "api_mib": self.api_mib,
            **{f"{name}_cpu_us": 1e6 * used_s / self.transfers for name, used_s in self.cpu_s.items()},
        }


async def _drive(place: Place, database: Connection, api: Api, beside: list[Running], load: _Load) -> _Run:
    settings = place.settings

    def each_look() -> None:
        for one in (api.process, *beside):
            one.check()

    pids: dict[str, list[int | None]] = {
        "api": [api.process.pid],
        "postgres": [place.postgres_pid],
        "kafka": [place.kafka_pid],
        **({"worker": [one.pid for one in beside]} if beside else {}),
    }
    async with group_free_consumer(settings) as consumer:
        gauge = Gauge(settings, database, consumer, each_look)
        applied = sum((await applied_offsets(database, settings)).values())
        used = {name: cpu_all_s(some) for name, some in pids.items()}
        async with asyncio.TaskGroup() as both:
            driving = both.create_task(load.drive(api))
            watching = both.create_task(gauge.first(applied)) if beside else None
        driven = driving.result()
        if driven.refused or not driven.accepted:
            raise RuntimeError(f"{driven.refused:,} requests were refused, {driven.accepted:,} accepted")
        seconds = driven.seconds
        if watching:
            first_s = watching.result()
            seconds = (await gauge.last(await _ends(settings), first_s)).published_s - first_s
        spent = {name: cpu_all_s(some) - used[name] for name, some in pids.items()}
    transfers = driven.accepted * (BATCH_LINES if load.kind == "batch" else 1)
    cpu = {"client": driven.client_cpu_s, **spent}
    return _Run(driven, transfers, seconds, load.connections, cpu, resident_mib(api.process.pid))


async def _applied(settings: Settings, database: Connection, beside: list[Running]) -> None:
    def each_look() -> None:
        for one in beside:
            one.check()

    async with group_free_consumer(settings) as consumer:
        await Gauge(settings, database, consumer, each_look).last(await _ends(settings), math.nan)


async def _ends(settings: Settings) -> dict[int, int]:
    """The end of each partition of the request topic that holds anything."""
    topic = settings.topic_name(TRANSFERS_REQUESTED)
    async with group_free_consumer(settings) as consumer:
        spans = await topic_spans(consumer, await partition_counts(settings, [topic]))
    return {span.partition: span.end for span in spans if span.end > span.begin}
