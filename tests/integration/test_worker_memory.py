"""What a worker holds is bounded in bytes, not only in records: large ones may wait in any number."""

import asyncio
from pathlib import Path

import psutil
from aiokafka import AIOKafkaProducer
from builders import a_request
from workers import stop, wait_settled, worker

from schemas.settings import Settings
from schemas.topics import RECORD_BYTES_MAX, TRANSFERS_REQUESTED
from schemas.transfers import METADATA_KEYS_MAX, METADATA_VALUE_CHARS_MAX, TransferRequest, encode_request
from sinks.kafka.options import client_options

MIB = 1024 * 1024
RSS_BYTES_MAX = 350 * MIB
"""With small records it is 150."""

SAMPLE_INTERVAL_S = 0.02

COUNT = 1_200
"""Of 100 KB each, and so much alike that all of them come in one fetch."""


def a_large_request() -> TransferRequest:
    """A valid one, with as much metadata as there may be."""
    return a_request(metadata={f"key {number}": "𝄞" * METADATA_VALUE_CHARS_MAX for number in range(METADATA_KEYS_MAX)})


async def put(settings: Settings, count: int) -> None:
    topic = settings.topic_name(TRANSFERS_REQUESTED)
    options = {**client_options(settings), "max_batch_size": RECORD_BYTES_MAX - 1024, "compression_type": "zstd"}
    async with AIOKafkaProducer(**options) as producer:
        for number in range(count):
            request = a_large_request()
            key = request.source_wallet_id.encode()
            await producer.send(topic, encode_request(request), key, number % settings.topic_partitions)


async def peak_of(pid: int) -> int:
    """Samples resident memory until the process has ended; the most it had, in bytes."""
    peak = 0
    try:
        while True:
            peak = max(peak, psutil.Process(pid).memory_info().rss)
            await asyncio.sleep(SAMPLE_INTERVAL_S)
    except psutil.NoSuchProcess:
        return peak


async def test_large_records_take_no_more_memory_than_small_ones(settings: Settings, tmp_path: Path) -> None:
    await put(settings, COUNT)
    log = tmp_path / "worker.log"
    async with worker(settings, log, "transfers") as process:
        sampling = asyncio.create_task(peak_of(process.pid))
        await wait_settled(settings, ["transfers"], process)
        assert await stop(process) == 0, log.read_text()
        peak = await sampling
    assert peak < RSS_BYTES_MAX, f"{peak / MIB:.0f} MiB"
