"""What a start asks for, and the shape a folder keeps from start to start. Only looking for free ports is impure."""

import base64
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from ops.embedded.errors import StackError
from ops.embedded.kafka_config import BROKER_COUNTS, Listener, Node
from ops.embedded.ports import free_port, is_free
from schemas.topics import PARTITIONS_DEFAULT

# Kafka writes listener names into the names of its properties.
_LISTENER_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_LISTENER_NAMES_TAKEN = ("PLAINTEXT", "CONTROLLER")


@dataclass(frozen=True, slots=True)
class ListenerOption:
    """A further listener on every broker. ``proxied``: it gets a second port to advertise, for a proxy in front."""

    name: str
    protocol: str = "PLAINTEXT"
    proxied: bool = False


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What a start asks for; None means as before, or the default. ``small`` saves memory and start-up for tests.

    ``broker_properties`` go into every broker's ``server.properties``; ``scram_passwords``, by user name, are given to
    a cluster that is new. Neither is remembered.
    """

    brokers: int | None = None
    partitions: int | None = None
    api_port: int | None = None
    postgres_port: int | None = None
    kafka_port: int | None = None
    small: bool = False
    listeners: tuple[ListenerOption, ...] | None = None
    broker_properties: Mapping[str, str] = field(default_factory=dict)
    scram_passwords: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A folder's shape: fixed at its first start, except for the ports."""

    cluster_id: str
    partitions: int
    postgres_port: int
    api_port: int
    nodes: list[Node]

    def bootstrap_servers(self, listener: str | None = None) -> str:
        """host:port of every broker, comma-separated: where it advertises this listener, or its own plain one.

        Raises KeyError for a listener that the brokers do not have.
        """
        ports = [node.port if listener is None else self._advertised(node)[listener] for node in self.nodes]
        return ",".join(f"127.0.0.1:{port}" for port in ports)

    def protocol(self, listener: str | None = None) -> str:
        """The security protocol of this listener. Raises KeyError for one that the brokers do not have."""
        known = {one.name: one.protocol for one in self.nodes[0].listeners}
        return "PLAINTEXT" if listener is None else known[listener]

    @staticmethod
    def _advertised(node: Node) -> dict[str, int]:
        return {one.name: one.advertised_port for one in node.listeners}


def make_plan(options: StackOptions, before: Plan | None) -> Plan:
    """Asked for ports must be free; remembered ones are used again where free; all others are chosen."""
    brokers = options.brokers or (len(before.nodes) if before else 1)
    partitions = options.partitions or (before.partitions if before else PARTITIONS_DEFAULT)
    if brokers not in BROKER_COUNTS:
        raise StackError(f"--brokers must be one of {', '.join(map(str, BROKER_COUNTS))}, not {brokers}")
    if before and (brokers, partitions) != (len(before.nodes), before.partitions):
        raise StackError(
            f"this folder was made with --brokers {len(before.nodes)} --partitions {before.partitions}, which stay as "
            "they are. Leave these options out, or name another folder with --data-dir"
        )
    _check_listeners(options.listeners or ())
    asked = {"--api-port": options.api_port, "--postgres-port": options.postgres_port}
    asked["--kafka-port"] = options.kafka_port
    _check_asked(asked)
    chosen = _Ports({port for port in asked.values() if port})
    kafka_ports = [options.kafka_port if number == 1 else None for number in range(1, brokers + 1)]
    nodes = [
        Node(
            number,
            chosen.pick(kafka_ports[number - 1], before.nodes[number - 1].port if before else None),
            chosen.pick(None, before.nodes[number - 1].controller_port if before else None),
            _listeners(options, before.nodes[number - 1].listeners if before else (), chosen),
        )
        for number in range(1, brokers + 1)
    ]
    return Plan(
        cluster_id=before.cluster_id if before else _new_cluster_id(),
        partitions=partitions,
        postgres_port=chosen.pick(options.postgres_port, before.postgres_port if before else None),
        api_port=chosen.pick(options.api_port, before.api_port if before else None),
        nodes=nodes,
    )


def _check_listeners(wanted: tuple[ListenerOption, ...]) -> None:
    names = [one.name for one in wanted]
    for name in names:
        if not _LISTENER_NAME.fullmatch(name) or name in _LISTENER_NAMES_TAKEN or names.count(name) > 1:
            raise StackError(f"{name!r} cannot be a listener's name: give each an own one of upper-case letters")


def _listeners(options: StackOptions, before: tuple[Listener, ...], chosen: "_Ports") -> tuple[Listener, ...]:
    wanted = options.listeners
    if wanted is None:
        wanted = tuple(ListenerOption(b.name, b.protocol, b.port != b.advertised_port) for b in before)
    known = {one.name: one for one in before}
    made = []
    for want in wanted:
        old = known.get(want.name)
        port = advertised = chosen.pick(None, old.port if old else None)
        if want.proxied:
            advertised = chosen.pick(None, old.advertised_port if old else None)
        made.append(Listener(want.name, port, advertised, want.protocol))
    return tuple(made)


def _check_asked(asked: dict[str, int | None]) -> None:
    seen: set[int] = set()
    for option, port in asked.items():
        if port is None:
            continue
        if port in seen:
            raise StackError(f"{option} {port} is given twice. Give each server a port of its own")
        if not is_free(port):
            raise StackError(f"port {port} ({option}) is taken by another program. Stop it, or give another port")
        seen.add(port)


class _Ports:
    """Hands out ports, none of them twice."""

    def __init__(self, reserved: set[int]) -> None:
        self._used = reserved

    def pick(self, asked: int | None, remembered: int | None) -> int:
        if asked is not None:
            return asked
        if remembered is not None and remembered not in self._used and is_free(remembered):
            port = remembered
        else:
            port = free_port(self._used)
        self._used.add(port)
        return port


def _new_cluster_id() -> str:
    """A random UUID in Kafka's form: URL-safe base64 without padding. It must not start like an option."""
    while True:  # one in 64 starts with a dash
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        if not text.startswith("-"):
            return text
