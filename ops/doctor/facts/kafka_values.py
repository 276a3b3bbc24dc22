"""Settings of Kafka's topics and brokers, as they are in force."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import NoError, for_code
from aiokafka.protocol.admin import DescribeConfigsRequest

from ops.doctor.finding import Unknown

_TOPIC, _BROKER = 2, 4  # Kafka's ConfigResource.Type

Ask = Callable[[Any], Awaitable[Any]]
"""Sends a request to a broker and returns its answer."""

Values = Mapping[str, str]
"""Settings of a topic or of a broker by their names."""


async def read_topic_values(ask: Ask, topics: Sequence[str]) -> Mapping[str, Values] | Unknown:
    """Those of these topics."""
    return await _read_values(ask, _TOPIC, topics)


async def read_broker_values(client: AIOKafkaClient, nodes: Sequence[int]) -> Mapping[int, Values] | Unknown:
    """Those of these brokers, each by its own account."""
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
