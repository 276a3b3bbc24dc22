"""Kafka: what its brokers say of themselves, of our topics and of who works on them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.errors import NoError, for_code
from aiokafka.protocol.admin import ApiVersionRequest, DescribeGroupsRequest

from ops.doctor.facts.attempt import NO_TIME_LEFT, SERVER_TIMEOUT_S, STEP_TIMEOUT_S, attempt
from ops.doctor.facts.kafka_clock import read_ahead, readable_topics
from ops.doctor.facts.kafka_doors import Broker, Door, read_brokers, try_doors
from ops.doctor.facts.kafka_rights import Right, probe_rights
from ops.doctor.facts.kafka_topics import GROUP_OFFSETS, NO_TOPICS, TRANSACTIONS, Topics, read_topics
from ops.doctor.facts.kafka_values import Ask, Values, read_broker_values, read_topic_values
from ops.doctor.finding import Unknown
from ops.lag.reader import GROUPS, group_name
from schemas.settings import Settings
from schemas.topics import ALL_TOPICS
from sinks.errors import SinkError
from sinks.kafka.options import client_options
from sinks.postgres.retry import describe

CLOSE_TIMEOUT_S = 2.0

NOT_IN = Unknown("Kafka must be reached first")
NOT_THERE = Unknown("the addresses that the brokers advertise must be reached first")


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
    facts.doors = await try_doors(settings, settings.kafka_bootstrap_servers.split(","))
    if not any(door.is_open for door in facts.doors):
        facts.leave_rest(NOT_IN)
        return
    settings = facts.inside(settings)
    async with _client(settings) as client:
        started = await attempt(client.bootstrap())
        if isinstance(started, Unknown):
            facts.leave_rest(started)
            return
        facts.brokers = await read_brokers(client, settings, facts.doors)
        nodes = [broker.number for broker in facts.brokers if broker.door.is_open]
        if not nodes:
            facts.leave_rest(NOT_THERE)
            return
        await _ask_brokers(facts, client, nodes, settings)
    facts.readable = readable_topics(facts.topics, nodes, settings)
    facts.ahead_s = await attempt(read_ahead(settings, facts.readable))


@asynccontextmanager
async def _client(settings: Settings) -> AsyncIterator[AIOKafkaClient]:
    client = AIOKafkaClient(**client_options(settings), request_timeout_ms=int(1000 * STEP_TIMEOUT_S))
    try:
        yield client
    finally:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await client.close()


async def _ask_brokers(facts: KafkaFacts, client: AIOKafkaClient, nodes: Sequence[int], settings: Settings) -> None:
    ask: Ask = partial(client.send, nodes[0])
    facts.versions = await attempt(_read_versions(client, nodes))
    ours = [settings.topic_name(topic) for topic in ALL_TOPICS]
    described = await attempt(read_topics(ask, [*ours, GROUP_OFFSETS, TRANSACTIONS]))
    facts.topics = described if isinstance(described, Unknown) else described.part(ours)
    facts.internal = described if isinstance(described, Unknown) else described.part([GROUP_OFFSETS, TRANSACTIONS])
    facts.broker_values = await attempt(read_broker_values(client, nodes))
    facts.topic_values = NO_TOPICS
    if isinstance(facts.topics, Topics) and facts.topics.found:
        facts.topic_values = await attempt(read_topic_values(ask, list(facts.topics.found)))
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
