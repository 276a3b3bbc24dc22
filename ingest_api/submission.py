"""From an order to a receipt: the one path by which HTTP puts money in motion."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, get_args

import msgspec
import structlog
from uuid_utils import UUID, uuid5, uuid7

from ingest_api.bounded_cache import BoundedCache
from ingest_api.known_transfers import KnownTransfers
from ingest_api.metrics import ACCEPTED, PUBLISH_SECONDS
from ingest_api.problems import ProblemError, invalid_request
from ingest_api.receipts import CONTENT_BYTES, Receipt
from ingest_api.tokens import Caller
from schemas.codes import ProblemCode
from schemas.crash_points import CrashPoint
from schemas.money import format_units
from schemas.transfers import InvalidRequestError, Kind, TransferRequest, check_request, encode_request
from sinks.crash import reach
from sinks.directory.transfers import StoredRequest
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
    """Money to move, as its sender put it. Its kind is that of its request, or tells ordinary transfers apart."""

    kind: str
    source_wallet_id: str
    destination_wallet_id: str
    amount: str
    currency: str
    reference: str | None
    metadata: dict[str, str] | None
    parent_id: str | None = None
    expires_at: datetime | None = None

    def request(self, transfer_id: str | None) -> TransferRequest:
        """The request under this id, or a new one. Raises ProblemError (422) for what the stream would refuse."""
        request = TransferRequest(
            transfer_id=transfer_id or str(uuid7()),
            source_wallet_id=self.source_wallet_id,
            destination_wallet_id=self.destination_wallet_id,
            amount=self.amount,
            currency=self.currency,
            requested_at=datetime.now(UTC),
            reference=self.reference,
            metadata=self.metadata,
            kind=_REQUEST_KINDS.get(self.kind),
            parent_id=self.parent_id,
            expires_at=self.expires_at,
        )
        try:
            request.amount = format_units(check_request(request))
        except InvalidRequestError as error:
            raise invalid_request(("body", str(error))) from None
        return request


_REQUEST_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """A request that Kafka holds. ``is_replay``: it was accepted before, and what was sent again is not published."""

    receipt: Receipt
    accepted_at: datetime
    fingerprint: bytes
    is_replay: bool = False


class Content(Protocol):
    """What has to be the same when a request comes again."""

    @property
    def source_wallet_id(self) -> str: ...  # noqa: D102 (as in a request)
    @property
    def destination_wallet_id(self) -> str: ...  # noqa: D102
    @property
    def amount(self) -> str: ...  # noqa: D102
    @property
    def currency(self) -> str: ...  # noqa: D102
    @property
    def reference(self) -> str | None: ...  # noqa: D102
    @property
    def metadata(self) -> dict[str, str] | None: ...  # noqa: D102
    @property
    def kind(self) -> str | None: ...  # noqa: D102
    @property
    def parent_id(self) -> str | None: ...  # noqa: D102
    @property
    def expires_at(self) -> datetime | None: ...  # noqa: D102


class Submitter:
    """Publishes orders, and remembers a bounded number of what it accepted.

    An id that was given may have been used before, by way of another process or long ago: ``known`` tells, as far as
    it can. Who chooses no id costs no statement.
    """

    def __init__(self, requests: Requests, known: KnownTransfers) -> None:
        self._requests = requests
        self._known = known
        self._recent: BoundedCache[str, Accepted] = BoundedCache(REMEMBERED_MAX)

    def recall(self, transfer_id: str) -> Receipt | None:
        """The receipt of a request that this process accepted not long ago."""
        accepted = self._recent.get(transfer_id)
        return accepted.receipt if accepted else None

    async def known(self, caller: Caller, transfer_ids: Sequence[str]) -> dict[str, Accepted]:
        """What was accepted under these ids before, as far as this process or the ledger can tell.

        What somebody else has sent under such an id is not remembered for the caller: the ledger says who was first.
        """
        found = {}
        for transfer_id in transfer_ids:
            known = self._recent.get(transfer_id)
            if known is not None and known.receipt.owner_id == caller.user_id:
                found[transfer_id] = known
        missing = [transfer_id for transfer_id in transfer_ids if transfer_id not in found]
        if missing:
            for transfer_id, stored in (await self._known.find_all(missing)).items():
                found[transfer_id] = accepted_before(caller, stored)
        return found

    def remember(self, accepted: Accepted) -> None:
        """Repeat this receipt when the same comes again."""
        self._recent.put(accepted.receipt.transfer_id, accepted)

    async def submit(
        self, caller: Caller, order: Order, transfer_id: str | None, *, is_repeatable: bool = True
    ) -> Accepted:
        """Publish the order under this id, or a new one, and wait for the broker. ``is_repeatable``: the id given may
        have been used before.

        The same order under an id that is known is not published again: its receipt is repeated.
        Raises ProblemError: 422 for an order that the stream would refuse, and for an id that is known with another
        order; 503 when the broker does not confirm in time.
        """
        request = order.request(transfer_id)
        is_repeatable = is_repeatable and transfer_id is not None
        return await self.submit_request(caller, order.kind, request, is_repeatable=is_repeatable)

    async def submit_request(
        self, caller: Caller, kind: str, request: TransferRequest, *, is_repeatable: bool
    ) -> Accepted:
        """The same for a request that has been checked. ``is_repeatable``: its id was given, so that it may come again.

        Raises ProblemError (422, 503) as `submit` does.
        """
        tracing().note_transfer(request.transfer_id)
        fingerprint = fingerprint_of(caller, request)
        if is_repeatable:
            known = (await self.known(caller, (request.transfer_id,))).get(request.transfer_id)
            if known is not None:
                if known.fingerprint != fingerprint:
                    raise ProblemError(422, ProblemCode.IDEMPOTENCY_KEY_REUSED)
                return msgspec.structs.replace(known, is_replay=True)
        position = await self._publish(request)
        ACCEPTED.labels(kind).inc()
        receipt = receipt_of(caller, request.transfer_id, position, fingerprint if is_repeatable else None)
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


def accepted_before(caller: Caller, stored: StoredRequest) -> Accepted:
    """What was answered when this transfer's request was accepted: the very same, if it was the caller's."""
    fingerprint = fingerprint_of(caller, stored)
    position = Position(stored.request_partition, stored.request_offset)
    return Accepted(receipt_of(caller, stored.transfer_id, position, fingerprint), stored.requested_at, fingerprint)


def receipt_of(caller: Caller, transfer_id: str, position: Position, fingerprint: bytes | None) -> Receipt:
    """The caller's receipt. A ``fingerprint`` where the id was given, so that it may have been used before."""
    content = bytes(CONTENT_BYTES) if fingerprint is None else fingerprint[:CONTENT_BYTES]
    return Receipt(transfer_id, caller.user_id, position.partition, position.offset, content)


def is_of(receipt: Receipt, row: Content) -> bool:
    """Whether this transfer is what the receipt was given for; if not, its id had been used before."""
    return not any(receipt.content) or receipt.content == _fingerprint(receipt.owner_id, row)[:CONTENT_BYTES]


def transfer_id_of_key(caller: Caller, key: str) -> str:
    """The transfer id that an Idempotency-Key of this caller's stands for."""
    return str(uuid5(UUID(caller.user_id), key))  # a tenth of the standard library's time


def fingerprint_of(caller: Caller, request: Content) -> bytes:
    """Equal for orders of the same content by the same caller, whenever they were sent."""
    return _fingerprint(caller.user_id, request)


def _fingerprint(user_id: str, request: Content) -> bytes:
    content: tuple[object, ...] = (
        user_id,
        request.source_wallet_id,
        request.destination_wallet_id,
        request.amount,
        request.currency,
        request.reference,
        request.metadata,
    )
    if request.kind is not None:
        content += (request.kind, request.parent_id, request.expires_at)
    return hashlib.blake2b(_ENCODER.encode(content), digest_size=16).digest()
