"""From requests that stand on the topic to rows that are committed and outcomes that are published."""

import signal
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg

from bench.contest import Measured, Place
from bench.ours.checking import check_all
from bench.ours.funding import fund_sources
from bench.ours.gauge import Gauge, Times
from bench.ours.processes import WORKER, Running, workers
from bench.ours.requests import Pile, RequestWriter
from bench.ours.storage import Stored, stored
from bench.usage import cpu_all_s, resident_mib
from bench.wallets import has_wallets, make_wallets
from bench.workloads import Workload
from ops.lag.reader import applied_offsets
from ops.load.settling import wait_settled
from ops.topic_reader import group_free_consumer
from schemas.topics import PARTITIONS_DEFAULT
from sinks.postgres.pool import connect

LAY_S_MAX = 4.0
"""Workers are held still for as long as it takes to send everything; brokers forget them after 6 s."""


async def drain(place: Place, workload: Workload) -> Measured:
    """The transfers agent alone, in ``place.workers`` processes. Raises RuntimeError."""
    return await _drain(place, workload, downstream=False)


async def drain_with_downstream(place: Place, workload: Workload) -> Measured:
    """With notifications, audit and deliveries in one process beside it, as `hfts up` runs them."""
    return await _drain(place, workload, downstream=True)


async def _drain(place: Place, workload: Workload, *, downstream: bool) -> Measured:
    settings = place.settings
    async with AsyncExitStack() as stack:
        database = await connect(settings)
        stack.push_async_callback(database.close)
        if not await has_wallets(database):
            await make_wallets(database, workload.wallets)
        funded = await fund_sources(place, database, workload)
        writer = await stack.enter_async_context(RequestWriter(settings))
        pile = writer.pile(workload)
        async with workers(place, place.workers, downstream=downstream) as processes:
            run = await measure(place, database, writer, pile, processes)
            if downstream:
                await wait_settled(settings)
        await check_all(settings, transfers=funded + workload.count, settled=downstream)
    if run.rows != workload.count:
        raise RuntimeError(f"{workload.count:,} requests made {run.rows:,} rows")
    return Measured(_name(place, downstream=downstream), workload.name, run.rows, run.seconds, run.further())


@dataclass(frozen=True, slots=True)
class Drained:
    """What a drain came to: when, what it stored, what it used."""

    times: Times
    before: Stored
    after: Stored
    cpu_s: Mapping[str, float]
    worker_mib: float

    @property
    def rows(self) -> int:
        """Transfers it stored."""
        return self.after.rows - self.before.rows

    @property
    def seconds(self) -> float:
        """From the first commit to the last outcome."""
        return self.times.published_s - self.times.first_s

    def further(self) -> dict[str, float]:
        """The other figures."""
        return {
            "worker_mib": self.worker_mib,
            **{f"{name}_cpu_us": 1e6 * used_s / self.rows for name, used_s in self.cpu_s.items()},
            "wal_bytes": (self.after.wal_bytes - self.before.wal_bytes) / self.rows,
            "disk_bytes": (self.after.disk_bytes - self.before.disk_bytes) / self.rows,
            "committed_per_s": self.rows / (self.times.committed_s - self.times.first_s),
        }


async def measure(
    place: Place, database: asyncpg.Connection, writer: RequestWriter, pile: Pile, processes: list[Running]
) -> Drained:
    """Lay the pile before workers that are held still, let them go, and watch them to the last outcome.

    So the topic is full when they start, and none of them begins before another. Raises RuntimeError.
    """
    settings, peaks = place.settings, [0.0]

    def each_look() -> None:
        for one in processes:
            one.check()
        peaks.append(max(peaks.pop(), *(resident_mib(one.pid) for one in processes if one.name.startswith(WORKER))))

    async with group_free_consumer(settings) as consumer:
        applied, before = await applied_offsets(database, settings), await stored(database)
        ends = await _lay_before(writer, pile, processes)
        used_before = _used(place, processes)
        for one in processes:
            one.signal(signal.SIGCONT)
        gauge = Gauge(settings, database, consumer, each_look)
        times = await gauge.last(ends, await gauge.first(sum(applied.values())))
        used = _used(place, processes)
    spent = {name: used[name] - used_before[name] for name in used}
    return Drained(times, before, await stored(database), spent, peaks[0])


async def _lay_before(writer: RequestWriter, pile: Pile, processes: list[Running]) -> dict[int, int]:
    for one in processes:
        one.signal(signal.SIGSTOP)
    began_s = time.perf_counter()
    ends = await writer.lay(pile)
    took_s = time.perf_counter() - began_s
    if took_s > LAY_S_MAX:
        raise RuntimeError(
            f"laying {pile.records:,} requests out took {took_s:.1f} s: the workers count as dead by then"
        )
    return ends


def _used(place: Place, processes: list[Running]) -> dict[str, float]:
    """Processor time so far, by whose it is."""
    workers_only = [one.pid for one in processes if one.name.startswith(WORKER)]
    others = [one.pid for one in processes if not one.name.startswith(WORKER)]
    return {
        "worker": cpu_all_s(workers_only),
        **({"downstream": cpu_all_s(others)} if others else {}),
        "postgres": cpu_all_s([place.postgres_pid]),
        "kafka": cpu_all_s([place.kafka_pid]),
    }


def _name(place: Place, *, downstream: bool) -> str:
    parts = ["ours", _many(place.workers, "worker")]
    if place.partitions != PARTITIONS_DEFAULT:
        parts.append(_many(place.partitions, "partition"))
    if downstream:
        parts.append("with all that follows")
    return ", ".join(parts)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
