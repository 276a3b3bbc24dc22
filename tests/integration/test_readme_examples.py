"""The README's Python examples on Kafka do what it says of them; those over HTTP are in tests/examples."""

import asyncio
import json
import os
import re
import sys
import uuid
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from schemas.audit import GENESIS_HASH, chain_record
from schemas.settings import Settings
from schemas.topics import AUDIT, TRANSFERS_REQUESTED
from schemas.transfers import decode_request
from sinks.kafka.options import client_options

README = Path(__file__).parents[2] / "README.md"
_, PAY, VERIFY = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
TIMEOUT_S = 60


async def start_example(code: str, settings: Settings, *arguments: str) -> asyncio.subprocess.Process:
    """The example as a user would run it, but on the test's own broker and topics."""
    for topic in (AUDIT, TRANSFERS_REQUESTED):
        code = code.replace(f'"{topic.name}"', f'"{settings.topic_name(topic)}"')
    pipe = asyncio.subprocess.PIPE
    environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-uc", code, *arguments, stdout=pipe, stderr=pipe, env=environment
    )


async def test_paying_writes_a_valid_request_under_the_right_key(settings: Settings) -> None:
    source, destination = str(uuid.uuid4()), str(uuid.uuid4())
    example = await start_example(PAY, settings, source, destination, "3.25", "EUR")
    _, errors = await asyncio.wait_for(example.communicate(), TIMEOUT_S)
    assert example.returncode == 0, errors.decode()
    topic = settings.topic_name(TRANSFERS_REQUESTED)
    async with AIOKafkaConsumer(topic, **client_options(settings), auto_offset_reset="earliest") as consumer:
        record = await asyncio.wait_for(consumer.getone(), TIMEOUT_S)
    request, units = decode_request(record.value)
    assert record.key == request.source_wallet_id.encode() == source.encode()
    assert (request.destination_wallet_id, units, request.currency) == (destination, 32_500, "EUR")


async def test_verifying_accepts_a_chain_and_finds_a_change(settings: Settings) -> None:
    topic = settings.topic_name(AUDIT)
    outcome = {"reference": "Grüße, 東京", "reason": None, "source_version": 7}
    first, first_hash = chain_record(outcome, outcome_offset=0, sequence=0, prev_hash=GENESIS_HASH)
    second, second_hash = chain_record(outcome, outcome_offset=1, sequence=1, prev_hash=first_hash)
    third, _ = chain_record(outcome, outcome_offset=2, sequence=2, prev_hash=second_hash)
    changed = json.dumps({**json.loads(third), "source_version": 8}).encode()
    async with AIOKafkaProducer(**client_options(settings)) as producer:
        for value in (first, second, changed):
            await producer.send_and_wait(topic, value, partition=1)
    example = await start_example(VERIFY, settings)
    output, errors = await asyncio.wait_for(example.communicate(), TIMEOUT_S)
    assert output.decode().splitlines() == ["partition 1: record 0 holds", "partition 1: record 1 holds"]
    assert "changed content" in errors.decode()
