from pathlib import Path

import pytest

from ops.embedded import kafka_config, postgres_config
from ops.embedded.kafka_config import Listener, Node, broker_properties, replication

NODES = [Node(1, 9001, 9101), Node(2, 9002, 9102), Node(3, 9003, 9103)]


def test_a_single_broker_keeps_one_replica() -> None:
    properties = broker_properties(NODES[0], NODES[:1], Path("/data"))
    assert properties["controller.quorum.voters"] == "1@127.0.0.1:9101"
    assert properties["listeners"] == "PLAINTEXT://127.0.0.1:9001,CONTROLLER://127.0.0.1:9101"
    assert properties["offsets.topic.replication.factor"] == "1"
    assert properties["min.insync.replicas"] == "1"
    assert properties["auto.create.topics.enable"] == "false"


def test_three_brokers_keep_three_replicas_and_want_two() -> None:
    properties = broker_properties(NODES[1], NODES, Path("/data"))
    assert properties["node.id"] == "2"
    assert properties["controller.quorum.voters"] == "1@127.0.0.1:9101,2@127.0.0.1:9102,3@127.0.0.1:9103"
    assert properties["transaction.state.log.replication.factor"] == "3"
    assert properties["transaction.state.log.min.isr"] == "2"
    assert properties["min.insync.replicas"] == "2"


def test_further_listeners_are_bound_and_advertised() -> None:
    node = Node(1, 9001, 9101, (Listener("WORKER", 9201, 9301), Listener("SAFE", 9202, 9202, "SASL_SSL")))
    properties = broker_properties(node, [node], Path("/data"), {"sasl.enabled.mechanisms": "PLAIN"})
    assert properties["listeners"] == (
        "PLAINTEXT://127.0.0.1:9001,WORKER://127.0.0.1:9201,SAFE://127.0.0.1:9202,CONTROLLER://127.0.0.1:9101"
    )
    assert properties["advertised.listeners"] == (
        "PLAINTEXT://127.0.0.1:9001,WORKER://127.0.0.1:9301,SAFE://127.0.0.1:9202"
    )
    assert properties["listener.security.protocol.map"] == (
        "PLAINTEXT:PLAINTEXT,WORKER:PLAINTEXT,SAFE:SASL_SSL,CONTROLLER:PLAINTEXT"
    )
    assert properties["inter.broker.listener.name"] == "PLAINTEXT"
    assert properties["sasl.enabled.mechanisms"] == "PLAIN"


def test_replicas_are_three_at_most() -> None:
    assert [replication(brokers) for brokers in (1, 3, 5)] == [1, 3, 3]


def test_properties_escape_backslashes() -> None:
    assert kafka_config.render({"log.dirs": "a\\b", "x": "y"}) == "log.dirs=a\\\\b\nx=y\n"


@pytest.mark.parametrize(
    ("memory_bytes", "shared_buffers"),
    [(256 * 2**20, "64MB"), (4 * 2**30, "512MB"), (8 * 2**30, "1024MB"), (256 * 2**30, "1024MB")],
)
def test_postgres_takes_an_eighth_of_the_memory_at_most(memory_bytes: int, shared_buffers: str) -> None:
    settings = postgres_config.server_settings(port=1, memory_bytes=memory_bytes, disk_free_bytes=2**40, small=False)
    assert settings["shared_buffers"] == shared_buffers
    assert settings["max_wal_size"] == "8192MB"
    assert settings["min_wal_size"] == "1024MB"


@pytest.mark.parametrize("small", [True, False])
def test_postgres_is_always_durable(small: bool) -> None:
    settings = postgres_config.server_settings(port=1, memory_bytes=2**33, disk_free_bytes=2**30, small=small)
    assert settings["fsync"] == settings["synchronous_commit"] == "on"
    assert settings["max_wal_size"] == "256MB"


def test_postgres_values_are_quoted() -> None:
    assert "name = 'it''s'\n" in postgres_config.render({"name": "it's"})


@pytest.mark.parametrize(("text", "limit"), [(None, 100), ("max\n", 100), ("50\n", 50), ("500\n", 100), ("", 100)])
def test_a_containers_memory_limit_counts(text: str | None, limit: int) -> None:
    assert postgres_config.memory_limit_bytes(text, 100) == limit
