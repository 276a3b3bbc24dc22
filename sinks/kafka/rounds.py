"""Records of many waiters in few record batches, without holding any back.

What arrives while the last round is under way goes together with the next, one record batch for each partition; when
nothing is under way, a record goes at once. aiokafka's own `send` costs twice as much for each record.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from aiokafka.errors import KafkaError

from schemas.signatures import RequestSigner
from sinks.errors import BrokerAwayError
from sinks.kafka.batch_sending import Batch, fill_batches
from sinks.kafka.partitions import partition_of
from sinks.kafka.positions import Position
from sinks.tracing import OwnHeaders

ROUND_S_MAX = 0.02
"""After so long the next round begins nevertheless: one partition that its brokers hold up must not stop the others."""

Waiter: TypeAlias = "asyncio.Future[Position]"


class _Waiting(NamedTuple):
    key: bytes
    value: bytes
    headers: OwnHeaders
    waiter: Waiter


@dataclass(slots=True)
class _Round:
    """Batches that are handed over together, and how many of them have no outcome yet."""

    producer: Any
    busy: set[int]
    left: int


class Rounds:
    """Sends to one topic. ``retire`` is called with a producer that reported an error beyond its own retries."""

    def __init__(self, topic: str, signer: RequestSigner | None, retire: Callable[[Any], None]) -> None:
        self._topic = topic
        self._signer = signer
        self._retire = retire
        self._producer: Any = None
        self._waiting: list[_Waiting] = []
        self._busy: set[int] = set()  # partitions with a batch under way
        self._round: _Round | None = None
        self._opening: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def use(self, producer: Any) -> None:
        """Send with this producer from now on; with None, what comes waits for the next one."""
        self._producer = producer
        self._busy = set()
        self._end_round()

    def stop(self) -> None:
        """Send nothing more."""
        self._producer = None
        if self._task is not None:
            self._task.cancel()
        self._end_round()

    def add(self, key: bytes, value: bytes, headers: OwnHeaders) -> Waiter:
        """The position to come, or BrokerAwayError. A record whose waiter is cancelled before its round is not sent."""
        waiter: Waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(key, value, headers, waiter))
        self._begin_round()
        return waiter

    def _begin_round(self) -> None:
        if self._waiting and self._round is None and self._producer is not None and self._task is None:
            # A task begins in the loop's next turn: what arrives in this one comes along.
            self._task = asyncio.create_task(self._send(self._producer), name="request-round")

    def _end_round(self) -> None:
        self._round = None
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        self._begin_round()

    async def _send(self, producer: Any) -> None:
        busy, sent = self._busy, list[_Waiting]()
        try:
            partitions = len(await producer.partitions_for(self._topic))
            if producer is self._producer:
                sent = self._take(partitions)
                batches = fill_batches(producer, partitions, [each[:3] for each in sent], self._signer)
                await self._hand_over(producer, batches, sent, busy)
        except KafkaError as error:
            self._fail(producer, sent, error)
        finally:
            self._task = None
            if sent:  # else all that waits, waits for its partition
                self._begin_round()

    def _take(self, partitions: int) -> list[_Waiting]:
        """What may go now; the rest waits until its partition has no batch under way."""
        here = [each for each in self._waiting if not each.waiter.done()]
        if not self._busy:
            self._waiting = []
            return here
        self._waiting = [each for each in here if partition_of(each.key, partitions) in self._busy]
        return [each for each in here if partition_of(each.key, partitions) not in self._busy]

    async def _hand_over(self, producer: Any, batches: list[Batch], sent: list[_Waiting], busy: set[int]) -> None:
        if not batches:
            return
        current = self._round = _Round(producer, busy, len(batches))
        self._opening = asyncio.get_running_loop().call_later(ROUND_S_MAX, self._end_round)
        for number, batch in enumerate(batches):
            waiting = [sent[place] for place in batch.places]
            try:
                # Waits only where a partition has more than fits into one batch.
                batch.future = await producer.send_batch(batch.builder, self._topic, partition=batch.partition)
            except KafkaError:
                self._ended(current, len(batches) - number)
                raise
            busy.add(batch.partition)
            batch.future.add_done_callback(partial(self._settle, current, batch.partition, waiting))

    def _settle(self, current: _Round, partition: int, waiting: list[_Waiting], future: "asyncio.Future[Any]") -> None:
        current.busy.discard(partition)
        error = asyncio.CancelledError() if future.cancelled() else future.exception()
        if error is not None:
            self._fail(current.producer, waiting, error)
        else:
            offset = future.result().offset
            for distance, each in enumerate(waiting):
                if not each.waiter.done():
                    each.waiter.set_result(Position(partition, offset + distance))
        self._ended(current, 1)

    def _ended(self, current: _Round, count: int) -> None:
        current.left -= count
        if current.left == 0 and self._round is current:
            self._end_round()
        else:
            self._begin_round()  # if it waited for nothing but this partition

    def _fail(self, producer: Any, waiting: list[_Waiting], error: BaseException) -> None:
        # Whatever an idempotent producer reports is beyond its own retries, and its sequence may be lost.
        self._retire(producer)
        for each in waiting:
            if not each.waiter.done():
                fault = BrokerAwayError(f"Kafka refused the record: {type(error).__name__}")
                fault.__cause__ = error
                each.waiter.set_exception(fault)
