"""Reading the request topic with aiokafka, and doing nothing with what comes: no Python worker reads faster."""

import asyncio
import sys
import time

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.children import module, our_path, run_to_end
from bench.contest import Measured, Place
from bench.ours.processes import environment_of
from bench.ours.requests import RequestWriter
from bench.workloads import Workload
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED
from sinks.kafka.options import client_options

RECORDS_A_CALL_MAX = 2_000
"""As the workers do."""

READ_S_MAX = 120.0


class Read(msgspec.Struct):
    """What a reader process has read, and what that took."""

    records: int
    seconds: float
    cpu_s: float


async def getmany(place: Place, workload: Workload) -> Measured:
    """One process that reads the workload's requests from a full topic. Raises RuntimeError."""
    async with RequestWriter(place.settings) as writer:
        ends = await writer.lay(writer.pile(workload))
    job = msgspec.json.encode(ends)
    environment = {**our_path(), **environment_of(place.settings)}
    output = await run_to_end(module("bench.limits.getmany"), environment, job)
    read = msgspec.json.decode(output, type=Read)
    if read.records != workload.count:
        raise RuntimeError(f"{workload.count:,} requests were laid out, {read.records:,} were read")
    further = {"worker_cpu_us": 1e6 * read.cpu_s / read.records}
    return Measured("limit: getmany and nothing else", workload.name, read.records, read.seconds, further)


async def _read(settings: Settings, ends: dict[int, int]) -> Read:
    topic = settings.topic_name(TRANSFERS_REQUESTED)
    async with AIOKafkaConsumer(**client_options(settings), auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(topic, partition) for partition in ends])
        records = sum(ends.values())
        began_s, cpu_began_s, found = time.perf_counter(), time.process_time(), 0
        async with asyncio.timeout(READ_S_MAX):
            while found < records:
                batches = await consumer.getmany(timeout_ms=1000, max_records=RECORDS_A_CALL_MAX)
                found += sum(map(len, batches.values()))
        return Read(found, time.perf_counter() - began_s, time.process_time() - cpu_began_s)


def main() -> None:
    """Read up to the ends given on standard input, and print what that took."""
    ends = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[int, int])
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(_read(Settings(), ends))))


if __name__ == "__main__":
    main()
