"""From an order to a receipt: the one path by which HTTP puts money in motion."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import msgspec
import structlog
from uuid_utils import UUID, uuid5, uuid7

from ingest_api.bounded_cache import BoundedCache
from ingest_api.metrics import ACCEPTED, PUBLISH_SECONDS
from ingest_api.problems import ProblemError, invalid_request
from ingest_api.receipts import Receipt
from ingest_api.tokens import Caller
from schemas.codes import ProblemCode
from schemas.crash_points import CrashPoint
from schemas.money import format_units
from schemas.transfers import InvalidRequestError, TransferRequest, check_request, encode_request
from sinks.crash import reach
from sinks.errors import BrokerAwayError
from sinks.kafka.positions import Position
from sinks.tracing import tracing

REMEMBERED_MAX = 20_000

_log = structlog.get_logger(__name__)

_ENCODER = msgspec.json.Encoder(order="deterministic")


class Requests(Protocol):
    """The topic that requests go to."""

    topic: str

    async def publish(self, key: bytes, value: bytes) -> Position:
        """Where the record stands, once the broker has confirmed it. Raises BrokerAwayError."""

    async def publish_all(self, records: Sequence[tuple[bytes, bytes]]) -> list[Position | None]:
        """Where each of these keys and values stands, or None where the broker has not confirmed it in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Money to move, as its sender put it."""

    kind: str
    source_wallet_id: str
    destination_wallet_id: str
    amount: str
    currency: str
    reference: str | None
    metadata: dict[str, str] | None


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """A request that Kafka holds."""

    receipt: Receipt
    accepted_at: datetime
    fingerprint: bytes


class Submitter:
    """Publishes orders, and remembers a bounded number of what it accepted."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests
        self._recent: BoundedCache[str, Accepted] = BoundedCache(REMEMBERED_MAX)

    def recall(self, transfer_id: str) -> Receipt | None:
        """The receipt of a request that this process accepted not long ago."""
        accepted = self._recent.get(transfer_id)
        return accepted.receipt if accepted else None

    def remembered(self, transfer_id: str) -> Accepted | None:
        """What this process accepted under this id not long ago."""
        return self._recent.get(transfer_id)

    def remember(self, accepted: Accepted) -> None:
        """Repeat this receipt when the same comes again."""
        self._recent.put(accepted.receipt.transfer_id, accepted)

    async def submit(self, caller: Caller, order: Order, transfer_id: str | None) -> Accepted:
        """Publish the order under this id, or a new one, and wait for the broker.

        The same order under an id that this process remembers is not published again: its receipt is repeated.
        Raises ProblemError: 422 for an order that the stream would refuse, and for an id that is remembered with
        another order; 503 when the broker does not confirm in time.
        """
        now = datetime.now(UTC)
        request = TransferRequest(
            transfer_id=transfer_id or str(uuid7()),
            source_wallet_id=order.source_wallet_id,
            destination_wallet_id=order.destination_wallet_id,
            amount=order.amount,
            currency=order.currency,
            requested_at=now,
            reference=order.reference,
            metadata=order.metadata,
        )
        try:
            request.amount = format_units(check_request(request))
        except InvalidRequestError as error:
            raise invalid_request(("body", str(error))) from None
        return await self.submit_request(caller, order.kind, request, is_repeatable=transfer_id is not None)

    async def submit_request(
        self, caller: Caller, kind: str, request: TransferRequest, *, is_repeatable: bool
    ) -> Accepted:
        """The same for a request that has been checked. ``is_repeatable``: its id was given, so that it may come again.

        Raises ProblemError (422, 503) as `submit` does.
        """
        tracing().note_transfer(request.transfer_id)
        fingerprint = fingerprint_of(caller, request)
        if is_repeatable and (known := self._recent.get(request.transfer_id)) is not None:
            if known.fingerprint != fingerprint:
                raise ProblemError(422, ProblemCode.IDEMPOTENCY_KEY_REUSED)
            return known
        position = await self._publish(request)
        ACCEPTED.labels(kind).inc()
        receipt = Receipt(request.transfer_id, caller.user_id, position.partition, position.offset)
        accepted = Accepted(receipt, request.requested_at, fingerprint)
        self.remember(accepted)
        return accepted

    async def _publish(self, request: TransferRequest) -> Position:
        reach(CrashPoint.BEFORE_ACCEPT)
        try:
            with PUBLISH_SECONDS.time():
                position = await self._requests.publish(request.source_wallet_id.encode(), encode_request(request))
        except BrokerAwayError as error:
            _log.warning("transfer.unconfirmed", transfer_id=request.transfer_id, error=str(error))
            raise unconfirmed(request.transfer_id) from None
        reach(CrashPoint.AFTER_ACCEPT)
        return position

    async def publish_all(self, records: Sequence[tuple[bytes, bytes]]) -> list[Position | None]:
        """Likewise for many: None where the broker has not confirmed a record in time. It may still arrive."""
        reach(CrashPoint.BEFORE_ACCEPT)
        with PUBLISH_SECONDS.time():
            positions = await self._requests.publish_all(records)
        reach(CrashPoint.AFTER_ACCEPT)
        return positions


def unconfirmed(transfer_id: str) -> ProblemError:
    """503. The request may still arrive, so that a client without a key needs the id to retry under."""
    return ProblemError(
        503,
        ProblemCode.BROKER_UNAVAILABLE,
        "Kafka did not confirm the request in time. Retry with the same Idempotency-Key or this transfer_id.",
        members={"transfer_id": transfer_id},
    )


def transfer_id_of_key(caller: Caller, key: str) -> str:
    """The transfer id that an Idempotency-Key of this caller's stands for."""
    return str(uuid5(UUID(caller.user_id), key))  # a tenth of the standard library's time


def fingerprint_of(caller: Caller, request: TransferRequest) -> bytes:
    """Equal for orders of the same content by the same caller, whenever they were sent."""
    content = (
        caller.user_id,
        request.source_wallet_id,
        request.destination_wallet_id,
        request.amount,
        request.currency,
        request.reference,
        request.metadata,
    )
    return hashlib.blake2b(_ENCODER.encode(content), digest_size=16).digest()
