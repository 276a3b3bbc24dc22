"""A producer as another service would run one: idempotent, all replicas, replaced when it is beyond repair."""

import asyncio
import contextlib

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError

from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED
from sinks.kafka.options import client_options
from sinks.kafka.partitions import partition_of

CONFIRM_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 5.0


class Producer:
    """Sends single requests to the request topic."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topic_name(TRANSFERS_REQUESTED)
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def send(self, key: bytes, value: bytes) -> None:
        """Return when all in-sync replicas have it. Raises KafkaError or TimeoutError; then it may be in, or not."""
        producer = await self._started()
        partition = partition_of(key, self._settings.topic_partitions)
        try:
            async with asyncio.timeout(CONFIRM_TIMEOUT_S):
                sent = await producer.send(self._topic, value, key=key, partition=partition)
                sent.add_done_callback(_look)
                await asyncio.shield(sent)
        except KafkaTimeoutError:  # not taken in, for lack of room or of a connection
            raise
        except KafkaError:
            await self._replace(producer)
            raise

    async def stop(self) -> None:
        """Send what is pending, within a few seconds."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(KafkaError, TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **client_options(self._settings),
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=2,
                )
                try:
                    await producer.start()
                except KafkaError:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _replace(self, broken: AIOKafkaProducer) -> None:
        async with self._starting:
            if self._producer is broken:
                await self.stop()


def _look(sent: "asyncio.Future[object]") -> None:
    """Take note of what came of it, also when nobody waits for that any more."""
    if not sent.cancelled():
        sent.exception()
