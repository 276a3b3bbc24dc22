"""Publishing single requests, each confirmed by all in-sync replicas before its producer is answered."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED
from sinks.errors import BrokerAwayError, SinkError
from sinks.kafka.access import access_fault
from sinks.kafka.batch_sending import Batch, fill_batches, send_batches
from sinks.kafka.options import client_options
from sinks.kafka.positions import Position
from sinks.kafka.request_ids import with_request_id
from sinks.kafka.rounds import Rounds
from sinks.kafka.signing import request_signer
from sinks.tracing import OwnHeaders, tracing

CONFIRM_TIMEOUT_S = 5.0
"""An idempotent send of aiokafka's never times out while the broker is away, so it is bounded from outside."""

START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0
STOP_GRACE_S = 2.0
BACKOFF_S_MIN = 0.25
BACKOFF_S_MAX = 5.0

BATCH_BYTES_MAX = 256 * 1024

PENDING_MAX = 20_000
"""More requests than this waiting for the broker: the next ones are turned away at once."""

_log = structlog.get_logger(__name__)


class RequestPublisher:
    """Keeps one idempotent producer alive: connects in the background, and replaces a producer that has died."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._signer = request_signer(settings)
        self.topic = settings.topic_name(TRANSFERS_REQUESTED)
        self._producer: Any = None
        self._rounds = Rounds(self.topic, self._signer, self._retire)
        self._connected = asyncio.Event()
        self._wake = asyncio.Event()
        self._is_stopping = False
        self._dead: list[Any] = []
        self._pending = 0
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to connect. Returns at once: Kafka may come later."""
        self._keeper = asyncio.create_task(self._keep_producer(), name="request-publisher")

    async def stop(self) -> None:
        """Send what is pending, as far as the broker takes it within 5 s, and disconnect."""
        self._is_stopping = True
        self._wake.set()
        if self._keeper is not None:
            # A connection under way is left to come about: aiokafka leaks one that is cancelled.
            await asyncio.wait({self._keeper}, timeout=STOP_GRACE_S)
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        for producer in (self._producer, *self._dead):
            if producer is not None:
                await self._discard(producer)
        self._rounds.stop()

    async def publish(self, key: bytes, value: bytes) -> Position:
        """Publish to the request topic, on the partition of the key, and wait for the broker.

        Raises BrokerAwayError when there is no confirmation within 5 s. The record may arrive nevertheless.
        """
        if self._pending >= PENDING_MAX:
            raise BrokerAwayError("too many requests are waiting for Kafka")
        self._pending += 1
        try:
            with tracing().sending(self.topic) as span:
                async with asyncio.timeout(CONFIRM_TIMEOUT_S):
                    position = await self._rounds.add(key, value, with_request_id(span.headers()))
                span.stands_at(position)
                return position
        except TimeoutError:
            raise BrokerAwayError("Kafka did not confirm the record in time") from None
        finally:
            self._pending -= 1

    async def publish_all(self, records: Sequence[tuple[bytes, bytes]]) -> list[Position | None]:
        """Publish keys and values in their order, in record batches, and wait for the broker.

        None stands for a record that was not confirmed within 5 s. It may arrive nevertheless.
        """
        positions: list[Position | None] = [None] * len(records)
        if self._pending + len(records) > PENDING_MAX:
            return positions
        self._pending += len(records)
        batches: list[Batch] = []
        with tracing().sending(self.topic, records=len(records)) as span:
            headers = with_request_id(span.headers())
            try:
                async with asyncio.timeout(CONFIRM_TIMEOUT_S):
                    await self._send_all([(key, value, headers) for key, value in records], batches)
            except (TimeoutError, KafkaError) as error:
                span.fail(error)
                _log.warning("broker.unconfirmed", topic=self.topic, records=len(records))
            finally:
                self._pending -= len(records)
        for batch in batches:
            if (offset := batch.base_offset()) is not None:
                for distance, place in enumerate(batch.places):
                    positions[place] = Position(batch.partition, offset + distance)
        return positions

    async def partitions(self) -> int:
        """How many partitions the request topic has. Raises BrokerAwayError."""
        producer = self._producer
        if producer is None:
            raise BrokerAwayError("Kafka is away")
        try:
            return len(await producer.partitions_for(self.topic))
        except KafkaError as error:
            raise BrokerAwayError("Kafka is away") from error

    async def check_topic(self) -> None:
        """Ask the brokers for the request topic. Raises BrokerAwayError when there is no answer, or no topic."""
        producer = self._producer
        if producer is None:
            raise BrokerAwayError("Kafka is away, or has no topic " + self.topic)
        await self._check_topic(producer)

    async def _send_all(self, records: Sequence[tuple[bytes, bytes, OwnHeaders]], batches: list[Batch]) -> None:
        """Fills the list of batches, and returns once each has its outcome."""
        while (producer := self._producer) is None:
            await self._connected.wait()
        try:
            partitions = len(await producer.partitions_for(self.topic))
            batches += fill_batches(producer, partitions, records, self._signer)
            await send_batches(producer, self.topic, batches)
        except KafkaError:
            self._retire(producer)
            raise

    async def _keep_producer(self) -> None:
        backoff_s = BACKOFF_S_MIN
        while not self._is_stopping:
            self._wake.clear()
            try:
                self._producer = await self._connect()
            except (SinkError, OSError) as error:
                _log.warning("broker.away", topic=self.topic, retry_s=backoff_s, error=str(error))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), backoff_s)
                backoff_s = min(2 * backoff_s, BACKOFF_S_MAX)
                continue
            _log.info("broker.connected", topic=self.topic)
            backoff_s = BACKOFF_S_MIN
            self._connected.set()
            self._rounds.use(self._producer)
            await self._wake.wait()
            while self._dead:
                _log.warning("broker.producer_died", topic=self.topic)
                await self._discard(self._dead.pop())

    async def _connect(self) -> Any:
        producer: Any = AIOKafkaProducer(
            **client_options(self._settings),
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_BYTES_MAX,
        )
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await producer.start()
                # Sending to an unknown topic may create it, with whatever number of partitions: look first.
                await self._check_topic(producer)
        except (KafkaError, TimeoutError) as error:
            await self._discard(producer)
            fault = await access_fault(self._settings)
            raise BrokerAwayError(fault or str(error) or "no answer in time") from error
        except BaseException:
            await self._discard(producer)
            raise
        return producer

    async def _check_topic(self, producer: Any) -> None:
        try:
            found = await producer.client.fetch_all_metadata()
        except KafkaError as error:
            raise BrokerAwayError("Kafka is away") from error
        if not found.partitions_for_topic(self.topic):
            raise BrokerAwayError(f"Kafka has no topic {self.topic}: run `hfts topics`")

    def _retire(self, producer: Any) -> None:
        """From now on requests wait for the next producer, if this is not one that has been replaced already."""
        if producer is not self._producer:
            return
        self._producer = None
        self._connected.clear()
        self._rounds.use(None)
        self._dead.append(producer)
        self._wake.set()

    async def _discard(self, producer: Any) -> None:
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await producer.stop()
        except (KafkaError, TimeoutError) as error:
            _log.warning("broker.stop_incomplete", topic=self.topic, error=type(error).__name__)
            await producer.client.close()
