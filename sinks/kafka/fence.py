"""Takes partitions over from whoever wrote to them before: the brokers refuse what that one still sends.

A transactional id gives its holder a producer id and an epoch that grows with each new holder, and a broker refuses
records with an older epoch than the last it has seen of a producer id in a partition (KIP-98). It sees an epoch in
the marker at a transaction's end, also of one without a record. So an empty transaction over the partitions is
enough: nothing older can come after its marker, and what stands before it can be read. From then on, plain batches
with this producer id and epoch need no transactions and cost no more than any others.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple, TypeVar

import structlog
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import (
    ConcurrentTransactions,
    InvalidProducerEpoch,
    KafkaError,
    NoError,
    OperationNotAttempted,
    ProducerFenced,
    for_code,
)
from aiokafka.protocol.transaction import AddPartitionsToTxnRequest, EndTxnRequest, InitProducerIdRequest

from schemas.crash_points import CrashPoint
from sinks.crash import reach

T = TypeVar("T")

TRANSACTION_TIMEOUT_MS = 10_000
"""After this, the coordinator itself ends the transaction of a process that died in the middle of it."""

EPOCH_LAST = 2**15 - 2
"""After this epoch the next holder gets a new producer id, in which the brokers see no successor of this one."""

EPOCHS_LEFT_MIN = 100
"""So a holder with fewer left goes over to the new producer id by itself, once its markers stand under the old one."""

PAUSE_S = 0.02
"""Some milliseconds pass between the end of a transaction and its last marker; until then the id is busy."""

ATTEMPTS_LOGGED_EVERY = 50

_log = structlog.get_logger(__name__)


class Writer(NamedTuple):
    """What a broker knows a writer by, and tells it from its predecessors by."""

    producer_id: int
    epoch: int


class Claim:
    """The right to write to one partition, until another takes it over. Numbers the records written under it."""

    __slots__ = ("_next_sequence", "writer")

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self._next_sequence = 0

    def take_sequence(self, records: int) -> int:
        """The number of the next record, where as many follow each other. After 2³¹ - 1 comes 0."""
        first = self._next_sequence
        self._next_sequence = (first + records) % 2**31
        return first


async def take_over(client: AIOKafkaClient, transactional_id: str, partitions: Iterable[TopicPartition]) -> Writer:
    """Who to be from now on in these partitions, where nobody with an earlier claim can write any more.

    Waits for as long as the brokers are away. Raises ProducerFenced when another took them over in the same moment,
    and KafkaError for what no retry can mend, such as a missing permission.
    """
    taken = list(partitions)

    async def leave_markers() -> Writer:
        coordinator = await _coordinator_of(client, transactional_id)
        writer = await coordinator.next_writer()
        while True:
            await coordinator.end_empty_transaction(writer, taken)
            reach(CrashPoint.WITHIN_FENCE)
            # This one begins when the markers of the first are written, and with no epoch later than theirs: under a
            # later one we could write behind the marker of somebody who came in between.
            await coordinator.end_empty_transaction(writer, taken)
            if writer.epoch < EPOCH_LAST - EPOCHS_LEFT_MIN:
                return writer
            fenced = writer
            while writer.producer_id == fenced.producer_id:  # not for long: until its epochs are used up
                writer = await coordinator.next_writer()

    return await _persist(transactional_id, leave_markers)


async def renew(
    client: AIOKafkaClient, transactional_id: str, writer: Writer, partitions: Iterable[TopicPartition]
) -> None:
    """Remind the coordinator of this id, which it forgets after ``transactional.id.expiration.ms`` (7 days) without a
    transaction; the next holder would be given another producer id, under which it could not fence us.

    Waits as ``take_over`` does. Raises ProducerFenced when another has taken over meanwhile, and KafkaError.
    """
    ours = list(partitions)

    async def leave_one_more() -> None:
        await (await _coordinator_of(client, transactional_id)).end_empty_transaction(writer, ours)

    await _persist(transactional_id, leave_one_more)


async def _persist(transactional_id: str, work: Callable[[], Awaitable[T]]) -> T:
    """Do it again for as long as the fault may pass: whatever an attempt has left behind, the next makes good."""
    attempt = 0
    while True:
        try:
            return await work()
        except InvalidProducerEpoch as error:
            raise ProducerFenced(f"another took {transactional_id} over") from error
        except KafkaError as error:
            if not (error.retriable or isinstance(error, ConcurrentTransactions)):
                raise
            attempt += 1
            if attempt % ATTEMPTS_LOGGED_EVERY == 0:
                _log.warning("takeover.waiting", transactional_id=transactional_id, error=type(error).__name__)
            await asyncio.sleep(PAUSE_S)


class _Coordinator:
    """The broker that keeps a transactional id. Its methods raise what it answers, KafkaErrors."""

    def __init__(self, client: AIOKafkaClient, node: int, transactional_id: str) -> None:
        self._client = client
        self._node = node
        self._transactional_id = transactional_id

    async def next_writer(self) -> Writer:
        """The id's producer id with its next epoch."""
        found = await self._ask(InitProducerIdRequest(self._transactional_id, TRANSACTION_TIMEOUT_MS))
        _check(found.error_code)
        return Writer(found.producer_id, found.producer_epoch)

    async def end_empty_transaction(self, writer: Writer, partitions: Iterable[TopicPartition]) -> None:
        """Have a marker written to each of the partitions, soon. Waits for those of the transaction before."""
        by_topic: defaultdict[str, list[int]] = defaultdict(list)
        for where in partitions:
            by_topic[where.topic].append(where.partition)
        beginning = AddPartitionsToTxnRequest(self._transactional_id, *writer, list(by_topic.items()))
        while codes := await self._codes(beginning):
            if ConcurrentTransactions.errno not in codes:
                raise for_code(min(codes - {OperationNotAttempted.errno}))  # that one, for the sake of another
            await asyncio.sleep(PAUSE_S)
        ended = await self._ask(EndTxnRequest(self._transactional_id, *writer, True))
        _check(ended.error_code)

    async def _codes(self, request: AddPartitionsToTxnRequest) -> set[int]:
        added = await self._ask(request)
        return {code for _, results in added.errors for _, code in results} - {NoError.errno}

    async def _ask(self, request: Any) -> Any:
        return await self._client.send(self._node, request, group=ConnectionGroup.COORDINATION)


async def _coordinator_of(client: AIOKafkaClient, transactional_id: str) -> _Coordinator:
    node = await client.coordinator_lookup(CoordinationType.TRANSACTION, transactional_id)
    return _Coordinator(client, node, transactional_id)


def _check(code: int) -> None:
    error = for_code(code)
    if error is not NoError:
        raise error
