"""A small run through the real stages, sound or tampered with, and readings of what reconcile says of it."""

import uuid
from collections.abc import Callable, Iterable

import orjson
from plain_topics import put_records
from stages import work

from ops.reconcile.report import Report
from ops.topic_reader import group_free_consumer, partition_counts, read_spans, topic_spans
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED, Topic
from sinks.kafka import partitions
from sinks.kafka.publisher import KafkaPublisher, Publisher
from sinks.kafka.records import Record
from sinks.postgres.pool import connect
from streams.audit import AuditStage
from streams.line import publish_outputs
from streams.notifications import NotificationsStage
from streams.stage import Stage
from streams.transfers import TransfersStage

WORLD = "00000000-0000-0000-0000-000000000001"
ANNA = "00000000-0000-0000-0000-00000000000a"
BEN = "00000000-0000-0000-0000-00000000000b"
DEPOSIT = "dddddddd-0000-0000-0000-000000000001"
PAYMENT = "dddddddd-0000-0000-0000-000000000002"
REFUSED = "dddddddd-0000-0000-0000-000000000003"
LAST = "dddddddd-0000-0000-0000-000000000009"


Tamper = Callable[[str, Record], list[Record]]


class TamperingPublisher(KafkaPublisher):
    """Publishes what a tamperer makes of each record."""

    def __init__(self, settings: Settings, tamper: Tamper) -> None:
        super().__init__(settings, settings.topic_prefix + "tampering")
        self._tamper = tamper

    async def publish(self, topic: str, partition: int, groups: Iterable[tuple[Record, ...]]) -> None:
        changed = (tuple(out for record in group for out in self._tamper(topic, record)) for group in groups)
        await super().publish(topic, partition, (group for group in changed if group))


def partition_of(key: str, settings: Settings) -> int:
    return partitions.partition_of(key.encode(), settings.topic_partitions)


def request(transfer_id: str, source: str, destination: str, amount: str, **extra: object) -> dict[str, object]:
    return {
        "transfer_id": transfer_id,
        "source_wallet_id": source,
        "destination_wallet_id": destination,
        "amount": amount,
        "currency": "USD",
        "requested_at": "2026-01-02T03:04:05.678Z",
        **extra,
    }


# All by Anna or from the world, in this order; the last one is Anna's.
REQUESTS: list[tuple[str, bytes]] = [
    (WORLD, orjson.dumps(request(DEPOSIT, WORLD, ANNA, "100"))),
    (ANNA, orjson.dumps(request(PAYMENT, ANNA, BEN, "12.5", reference="Miete", metadata={"for": "May"}))),
    (ANNA, orjson.dumps(request(REFUSED, ANNA, BEN, "1000"))),
    (ANNA, orjson.dumps(request(PAYMENT, ANNA, BEN, "12.50", reference="Miete", metadata={"for": "May"}))),
    (ANNA, orjson.dumps(request(PAYMENT, ANNA, BEN, "13"))),
    (ANNA, b"\xff"),
    (ANNA, orjson.dumps(request(str(uuid.uuid4()), BEN, ANNA, "1"))),
    (ANNA, orjson.dumps(request(str(uuid.uuid4()), ANNA, BEN, "-1"))),
    (ANNA, orjson.dumps(request(str(uuid.uuid4()), ANNA, str(uuid.uuid4()), "1"))),
    (ANNA, orjson.dumps(request(LAST, ANNA, BEN, "0.0001"))),
]


async def publish(settings: Settings, topic: Topic, partition: int, *records: Record) -> None:
    await put_records(settings, settings.topic_name(topic), partition, records)


async def run_stage(settings: Settings, stage: Stage, publisher: Publisher) -> None:
    await publisher.start()
    await stage.start()
    counts = await partition_counts(settings, [stage.input_topic])
    await stage.resume_offsets(range(settings.topic_partitions))
    async with group_free_consumer(settings) as consumer:
        spans = await topic_spans(consumer, counts)
        async for tp, records in read_spans(consumer, spans):
            await publish_outputs(publisher, await work(stage, {tp.partition: records}))
    await stage.stop()
    await publisher.stop()


async def run_pipeline(settings: Settings, tamper: Tamper = lambda _topic, record: [record]) -> None:
    connection = await connect(settings)
    for name, wallet in (("anna", ANNA), ("ben", BEN)):
        user = await connection.fetchval(
            "insert into users (email, password_hash) values ($1, 'x') returning user_id", f"{name}@example.com"
        )
        await connection.execute(
            "insert into wallets (wallet_id, user_id, currency) values ($1, $2, 'USD')", wallet, user
        )
    await connection.execute("insert into wallets (wallet_id, kind, currency) values ($1, 'world', 'USD')", WORLD)
    await connection.close()
    # One after another: whether Anna's money is there when she pays must not depend on which partition is read first.
    for part in (REQUESTS[:1], REQUESTS[1:]):
        for key, value in part:
            await publish(settings, TRANSFERS_REQUESTED, partition_of(key, settings), Record(key.encode(), value, []))
        publisher = TamperingPublisher(settings, tamper)
        await run_stage(settings, TransfersStage(settings, publisher), publisher)
    for follower in (NotificationsStage, AuditStage):
        publisher = TamperingPublisher(settings, tamper)
        await run_stage(settings, follower(settings, publisher), publisher)


def broken(report: Report) -> set[str]:
    return {finding.name for finding in report.findings if finding.faults}


def pending(report: Report) -> dict[str, int]:
    return {finding.name: finding.pending for finding in report.findings if finding.pending}


def examples(report: Report, name: str) -> list[str]:
    [finding] = [found for found in report.findings if found.name == name]
    return [f"{fault.at}: {fault.problem}" for fault in finding.examples]
