"""Transfers over HTTP, one a request and a thousand a request: how many are accepted, and how many committed."""

import asyncio
import math
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import islice
from typing import Literal
from uuid import uuid4

import msgspec

from bench.contest import Measured, Place
from bench.http_client import Driven, drive
from bench.ours.api import Api, running_api
from bench.ours.checking import check_all
from bench.ours.funding import fund_sources
from bench.ours.gauge import Gauge
from bench.ours.processes import Running, workers
from bench.ours.requests import AMOUNT
from bench.ours.storage import stored
from bench.usage import cpu_all_s, resident_mib
from bench.wallets import CURRENCY, has_wallets, make_wallets, wallet_id
from bench.workloads import Workload
from ops.lag.reader import applied_offsets
from ops.topic_reader import group_free_consumer, partition_counts, topic_spans
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED
from sinks.postgres.pool import Connection, connect

SECONDS = 6.0
CONNECTIONS = 64
BATCH_CONNECTIONS = 4
BATCH_LINES = 1_000

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
        bodies = single_bodies(workload) if kind == "single" else batch_bodies(workload)
        beside = await stack.enter_async_context(workers(place, place.workers)) if committed else []
        api = await stack.enter_async_context(running_api(place))
        before = (await stored(database)).rows
        run = await _drive(place, database, api, beside, _Load(kind, bodies))
        if not committed:
            beside = await stack.enter_async_context(workers(place, place.workers))
            await _applied(settings, database, beside)
        rows = (await stored(database)).rows - before
        asked = run.driven.accepted * (BATCH_LINES if kind == "batch" else 1)
        if rows != asked:
            raise RuntimeError(f"{asked:,} transfers were accepted over HTTP, {rows:,} are stored")
        await check_all(settings, transfers=funded + rows, settled=False)
    seconds = run.committed_s if committed else run.driven.seconds
    name = (
        f"ours, HTTP {'one a request' if kind == 'single' else 'batches'}, {'committed' if committed else 'accepted'}"
    )
    return Measured(name, workload.name, rows, seconds, run.further(rows))


@dataclass(frozen=True, slots=True)
class _Load:
    kind: Kind
    bodies: Sequence[bytes]

    async def drive(self, api: Api) -> Driven:
        """Singles for some seconds, again and again the same; batches each once: their keys are used up."""
        headers = {"Authorization": f"Bearer {api.token}", "Accept": "*/*"}
        if self.kind == "single":
            headers["Content-Type"] = "application/json"
            url = api.url("/v1/transfers")
            return await drive(url, self.bodies, headers, connections=CONNECTIONS, seconds=SECONDS)
        headers["Content-Type"] = "application/x-ndjson"
        url, count = api.url("/v1/transfers/batch"), len(self.bodies)
        return await drive(url, self.bodies, headers, connections=BATCH_CONNECTIONS, seconds=10 * SECONDS, count=count)


@dataclass(frozen=True, slots=True)
class _Run:
    driven: Driven
    committed_s: float
    cpu_s: dict[str, float]
    api_mib: float

    def further(self, rows: int) -> dict[str, float]:
        """The other figures."""
        return {
            "request_p50_ms": self.driven.p50_ms,
            "request_p99_ms": self.driven.p99_ms,
            "api_mib": self.api_mib,
            **{f"{name}_cpu_us": 1e6 * used_s / rows for name, used_s in self.cpu_s.items()},
        }


async def _drive(place: Place, database: Connection, api: Api, beside: list[Running], load: _Load) -> _Run:
    settings = place.settings

    def each_look() -> None:
        for one in (api.process, *beside):
            one.check()

    pids: dict[str, list[int | None]] = {
        "api": [api.process.pid],
        "worker": [one.pid for one in beside],
        "postgres": [place.postgres_pid],
        "kafka": [place.kafka_pid],
    }
    async with group_free_consumer(settings) as consumer:
        gauge = Gauge(settings, database, consumer, each_look)
        applied = sum((await applied_offsets(database, settings)).values())
        used = {name: cpu_all_s(some) for name, some in pids.items()}
        driving = asyncio.create_task(load.drive(api))
        first_s = await gauge.first(applied) if beside else math.nan
        driven = await driving
        if driven.refused:
            raise RuntimeError(f"{driven.refused:,} requests were refused")
        seconds = math.nan
        if beside:
            seconds = (await gauge.last(await _ends(settings), first_s)).published_s - first_s
        spent = {name: cpu_all_s(some) - used[name] for name, some in pids.items()}
    return _Run(driven, seconds, {"client": driven.client_cpu_s, **spent}, resident_mib(api.process.pid))


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


def single_bodies(workload: Workload) -> list[bytes]:
    """A body a transfer. The server makes the ids, so that the same body asks for a new transfer each time."""
    return [_body(source, destination) for source, destination, _ in workload.pairs()]


def batch_bodies(workload: Workload) -> list[bytes]:
    """Bodies of a thousand lines. Every line has a key that no other has."""
    run, pairs = uuid4().hex, enumerate(workload.pairs())
    bodies = []
    while lines := list(islice(pairs, BATCH_LINES)):
        keyed = [_body(*pair, idempotency_key=f"{run}-{number}") for number, (*pair, _) in lines]
        if len(keyed) == BATCH_LINES:
            bodies.append(b"\n".join(keyed) + b"\n")
    return bodies


def _body(source: int, destination: int, **further: str) -> bytes:
    return msgspec.json.encode(
        {
            "source_wallet_id": wallet_id(source),
            "destination_wallet_id": wallet_id(destination),
            "amount": AMOUNT,
            "currency": CURRENCY,
            **further,
        }
    )
