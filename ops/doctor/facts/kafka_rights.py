"""Which rights we have on Kafka, found out without doing anything.

Each is asked for on what cannot be: a partition of a number that no topic has, a member that no group has. A broker
looks at rights first, so that its refusal tells whether it is for lack of them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aiokafka.errors import (
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.protocol.transaction import AddPartitionsToTxnRequest

from schemas.settings import Settings

Resource = Literal["topic", "group", "transactional id"]
Operation = Literal["Read", "Write", "Describe"]


@dataclass(frozen=True, slots=True)
class Right:
    """An operation on a resource, its name without the prefix of this cluster's topics."""

    resource: Resource
    name: str
    operation: Operation


def _rights(resource: Resource, operation: Operation, *names: str) -> tuple[Right, ...]:
    return tuple(Right(resource, name, operation) for name in names)


_GROUPS = ("hfts-transfers", "hfts-notifications", "hfts-audit", "hfts-deliveries")

NEEDED: Mapping[str, Sequence[Right]] = {
    "api": (
        *_rights("topic", "Read", "transfers.requested", "transfers.outcomes", "notifications", "audit"),
        *_rights("topic", "Read", "transfers.dead-letter"),
        *_rights("topic", "Write", "transfers.requested"),
        *_rights("group", "Describe", *_GROUPS),
        *_rights("transactional id", "Write", "hfts-dlq"),
    ),
    "transfers": (
        *_rights("topic", "Read", "transfers.requested", "transfers.outcomes", "transfers.dead-letter"),
        *_rights("topic", "Write", "transfers.outcomes", "transfers.dead-letter"),
        *_rights("topic", "Describe", "notifications", "audit", "audit.checkpoints"),
        *_rights("group", "Read", "hfts-transfers"),
        *_rights("transactional id", "Write", "hfts-transfers-0"),
    ),
    "downstream": (
        *_rights("topic", "Read", "transfers.outcomes", "notifications", "audit", "audit.checkpoints"),
        *_rights("topic", "Write", "notifications", "audit", "audit.checkpoints"),
        *_rights("topic", "Describe", "transfers.requested", "transfers.dead-letter"),
        *_rights("group", "Read", "hfts-notifications", "hfts-audit", "hfts-deliveries"),
        *_rights("transactional id", "Write", "hfts-notifications-0", "hfts-audit-0", "hfts-checkpoints-0"),
    ),
    "rates": (
        *_rights("topic", "Read", "transfers.outcomes", "transfers.rates-table"),
        *_rights("topic", "Write", "transfers.rates", "transfers.rates-table"),
        *_rights("group", "Read", "hfts-rates"),
    ),
    "ops": (
        *_rights("topic", "Read", "transfers.requested", "transfers.outcomes", "notifications", "audit"),
        *_rights("topic", "Read", "transfers.dead-letter", "audit.checkpoints"),
        *_rights("group", "Describe", *_GROUPS),
    ),
}
"""What each kind of process does on Kafka, as the table of rights in docs/security.md has it. Of transactional ids one
stands for all that begin alike."""

NOBODYS_PARTITION = 2**31 - 1
NOBODYS_OFFSET = 0
NO_PRODUCER, NO_EPOCH = -1, 0

_DENIAL: Mapping[Resource, int] = {
    "topic": TopicAuthorizationFailedError.errno,
    "group": GroupAuthorizationFailedError.errno,
    "transactional id": TransactionalIdAuthorizationFailed.errno,
}

Ask = Callable[[Any], Awaitable[Any]]


async def probe_rights(ask: Ask, settings: Settings) -> dict[Right, bool]:
    """Whether we have each of the rights that any process needs. Raises KafkaError."""
    found = {}
    for right in {right: None for rights in NEEDED.values() for right in rights}:
        found[right] = _DENIAL[right.resource] not in await _codes(ask, right, settings.topic_prefix)
    return found


async def _codes(ask: Ask, right: Right, prefix: str) -> list[int]:
    name = prefix + right.name
    match right.resource, right.operation:
        case "topic", "Read":
            fetch = FetchRequest(0, 0, 1, 0, [(name, [(NOBODYS_PARTITION, NOBODYS_OFFSET, 1)])])
            return [partition[1] for _, partitions in (await ask(fetch)).topics for partition in partitions]
        case "topic", "Write":
            produce = ProduceRequest(None, -1, 1000, [(name, [(NOBODYS_PARTITION, b"")])])
            return [partition[1] for _, partitions in (await ask(produce)).topics for partition in partitions]
        case "topic", "Describe":
            return [topic[0] for topic in (await ask(MetadataRequest([name], allow_auto_topic_creation=False))).topics]
        case "group", "Read":
            return [(await ask(HeartbeatRequest(name, -1, "nobody"))).error_code]
        case "group", "Describe":
            return [(await ask(OffsetFetchRequest(name, None))).error_code]
        case "transactional id", "Write":
            somewhere = [(prefix + "transfers.outcomes", [NOBODYS_PARTITION])]
            begin = AddPartitionsToTxnRequest(name, NO_PRODUCER, NO_EPOCH, somewhere)
            return [code for _, results in (await ask(begin)).errors for _, code in results]
        case _:
            raise AssertionError(right)
