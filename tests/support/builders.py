"""Test data: requests, wallets and a stand-in for Kafka's topics."""

import sys
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiokafka.errors import ProducerFenced

from schemas.holds import hold_wallet_id
from schemas.money import format_units
from schemas.transfers import TransferRequest, encode_request
from sinks.kafka.records import Consumed, Record
from sinks.ledger.types import Order

REQUESTED_AT = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)


def new_id() -> str:
    return str(uuid.uuid4())


def a_request(**changes: Any) -> TransferRequest:
    """A valid request; name only what matters."""
    fields: dict[str, Any] = {
        "transfer_id": new_id(),
        "source_wallet_id": new_id(),
        "destination_wallet_id": new_id(),
        "amount": "12.5000",
        "currency": "USD",
        "requested_at": REQUESTED_AT,
    }
    return TransferRequest(**(fields | changes))


def an_order(offset: int = 0, units: int = 125_000, *, partition: int = 0, **changes: Any) -> Order:
    """An order of ``units`` at an offset."""
    return Order(a_request(amount=format_units(units), **changes), units, partition, offset)


def a_hold(offset: int, units: int, source_wallet_id: str, **changes: Any) -> Order:
    """An order to hold so much of a wallet."""
    wallets: Any = {"source_wallet_id": source_wallet_id, "destination_wallet_id": hold_wallet_id(source_wallet_id)}
    return an_order(offset, units, kind="hold", **wallets, **changes)


def a_draw(offset: int, units: int, kind: str, parent: Order, destination_wallet_id: str, **changes: Any) -> Order:
    """An order to draw on what another order made."""
    drawn: Any = {"parent_id": parent.request.transfer_id, "source_wallet_id": parent.request.destination_wallet_id}
    return an_order(offset, units, kind=kind, destination_wallet_id=destination_wallet_id, **drawn, **changes)


def repeat_of(order: Order, offset: int, *, partition: int = 0, **changes: Any) -> Order:
    """The same request at another offset, with changes."""
    request = msgspec.structs.replace(order.request, **changes)
    return Order(request, order.units, partition, offset)


def consumed(
    offset: int,
    value: bytes | None,
    *,
    key: bytes | None = None,
    topic: str = "transfers.requested",
    partition: int = 0,
    headers: Iterable[tuple[str, bytes | None]] = (),
    timestamp_ms: int = 0,
) -> Consumed:
    """A record as aiokafka hands it over."""
    return Consumed(
        topic=topic,
        partition=partition,
        offset=offset,
        timestamp=timestamp_ms,
        timestamp_type=0,
        key=key,
        value=value,
        checksum=None,
        serialized_key_size=-1 if key is None else len(key),
        serialized_value_size=-1 if value is None else len(value),
        headers=tuple(headers),  # type: ignore[arg-type]  # a null value is not in the annotation
    )


def request_record(offset: int, request: TransferRequest, *, partition: int = 0) -> Consumed:
    """A request as it stands on its topic."""
    return consumed(
        offset, encode_request(request), key=request.source_wallet_id.encode(), topic="requests", partition=partition
    )


class CrashError(BaseException):
    """Stands for the end of the process: no code of ours may catch it."""


class MemoryTopics:
    """Topics in memory behind the Publisher protocol. ``crash_at`` names a topic whose next publishing ends the
    process, after as many of its groups as ``groups_before_crash``."""

    def __init__(self) -> None:
        self.records: defaultdict[tuple[str, int], list[Record]] = defaultdict(list)
        self.crash_at: str | None = None
        self.groups_before_crash = 0

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def take_over(self, topics: Sequence[str], partitions: Iterable[int]) -> None: ...

    async def publish(self, topic: str, partition: int, groups: Iterable[tuple[Record, ...]]) -> None:
        for number, group in enumerate(groups):
            if topic == self.crash_at and number == self.groups_before_crash:
                self.crash_at = None
                raise CrashError
            self.records[topic, partition].extend(group)

    async def last_records(self, topic: str, partitions: Iterable[int]) -> Mapping[int, Consumed]:
        return {
            partition: consumed(len(kept) - 1, kept[-1].value, key=kept[-1].key, headers=kept[-1].headers)
            for partition in partitions
            if (kept := self.records[topic, partition])
        }

    async def end_offsets(self, topic: str, partitions: Iterable[int]) -> Mapping[int, int]:
        # What is never published here is handed to the stages in other ways.
        return {partition: len(self.records[topic, partition]) or sys.maxsize for partition in partitions}

    def read(self, topic: str, partition: int) -> list[Consumed]:
        """All of a partition, as a consumer would get it."""
        return [
            consumed(offset, r.value, key=r.key, topic=topic, partition=partition, headers=r.headers)
            for offset, r in enumerate(self.records[topic, partition])
        ]


class MemoryPublisher:
    """One of several publishers to the same topics: the last to take a partition over is the one that can write."""

    def __init__(self, topics: MemoryTopics, writers: dict[tuple[str, int], "MemoryPublisher"]) -> None:
        self._topics = topics
        self._writers = writers

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def take_over(self, topics: Sequence[str], partitions: Iterable[int]) -> None:
        self._writers.update(dict.fromkeys([(t, p) for t in topics for p in partitions], self))

    async def publish(self, topic: str, partition: int, groups: Iterable[tuple[Record, ...]]) -> None:
        for group in groups:
            if self._writers[topic, partition] is not self:
                raise ProducerFenced
            await self._topics.publish(topic, partition, [group])

    async def last_records(self, topic: str, partitions: Iterable[int]) -> Mapping[int, Consumed]:
        return await self._topics.last_records(topic, partitions)

    async def end_offsets(self, topic: str, partitions: Iterable[int]) -> Mapping[int, int]:
        return await self._topics.end_offsets(topic, partitions)
