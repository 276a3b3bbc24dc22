"""Payments between wallets that have money, sent straight to Kafka, and the check of all that they came to."""

from random import Random

import asyncpg
from builders import a_request

from ops.load.kafka_sender import Keyed, kafka_sender
from ops.load.wallets import Fleet, create_fleet, fund
from ops.reconcile.run import reconcile
from schemas.settings import Settings
from schemas.transfers import encode_request


def payments(fleet: Fleet, count: int, seed: int = 1) -> list[Keyed]:
    """Payments between the fleet's wallets, now and then one too large."""
    random = Random(seed)
    made: list[Keyed] = []
    for number in range(count):
        source, destination = random.sample(fleet.wallets, 2)
        amount = "9000000.0000" if number % 10 == 0 else "0.0100"
        request = a_request(source_wallet_id=source, destination_wallet_id=destination, amount=amount)
        made.append((source.encode(), encode_request(request)))
    return made


async def funded_fleet(settings: Settings, connection: asyncpg.Connection, count: int) -> Fleet:
    """So many new wallets, once a running worker has put money into each."""
    fleet = await create_fleet(connection, count, "USD")
    async with kafka_sender(settings) as sender:
        await fund(sender, connection, settings, fleet, 10_000_000)
    return fleet


async def send(settings: Settings, records: list[Keyed]) -> None:
    """Put requests on the partitions of their keys, in order."""
    async with kafka_sender(settings) as sender:
        await sender.send_batches(records)


async def assert_all_agrees(settings: Settings) -> None:
    """Reconcile finds no fault, and nothing that is still to be done."""
    report = await reconcile(settings, settled=True)
    assert [(f.name, f.faults, f.pending) for f in report.findings if f.faults or f.pending] == []
