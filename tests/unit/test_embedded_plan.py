import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.embedded.errors import StackError
from ops.embedded.layout import Layout
from ops.embedded.plan import ListenerOption, StackOptions, make_plan
from ops.embedded.ports import free_port, is_free


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_with_a_listener_is_not_free(taken_port: int) -> None:
    assert not is_free(taken_port)
    assert free_port({taken_port}) != taken_port


def test_the_first_plan_has_one_broker_and_ports_of_its_own() -> None:
    plan = make_plan(StackOptions(), None)
    ports = [plan.api_port, plan.postgres_port, plan.nodes[0].port, plan.nodes[0].controller_port]
    assert len(set(ports)) == 4
    assert [node.name for node in plan.nodes] == ["kafka-1"]
    assert plan.partitions == 12
    assert len(plan.cluster_id) == 22


def test_the_next_plan_is_the_same() -> None:
    before = make_plan(StackOptions(brokers=3, partitions=4), None)
    assert make_plan(StackOptions(), before) == before


def test_a_remembered_port_that_is_taken_is_replaced() -> None:
    before = make_plan(StackOptions(), None)
    with socket.create_server(("127.0.0.1", before.postgres_port)):
        after = make_plan(StackOptions(), before)
    assert after.postgres_port != before.postgres_port
    assert (after.api_port, after.nodes) == (before.api_port, before.nodes)


def test_asked_for_ports_are_taken_and_move_others_away() -> None:
    before = make_plan(StackOptions(), None)
    after = make_plan(StackOptions(kafka_port=before.api_port), before)
    assert after.nodes[0].port == before.api_port
    assert after.api_port != before.api_port


def test_an_asked_for_port_must_be_free(taken_port: int) -> None:
    with pytest.raises(StackError, match=rf"port {taken_port} \(--postgres-port\) is taken"):
        make_plan(StackOptions(postgres_port=taken_port), None)


def test_a_port_cannot_be_asked_for_twice() -> None:
    port = free_port(())
    with pytest.raises(StackError, match="given twice"):
        make_plan(StackOptions(postgres_port=port, kafka_port=port), None)


@pytest.mark.parametrize("brokers", [2, 4, 7, -1])
def test_brokers_are_one_three_or_five(brokers: int) -> None:
    with pytest.raises(StackError, match="--brokers must be one of 1, 3, 5"):
        make_plan(StackOptions(brokers=brokers), None)


@pytest.mark.parametrize("options", [StackOptions(brokers=3), StackOptions(partitions=6)])
def test_a_folder_keeps_its_shape(options: StackOptions) -> None:
    with pytest.raises(StackError, match="was made with --brokers 1 --partitions 12"):
        make_plan(options, make_plan(StackOptions(), None))


LISTENERS = (ListenerOption("API", proxied=True), ListenerOption("SAFE", "SASL_SSL"))


@pytest.mark.parametrize("brokers", [1, 3])
def test_every_broker_gets_the_further_listeners_on_ports_of_their_own(brokers: int) -> None:
    plan = make_plan(StackOptions(brokers=brokers, listeners=LISTENERS), None)
    ports = [port for n in plan.nodes for one in n.listeners for port in {one.port, one.advertised_port}]
    ports += [port for n in plan.nodes for port in (n.port, n.controller_port)]
    assert len(ports) == len({*ports, plan.api_port, plan.postgres_port}) - 2 == 5 * brokers
    for node in plan.nodes:
        proxied, direct = node.listeners
        assert proxied.port != proxied.advertised_port
        assert direct.port == direct.advertised_port
    assert plan.bootstrap_servers("API") == ",".join(f"127.0.0.1:{n.listeners[0].advertised_port}" for n in plan.nodes)
    assert (plan.protocol(), plan.protocol("API"), plan.protocol("SAFE")) == ("PLAINTEXT", "PLAINTEXT", "SASL_SSL")


def test_listeners_are_remembered_until_others_are_asked_for(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    before = layout.settle_plan(StackOptions(listeners=LISTENERS))
    assert layout.settle_plan(StackOptions()) == before
    after = layout.settle_plan(StackOptions(listeners=LISTENERS[1:]))
    assert after.nodes[0].listeners == before.nodes[0].listeners[1:]
    with pytest.raises(KeyError):
        after.bootstrap_servers("API")


@pytest.mark.parametrize("names", [["PLAINTEXT"], ["CONTROLLER"], ["lower"], ["A B"], [""], ["A", "A"]])
def test_a_listener_needs_a_name_of_its_own(names: list[str]) -> None:
    with pytest.raises(StackError, match="cannot be a listener's name"):
        make_plan(StackOptions(listeners=tuple(map(ListenerOption, names))), None)
