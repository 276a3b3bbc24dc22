"""Waiting for brokers that are starting."""

import asyncio
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from schemas.settings import Settings
from sinks.kafka.options import client_options

_POLL_S = 0.1


async def wait_until_ready(settings: Settings, *, brokers: int) -> None:
    """Return once as many brokers are in the cluster and answer. Bound it with asyncio.timeout."""
    while not await _has_brokers(settings, brokers):  # noqa: ASYNC110 (another process's state is no event of ours)
        await asyncio.sleep(_POLL_S)


async def _has_brokers(settings: Settings, brokers: int) -> bool:
    for address in settings.kafka_bootstrap_servers.split(","):
        host, _, port = address.rpartition(":")
        try:  # quicker, and without aiokafka's log lines, while nothing listens yet
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            return False
        writer.close()
    admin: Any = AIOKafkaAdminClient(**client_options(settings), request_timeout_ms=5000)
    try:
        await admin.start()
        return len((await admin.describe_cluster())["brokers"]) >= brokers
    except KafkaError:
        return False
    finally:
        await admin.close()
