"""The addresses of the brokers, those of the settings and those that the brokers tell, and whether we get in."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka.client import AIOKafkaClient

from ops.doctor.facts.names import name_fault
from schemas.settings import Settings
from sinks.kafka.access import access_fault


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


async def try_doors(settings: Settings, servers: Sequence[str]) -> list[Door]:
    """Whether we get in at each of these addresses."""
    return list(await asyncio.gather(*(_door(settings, server) for server in servers)))


async def _door(settings: Settings, server: str) -> Door:
    host, _, port = server.strip().rpartition(":")
    if not host or not port.isdigit():
        return Door(server, fault=f"{server!r} is no address: write it as host:port")
    unknown = await name_fault(host)
    if unknown is not None:
        return Door(server, name_fault=unknown)
    return Door(server, fault=await access_fault(settings.model_copy(update={"kafka_bootstrap_servers": server})))


async def read_brokers(client: AIOKafkaClient, settings: Settings, known: Sequence[Door]) -> list[Broker]:
    """The brokers that the cluster tells of; ``known`` are doors that have been tried already."""
    told = sorted(client.cluster.brokers(), key=lambda broker: int(broker.nodeId))
    servers = [f"{broker.host}:{broker.port}" for broker in told]
    by_server = {door.server: door for door in known}
    doors = await try_doors(settings, [server for server in servers if server not in by_server])
    by_server |= {door.server: door for door in doors}
    return [Broker(int(broker.nodeId), by_server[server]) for broker, server in zip(told, servers, strict=True)]
