"""What is where in a stack's folder, and what it remembers between starts."""

import base64
import secrets
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from ops.embedded.errors import StackError
from ops.embedded.files import read_json, write_json
from ops.embedded.kafka_config import BROKER_COUNTS, Node
from ops.embedded.ports import free_ports, is_free
from schemas.topics import PARTITIONS_DEFAULT


def default_folder() -> Path:
    """The folder used where none is named."""
    return platformdirs.user_data_path("hfts")


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What a start asks for; None means as before, or the default. ``small`` saves memory and start-up for tests."""

    brokers: int | None = None
    partitions: int | None = None
    api_port: int | None = None
    postgres_port: int | None = None
    kafka_port: int | None = None
    small: bool = False


@dataclass(frozen=True, slots=True)
class Secrets:
    """Generated once for each folder."""

    postgres_password: str
    superuser_password: str
    secret_key: str
    admin_password: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A folder's shape: fixed at its first start, except for the ports."""

    cluster_id: str
    partitions: int
    postgres_port: int
    api_port: int
    nodes: list[Node]


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths below the stack's folder."""

    folder: Path

    @property
    def logs(self) -> Path:
        """One file for each part."""
        return self.folder / "logs"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data."""
        return self.folder / "postgres"

    @property
    def lock(self) -> Path:
        """Locked as long as the stack runs."""
        return self.folder / "lock"

    @property
    def state(self) -> Path:
        """The processes as they are now."""
        return self.folder / "state.json"

    @property
    def plan(self) -> Path:
        """The last start's Plan."""
        return self.folder / "stack.json"

    @property
    def secrets(self) -> Path:
        """The Secrets, readable by the owner alone."""
        return self.folder / "secrets.json"

    def read_secrets(self) -> Secrets | None:
        """The folder's secrets, if it has any."""
        found = read_json(self.secrets)
        return Secrets(**found) if found else None

    def read_plan(self) -> Plan | None:
        """The plan of the last start, if there was one."""
        found = read_json(self.plan)
        if not found:
            return None
        return Plan(**{**found, "nodes": [Node(**node) for node in found["nodes"]]})

    def ensure_secrets(self) -> Secrets:
        """The folder's secrets, made at its first start."""
        found = self.read_secrets()
        if found is None:
            found = Secrets(*(secrets.token_urlsafe(32) for _ in range(4)))
            write_json(self.secrets, asdict(found))
        return found

    def settle_plan(self, options: StackOptions) -> Plan:
        """The plan for this start, written down. Raises StackError for options that do not fit, and taken ports."""
        plan = make_plan(options, self.read_plan())
        write_json(self.plan, asdict(plan))
        return plan


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
            port = next(port for port in free_ports(len(self._used) + 1) if port not in self._used)
        self._used.add(port)
        return port


def _new_cluster_id() -> str:
    """A random UUID in Kafka's form: URL-safe base64 without padding. It must not start like an option."""
    while True:  # one in 64 starts with a dash
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        if not text.startswith("-"):
            return text
