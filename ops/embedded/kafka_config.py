"""The configuration of an embedded Kafka node, as pure values."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

BROKER_COUNTS = (1, 3, 5)
"""How many nodes may form a cluster: an odd number, so that a majority is always clear."""

_REPLICAS_MAX = 3

LOGGING = """\
status = error
appender.stdout.type = Console
appender.stdout.name = STDOUT
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = INFO
rootLogger.appenderRefs = stdout
rootLogger.appenderRef.stdout.ref = STDOUT
logger.kafka.name = kafka
logger.kafka.level = INFO
logger.config.name = org.apache.kafka.common.config
logger.config.level = WARN
logger.values.name = org.apache.kafka.clients
logger.values.level = WARN
"""


NO_PROPERTIES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Listener:
    """A further listener for clients: the port that the broker binds and the port that it tells clients to come to.

    They differ where something stands in between: a proxy listens on ``advertised_port`` and passes on to ``port``.
    ``protocol`` is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
    """

    name: str
    port: int
    advertised_port: int
    protocol: str = "PLAINTEXT"


@dataclass(frozen=True, slots=True)
class Node:
    """A node's number (1, 2, …), its port for clients, its port for the controllers, and its further listeners."""

    number: int
    port: int
    controller_port: int
    listeners: tuple[Listener, ...] = ()

    @property
    def name(self) -> str:
        """``kafka-1`` and so on."""
        return f"kafka-{self.number}"


def replication(brokers: int) -> int:
    """Replicas of each partition: as many as there are brokers, at most three."""
    return min(_REPLICAS_MAX, brokers)


def broker_properties(
    node: Node, nodes: list[Node], data: Path, further: Mapping[str, str] = NO_PROPERTIES
) -> dict[str, str]:
    """The node's ``server.properties``; ``further`` ones come on top, as the keys of a TLS listener."""
    replicas = str(replication(len(nodes)))
    in_sync = "2" if len(nodes) >= _REPLICAS_MAX else "1"
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.number),
        "controller.quorum.voters": ",".join(f"{n.number}@127.0.0.1:{n.controller_port}" for n in nodes),
        **_listeners(node),
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(data),
        # Topics are made with a known number of partitions, never by a client's slip of the pen.
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "unclean.leader.election.enable": "false",
        "offsets.topic.num.partitions": "12",
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.num.partitions": "12",
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        # A worker alone need not wait for others, and a dead one is noticed soon.
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        # A broker that was killed may come back only when its old session has run out.
        "broker.heartbeat.interval.ms": "1000",
        "broker.session.timeout.ms": "5000",
        "num.network.threads": "2",
        "num.io.threads": "4",
        "log.cleaner.dedupe.buffer.size": str(8 * 1024 * 1024),
        "log.cleaner.threads": "1",
        **further,
    }


def _listeners(node: Node) -> dict[str, str]:
    clients = [Listener("PLAINTEXT", node.port, node.port), *node.listeners]
    bound = [*clients, Listener("CONTROLLER", node.controller_port, node.controller_port)]
    return {
        "listeners": ",".join(f"{one.name}://127.0.0.1:{one.port}" for one in bound),
        "advertised.listeners": ",".join(f"{one.name}://127.0.0.1:{one.advertised_port}" for one in clients),
        "listener.security.protocol.map": ",".join(f"{one.name}:{one.protocol}" for one in bound),
    }


def render(properties: dict[str, str]) -> str:
    """The text of a Java properties file. Backslashes in values are escaped."""
    return "".join("{}={}\n".format(name, value.replace("\\", "\\\\")) for name, value in properties.items())
