"""Straight to Kafka: a request under the right key, on the right partition, confirmed by all in-sync replicas."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self, Unpack
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, OutOfOrderSequenceNumber

from hfts_client.amounts import AmountLike, amount_text
from hfts_client.errors import UnconfirmedError
from hfts_client.models import Id
from hfts_client.orders import RequestFields, id_text, moment_text
from schemas.holds import hold_wallet_id
from schemas.signatures import RequestSigner
from schemas.topics import TRANSFERS_REQUESTED
from schemas.transfers import Kind, TransferRequest, check_request, encode_request

__all__ = ["KafkaFields", "KafkaSubmitter", "Submitted", "hold_wallet_id"]

CONFIRM_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0
PAUSE_S = 0.25


class KafkaFields(RequestFields, total=False):
    """What a request consists of. A hold goes to the ``hold_wallet_id`` of its source, and may have an end; a capture,
    a void or a reversal names its parent, and is paid out of the wallet that this went to."""

    kind: Kind | None
    parent_id: Id | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Submitted:
    """Where the request stands. Its outcome will be on the same partition of ``transfers.outcomes``."""

    transfer_id: UUID
    topic: str
    partition: int
    offset: int


class KafkaSubmitter:
    """Submits to the request topic. Use it as a context manager; many submissions may be under way at once.

    The key is the source wallet's id, and its partition the one that Java's clients choose, and librdkafka's with
    ``partitioner=murmur2_random``: a wallet's transfers are decided in the order of their partition, whoever sends
    them. ``signing_key`` (NAME=KEY, of `hfts keygen`) signs each request. ``connection`` are arguments of
    AIOKafkaProducer that say how to get in, such as ``security_protocol`` and ``ssl_context``. Raises KeyFormatError.
    """

    def __init__(
        self,
        bootstrap_servers: str,
        *,
        topic: str = TRANSFERS_REQUESTED.name,
        signing_key: str | None = None,
        timeout_s: float = CONFIRM_TIMEOUT_S,
        connection: Mapping[str, Any] | None = None,
    ) -> None:
        self._options = {"bootstrap_servers": bootstrap_servers.split(","), **(connection or {})}
        self._topic = topic
        self._signer = None if signing_key is None else RequestSigner(signing_key, topic)
        self._timeout_s = timeout_s
        self._producer: Any = None
        self._connecting = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def submit(self, **fields: Unpack[KafkaFields]) -> Submitted:
        """Publish a request, again under the same id until Kafka confirms it.

        Without a ``transfer_id`` one is made. Raises ValueError for what the workers would not take, and
        UnconfirmedError when there is no confirmation within ``timeout_s``.
        """
        request = _request(**fields)
        value = encode_request(request)
        transfer_id = UUID(request.transfer_id)
        headers = [] if self._signer is None else [self._signer.header(value)]
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await self._send(request.source_wallet_id.encode(), value, headers)
        except TimeoutError:
            # An idempotent send of aiokafka's never times out by itself.
            raise UnconfirmedError(transfer_id, f"no answer within {self._timeout_s:g} s") from None
        except KafkaError as error:
            raise UnconfirmedError(transfer_id, str(error)) from error
        return Submitted(transfer_id, self._topic, found.partition, found.offset)

    async def close(self) -> None:
        """Send what is pending, for 5 s at most, and disconnect."""
        await self._retire(self._producer)

    async def _send(self, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> Any:
        while True:
            producer = None
            try:
                producer = await self._connected()
                return await producer.send_and_wait(self._topic, value, key, headers=headers)
            except KafkaError as error:
                await self._retire(producer)
                # After this one an idempotent producer is of no more use; another one is.
                if not error.retriable and not isinstance(error, OutOfOrderSequenceNumber):
                    raise
            await asyncio.sleep(PAUSE_S)

    async def _connected(self) -> Any:
        async with self._connecting:
            if self._producer is None:
                producer: Any = AIOKafkaProducer(**self._options, acks="all", enable_idempotence=True)
                try:
                    await producer.start()
                    await self._check_topic(producer)
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _check_topic(self, producer: Any) -> None:
        """Sending to an unknown topic may create it, with whatever number of partitions."""
        found = await producer.client.fetch_all_metadata()
        if not found.partitions_for_topic(self._topic):
            raise KafkaError(f"there is no topic {self._topic}")

    async def _retire(self, producer: Any) -> None:
        """Have the next submission connect anew, unless another one has seen to it."""
        if producer is None or producer is not self._producer:
            return
        self._producer = None
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await producer.stop()
        except (KafkaError, TimeoutError):
            await producer.client.close()


def _request(
    *,
    source_wallet_id: Id,
    destination_wallet_id: Id,
    amount: AmountLike,
    currency: str,
    reference: str | None = None,
    metadata: Mapping[str, str] | None = None,
    transfer_id: Id | None = None,
    kind: Kind | None = None,
    parent_id: Id | None = None,
    expires_at: datetime | None = None,
) -> TransferRequest:
    """Checked as the workers check it. Raises TypeError and ValueError."""
    request = TransferRequest(
        transfer_id=id_text(transfer_id or uuid4()),
        source_wallet_id=id_text(source_wallet_id),
        destination_wallet_id=id_text(destination_wallet_id),
        amount=amount_text(amount),
        currency=currency,
        requested_at=datetime.now(UTC),
        reference=reference,
        metadata=None if metadata is None else dict(metadata),
        kind=kind,
        parent_id=None if parent_id is None else id_text(parent_id),
        expires_at=None if expires_at is None else datetime.fromisoformat(moment_text(expires_at)),
    )
    check_request(request)
    return request
