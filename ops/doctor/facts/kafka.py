"""Kafka: whether its brokers let us in, where they say they are, and what they say of the topics and of themselves."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import NoError, UnknownTopicOrPartitionError, for_code
from aiokafka.protocol.admin import ApiVersionRequest, DescribeConfigsRequest, DescribeGroupsRequest
from aiokafka.protocol.metadata import MetadataRequest

from ops.doctor.facts.attempt import NO_TIME_LEFT, SERVER_TIMEOUT_S, STEP_TIMEOUT_S, attempt
from ops.doctor.facts.kafka_rights import Right, probe_rights
from ops.doctor.facts.names import name_fault
from ops.doctor.finding import Unknown
from ops.lag.reader import GROUPS, group_name
from ops.topic_reader import group_free_consumer
from schemas.settings import Settings
from schemas.topics import ALL_TOPICS, NOTIFICATIONS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from sinks.errors import SinkError
from sinks.kafka.access import access_fault
from sinks.kafka.options import client_options
from sinks.postgres.retry import describe

GROUP_OFFSETS, TRANSACTIONS = "__consumer_offsets", "__transaction_state"
"""Kafka's own topics for what groups have committed and for who holds a transactional id."""

AHEAD_MS_MIN = 5_000
"""A record from so far in the future, by this machine's clock, is worth a word."""

CLOSE_TIMEOUT_S = 2.0

NOT_IN = Unknown("Kafka must be reached first")
NOT_THERE = Unknown("the addresses that the brokers advertise must be reached first")
NO_TOPICS = Unknown("the topics must be made first")

_TOPIC, _BROKER = 2, 4  # Kafka's ConfigResource.Type

Ask = Callable[[Any], Awaitable[Any]]
"""Sends a request to a broker and returns its answer."""


@dataclass(frozen=True, slots=True)
class Door:
    """An address of a broker, host:port: ``name_fault`` is why its name has no address here, ``fault`` why it does not
    let us in."""

    server: str
    name_fault: str | None = None
    fault: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether we get in."""
        return self.name_fault is None and self.fault is None


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker by its own account: its number and the address that it tells clients to come to."""

    number: int
    door: Door


@dataclass(frozen=True, slots=True)
class Partition:
    """``leader`` is -1 where there is none; ``replicas`` and those of them ``in_sync`` are counted."""

    number: int
    leader: int
    replicas: int
    in_sync: int


@dataclass(frozen=True, slots=True)
class Topics:
    """Topics by their names on this cluster. Of those that are ``unseen`` Kafka does not tell us, and says why."""

    found: Mapping[str, Sequence[Partition]]
    missing: Sequence[str] = ()
    unseen: Mapping[str, str] = field(default_factory=dict)


Values = Mapping[str, str]
"""Settings of a topic or of a broker by their names."""


@dataclass(slots=True)
class KafkaFacts:
    """Each is unknown until it has been read."""

    doors: Sequence[Door] | Unknown = NO_TIME_LEFT
    brokers: Sequence[Broker] | Unknown = NO_TIME_LEFT
    versions: Mapping[int, tuple[int, int]] | Unknown = NO_TIME_LEFT
    """The first and the last version of each request that every broker takes, by the request's key."""
    topics: Topics | Unknown = NO_TIME_LEFT
    internal: Topics | Unknown = NO_TIME_LEFT
    topic_values: Mapping[str, Values] | Unknown = NO_TIME_LEFT
    broker_values: Mapping[int, Values] | Unknown = NO_TIME_LEFT
    rights: Mapping[Right, bool] | Unknown = NO_TIME_LEFT
    members: Mapping[str, int] | Unknown = NO_TIME_LEFT
    """How many processes each agent's group has."""
    readable: Mapping[str, int] | Unknown = NO_TIME_LEFT
    """The topics that workers read and their numbers of partitions, if the leader of each can be reached."""
    ahead_s: float | Unknown = NO_TIME_LEFT
    """How far the first record from the future is ahead of this machine's clock; 0.0 where there is none."""

    def inside(self, settings: Settings) -> Settings:
        """Settings that name only those brokers which let us in."""
        doors = [] if isinstance(self.doors, Unknown) else self.doors
        servers = ",".join(door.server for door in doors if door.is_open)
        return settings.model_copy(update={"kafka_bootstrap_servers": servers})

    def leave_rest(self, why: Unknown) -> None:
        """Give this reason for all that is not read yet."""
        for name in self.__slots__:
            if getattr(self, name) is NO_TIME_LEFT:
                setattr(self, name, why)


async def read_kafka(settings: Settings) -> KafkaFacts:
    """Everything about it, within 18 s."""
    facts = KafkaFacts()
    try:
        with suppress(TimeoutError):  # what was read by then is there
            async with asyncio.timeout(SERVER_TIMEOUT_S):
                await _fill(facts, settings)
    except Exception as error:  # noqa: BLE001 (whatever it is, what was read by then is there)
        facts.leave_rest(Unknown(describe(error)))
    return facts


async def _fill(facts: KafkaFacts, settings: Settings) -> None:
    try:
        client_options(settings)
    except SinkError as error:
        facts.leave_rest(Unknown(str(error)))
        return
    facts.doors = await _doors(settings, settings.kafka_bootstrap_servers.split(","))
    if not any(door.is_open for door in facts.doors):
        facts.leave_rest(NOT_IN)
        return
    settings = facts.inside(settings)
    async with _client(settings) as client:
        started = await attempt(client.bootstrap())
        if isinstance(started, Unknown):
            facts.leave_rest(started)
            return
        facts.brokers = await _brokers(client, settings, facts.doors)
        nodes = [broker.number for broker in facts.brokers if broker.door.is_open]
        if not nodes:
            facts.leave_rest(NOT_THERE)
            return
        await _ask_brokers(facts, client, nodes, settings)
    facts.readable = _readable(facts.topics, nodes, settings)
    facts.ahead_s = await attempt(_read_ahead(settings, facts.readable))


async def _doors(settings: Settings, servers: Sequence[str]) -> list[Door]:
    return list(await asyncio.gather(*(_door(settings, server) for server in servers)))


async def _door(settings: Settings, server: str) -> Door:
    host, _, port = server.strip().rpartition(":")
    if not host or not port.isdigit():
        return Door(server, fault=f"{server!r} is no address: write it as host:port")
    unknown = await name_fault(host)
    if unknown is not None:
        return Door(server, name_fault=unknown)
    return Door(server, fault=await access_fault(settings.model_copy(update={"kafka_bootstrap_servers": server})))


@asynccontextmanager
async def _client(settings: Settings) -> AsyncIterator[AIOKafkaClient]:
    client = AIOKafkaClient(**client_options(settings), request_timeout_ms=int(1000 * STEP_TIMEOUT_S))
    try:
        yield client
    finally:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await client.close()


async def _brokers(client: AIOKafkaClient, settings: Settings, known: Sequence[Door]) -> list[Broker]:
    told = sorted(client.cluster.brokers(), key=lambda broker: int(broker.nodeId))
    servers = [f"{broker.host}:{broker.port}" for broker in told]
    by_server = {door.server: door for door in known}
    doors = await _doors(settings, [server for server in servers if server not in by_server])
    by_server |= {door.server: door for door in doors}
    return [Broker(int(broker.nodeId), by_server[server]) for broker, server in zip(told, servers, strict=True)]


async def _ask_brokers(facts: KafkaFacts, client: AIOKafkaClient, nodes: Sequence[int], settings: Settings) -> None:
    ask: Ask = partial(client.send, nodes[0])
    facts.versions = await attempt(_read_versions(client, nodes))
    ours = [settings.topic_name(topic) for topic in ALL_TOPICS]
    described = await attempt(_read_topics(ask, [*ours, GROUP_OFFSETS, TRANSACTIONS]))
    facts.topics = described if isinstance(described, Unknown) else _part(described, ours)
    facts.internal = described if isinstance(described, Unknown) else _part(described, [GROUP_OFFSETS, TRANSACTIONS])
    facts.broker_values = await attempt(_read_broker_values(client, nodes))
    facts.topic_values = NO_TOPICS
    if isinstance(facts.topics, Topics) and facts.topics.found:
        facts.topic_values = await attempt(_read_values(ask, _TOPIC, list(facts.topics.found)))
    facts.rights = await attempt(probe_rights(ask, settings))
    facts.members = await attempt(_read_members(client, settings, facts.internal))


async def _read_versions(client: AIOKafkaClient, nodes: Sequence[int]) -> Mapping[int, tuple[int, int]]:
    common: dict[int, tuple[int, int]] = {}
    for node in nodes:
        answer = await client.send(node, ApiVersionRequest())
        for key, first, last in answer.api_versions:
            low, high = common.get(key, (first, last))
            common[key] = (max(low, first), min(high, last))
    return common


async def _read_topics(ask: Ask, names: Sequence[str]) -> Topics:
    # Named, so that Kafka tells a topic that is not there from one that we may not see; none is made by asking.
    answer = await ask(MetadataRequest(list(names), allow_auto_topic_creation=False))
    found: dict[str, list[Partition]] = {}
    missing, unseen = [], {}
    for code, name, _, partitions in answer.topics:
        kind = for_code(code)
        if kind is NoError:
            found[name] = [
                Partition(number, leader, len(replicas), len(in_sync))
                for _, number, leader, replicas, in_sync, *_ in partitions
            ]
        elif kind is UnknownTopicOrPartitionError:
            missing.append(name)
        else:
            unseen[name] = kind.__name__
    return Topics(found, missing, unseen)


def _part(topics: Topics, names: Sequence[str]) -> Topics:
    return Topics(
        {name: topics.found[name] for name in names if name in topics.found},
        [name for name in names if name in topics.missing],
        {name: topics.unseen[name] for name in names if name in topics.unseen},
    )


async def _read_broker_values(client: AIOKafkaClient, nodes: Sequence[int]) -> Mapping[int, Values] | Unknown:
    found = {}
    for node in nodes:
        values = await _read_values(partial(client.send, node), _BROKER, [str(node)])
        if isinstance(values, Unknown):
            return values
        found[node] = values[str(node)]
    return found


async def _read_values(ask: Ask, kind: int, names: Sequence[str]) -> Mapping[str, Values] | Unknown:
    answer = await ask(DescribeConfigsRequest([(kind, name, None) for name in names]))
    found = {}
    for code, message, _, name, entries in answer.resources:
        if code != NoError.errno:
            return Unknown(f"Kafka does not tell the settings of {name} ({message or for_code(code).__name__})")
        # What is sensitive comes without its value.
        found[name] = {entry[0]: entry[1] for entry in entries if entry[1] is not None}
    return found


async def _read_members(
    client: AIOKafkaClient, settings: Settings, internal: Topics | Unknown
) -> Mapping[str, int] | Unknown:
    if isinstance(internal, Unknown):
        return internal
    if GROUP_OFFSETS in internal.missing:  # asking for a group would make it, with what the broker is set to by now
        return {agent: 0 for agent, _ in GROUPS}
    found = {}
    for agent, _ in GROUPS:
        group = group_name(settings, agent)
        node = await client.coordinator_lookup(CoordinationType.GROUP, group)
        answer = await client.send(node, DescribeGroupsRequest([group]))
        [(code, _, _, _, _, members, *_)] = answer.groups
        if code != NoError.errno:
            return Unknown(f"Kafka does not tell of group {group} ({for_code(code).__name__})")
        found[agent] = len(members)
    return found


def _readable(topics: Topics | Unknown, nodes: Sequence[int], settings: Settings) -> Mapping[str, int] | Unknown:
    if isinstance(topics, Unknown):
        return topics
    wanted = [settings.topic_name(topic) for topic in (TRANSFERS_REQUESTED, TRANSFERS_OUTCOMES, NOTIFICATIONS)]
    if any(name not in topics.found for name in wanted):
        return NO_TOPICS
    if any(partition.leader not in nodes for name in wanted for partition in topics.found[name]):
        return Unknown("every partition must have a leader that can be reached first")
    return {name: len(topics.found[name]) for name in wanted}


async def _read_ahead(settings: Settings, readable: Mapping[str, int] | Unknown) -> float | Unknown:
    if isinstance(readable, Unknown):
        return readable
    async with group_free_consumer(settings) as consumer:
        partitions = [TopicPartition(name, number) for name, count in readable.items() for number in range(count)]
        return await _ahead_s(consumer, partitions)


async def _ahead_s(consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]) -> float:
    now_ms = int(time.time() * 1000)
    consumer.assign(list(partitions))
    found = await consumer.offsets_for_times(dict.fromkeys(partitions, now_ms + AHEAD_MS_MIN))
    return max((place.timestamp - now_ms for place in found.values() if place is not None), default=0) / 1000
