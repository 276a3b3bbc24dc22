"""Faust as it comes: its own transport, ``stream.take``, and ``topic.send``, with our decoding, rules and ledger.

What differs from our workers is what Faust does itself, record by record.
"""

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import asyncpg
import faust
import uvloop

from bench.children import module, our_path
from bench.contest import Measured, Place
from bench.ground import check_ledger, prepared_ground
from bench.ours.gauge import Gauge
from bench.ours.processes import environment_of
from bench.ours.requests import RequestWriter
from bench.ours.storage import stored
from bench.serving import running
from bench.usage import cpu_s, resident_mib
from bench.workloads import Workload
from ops.topic_reader import group_free_consumer
from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from sinks.kafka.options import client_options
from sinks.ledger.ledger import Ledger
from sinks.ledger.rules import decide
from sinks.ledger.types import Batch, Order, Transfer
from sinks.postgres.pool import create_pool
from streams.outcomes import outcome_record
from streams.requests import read_requests

TAKE_MAX = 800
TAKE_WITHIN_S = 0.1

_START = "insert into stream_progress (topic, partition, next_offset) select $1, n, 0 from generate_series(0, $2) as n"


async def stock_faust(place: Place, workload: Workload) -> Measured:
    """One worker process, from a full topic, from the first commit to the last outcome. Raises RuntimeError."""
    settings, peaks = place.settings, [0.0]
    environment = {**our_path(), **environment_of(settings)}
    async with prepared_ground(settings, workload) as database, RequestWriter(settings) as writer:
        await database.execute(_START, settings.topic_name(TRANSFERS_REQUESTED), place.partitions - 1)
        ends = await writer.lay(writer.pile(workload))
        async with (
            group_free_consumer(settings) as consumer,
            running(place, "stock-faust", module("bench.peers.stock_faust"), environment) as worker,
        ):

            def each_look() -> None:
                worker.check()
                peaks.append(max(peaks.pop(), resident_mib(worker.pid)))

            gauge = Gauge(settings, database, consumer, each_look)
            first_s = await gauge.first(0)
            used_s = cpu_s(worker.pid)
            times = await gauge.last(ends, first_s)
            used_s = cpu_s(worker.pid) - used_s
        rows = (await stored(database)).rows
        if rows != workload.count:
            raise RuntimeError(f"{workload.count:,} requests made {rows:,} rows")
        await check_ledger(database)
    further = {"worker_mib": peaks[0], "worker_cpu_us": 1e6 * used_s / rows}
    return Measured("stock Faust", workload.name, rows, times.published_s - times.first_s, further)


def create_app(settings: Settings) -> faust.App:
    """The app, with one agent. What we have switched off in our own is off here, too."""
    servers = client_options(settings)["bootstrap_servers"]
    app = faust.App(
        f"{settings.topic_prefix}stock-faust",
        broker=";".join(f"kafka://{server}" for server in servers),
        consumer_auto_offset_reset="earliest",
        datadir=tempfile.gettempdir(),
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )
    requests = app.topic(settings.topic_name(TRANSFERS_REQUESTED), key_serializer="raw", value_serializer="raw")
    outcomes = app.topic(settings.topic_name(TRANSFERS_OUTCOMES), key_serializer="raw", value_serializer="raw")

    @app.agent(requests)
    async def transfers(stream: Any) -> None:
        next_offsets: defaultdict[int, int] = defaultdict(int)
        async with await create_pool(settings, size_max=1) as pool:
            async for events in stream.take_events(TAKE_MAX, within=TAKE_WITHIN_S):
                orders, _ = read_requests([event.message for event in events])
                decided = await _apply(pool, requests.get_topic_name(), orders, next_offsets)
                sent = []
                for transfer in decided:
                    record = outcome_record(transfer)
                    sent.append(
                        await outcomes.send(
                            key=record.key,
                            value=record.value,
                            partition=transfer.request_partition,
                            headers=list(record.headers),  # type: ignore[arg-type] # it takes null values, too
                        )
                    )
                await asyncio.gather(*sent)

    return app


async def _apply(
    pool: asyncpg.Pool, topic: str, orders: Sequence[Order], next_offsets: defaultdict[int, int]
) -> list[Transfer]:
    """All in one transaction; moves ``next_offsets`` on."""
    by_partition: defaultdict[int, list[Order]] = defaultdict(list)
    for order in orders:
        by_partition[order.partition].append(order)
    batches = [
        Batch(
            partition=partition,
            first_offset=next_offsets[partition],
            next_offset=those[-1].offset + 1,
            orders=those,
        )
        for partition, those in by_partition.items()
    ]
    applied = await Ledger(pool, topic, decide).apply_batches(batches)
    for batch in batches:
        next_offsets[batch.partition] = batch.next_offset
    return applied.transfers


def main() -> None:
    """Run the worker until SIGTERM."""
    worker = faust.Worker(
        create_app(Settings()),
        loop=uvloop.new_event_loop(),
        redirect_stdouts=False,
        override_logging=False,
        quiet=True,
    )
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
