"""Takes partitions over from whoever wrote to them before: the brokers refuse what that one still sends.

A transactional id gives its holder a producer id and an epoch that grows with each new holder, and a broker refuses
records with an older epoch than the last it has seen of a producer id in a partition (KIP-98). It sees an epoch in
the marker at a transaction's end, also of one without a record. So an empty transaction over the partitions is
enough: nothing older can come after its marker, and what stands before it can be read. From then on, plain batches
with this producer id and epoch need no transactions and cost no more than any others.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

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


class Claim:
    """The right to write to one partition, until another takes it over. Numbers the records written under it."""

    __slots__ = ("_next_sequence", "epoch", "producer_id")

    def __init__(self, producer_id: int, epoch: int) -> None:
        self.producer_id = producer_id
        self.epoch = epoch
        self._next_sequence = 0

    def take_sequence(self, records: int) -> int:
        """The number of the next record, where as many follow each other. After 2³¹ - 1 comes 0."""
        first = self._next_sequence
        self._next_sequence = (first + records) % 2**31
        return first


async def take_over(
    client: AIOKafkaClient, transactional_id: str, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, Claim]:
    """A claim on each of these partitions, once nobody with an earlier one can write there any more.

    Waits for as long as the brokers are away. Raises ProducerFenced when another took them over in the same moment,
    and KafkaError for what no retry can mend, such as a missing permission.
    """
    taken = list(partitions)
    attempt = 0
    while True:
        try:
            producer_id, epoch = await _leave_markers(client, transactional_id, taken)
        except InvalidProducerEpoch as error:
            raise ProducerFenced(f"another took {transactional_id} over") from error
        except KafkaError as error:
            if not _may_pass(error):
                raise
            attempt += 1
            if attempt % ATTEMPTS_LOGGED_EVERY == 0:
                _log.warning("takeover.waiting", transactional_id=transactional_id, error=type(error).__name__)
            await asyncio.sleep(PAUSE_S)
        else:
            return {where: Claim(producer_id, epoch) for where in taken}


async def renew(client: AIOKafkaClient, transactional_id: str, claims: Mapping[TopicPartition, Claim]) -> None:
    """Remind the coordinator of this id, which it forgets after ``transactional.id.expiration.ms`` (7 days) without a
    transaction; the next holder would be given another producer id, under which it could not fence us.

    Raises ProducerFenced when another has taken over meanwhile, and KafkaError.
    """
    writers = {(claim.producer_id, claim.epoch) for claim in claims.values()}
    for writer in writers:
        try:
            node = await client.coordinator_lookup(CoordinationType.TRANSACTION, transactional_id)
            await _empty_transaction(client, node, transactional_id, writer, claims)
        except InvalidProducerEpoch as error:
            raise ProducerFenced(f"another took {transactional_id} over") from error


async def _leave_markers(
    client: AIOKafkaClient, transactional_id: str, partitions: list[TopicPartition]
) -> tuple[int, int]:
    """The producer id and epoch of the markers, which are written when this returns."""
    node = await client.coordinator_lookup(CoordinationType.TRANSACTION, transactional_id)
    writer = await _next_epoch(client, node, transactional_id)
    while True:
        await _empty_transaction(client, node, transactional_id, writer, partitions)
        # It begins when the markers of the first are written, and with no epoch later than theirs: under a later one
        # we could write behind the marker of somebody who came in between.
        await _empty_transaction(client, node, transactional_id, writer, partitions)
        producer_id, epoch = writer
        if epoch < EPOCH_LAST - EPOCHS_LEFT_MIN:
            return writer
        while writer[0] == producer_id:  # not for long: until the epochs of this producer id are used up
            writer = await _next_epoch(client, node, transactional_id)


async def _empty_transaction(
    client: AIOKafkaClient,
    node: int,
    transactional_id: str,
    writer: tuple[int, int],
    partitions: Iterable[TopicPartition],
) -> None:
    by_topic: defaultdict[str, list[int]] = defaultdict(list)
    for where in partitions:
        by_topic[where.topic].append(where.partition)
    beginning = AddPartitionsToTxnRequest(transactional_id, *writer, list(by_topic.items()))
    while codes := await _codes(client, node, beginning):
        if codes != {ConcurrentTransactions.errno}:
            raise for_code(min(codes - {ConcurrentTransactions.errno, OperationNotAttempted.errno}))
        await asyncio.sleep(PAUSE_S)
    ending = EndTxnRequest(transactional_id, *writer, True)
    ended: Any = await client.send(node, ending, group=ConnectionGroup.COORDINATION)
    _check(ended.error_code)


async def _codes(client: AIOKafkaClient, node: int, request: AddPartitionsToTxnRequest) -> set[int]:
    """The errors that partitions were not added for."""
    added: Any = await client.send(node, request, group=ConnectionGroup.COORDINATION)
    return {code for _, results in added.errors for _, code in results} - {NoError.errno}


async def _next_epoch(client: AIOKafkaClient, node: int, transactional_id: str) -> tuple[int, int]:
    request = InitProducerIdRequest(transactional_id, TRANSACTION_TIMEOUT_MS)
    found: Any = await client.send(node, request, group=ConnectionGroup.COORDINATION)
    _check(found.error_code)
    return found.producer_id, found.producer_epoch


def _check(code: int) -> None:
    error = for_code(code)
    if error is not NoError:
        raise error


def _may_pass(error: KafkaError) -> bool:
    return bool(error.retriable) or isinstance(error, ConcurrentTransactions)
