"""A small run through the real stages; then each thing is corrupted, and reconcile must name it."""

import uuid
from collections.abc import Callable, Iterable

import orjson
import pytest
from aiokafka.partitioner import murmur2

from ops.embedded.stack import Stack
from ops.reconcile.report import Report
from ops.reconcile.run import reconcile
from ops.topic_reader import group_free_consumer, partition_counts, read_spans, topic_spans
from schemas.settings import Settings
from schemas.topics import AUDIT, DEAD_LETTERS, NOTIFICATIONS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED, Topic
from sinks.kafka.publisher import KafkaPublisher
from sinks.kafka.records import Record
from sinks.kafka.topics import ensure_topics
from sinks.postgres.pool import connect
from streams.audit import AuditStage
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

NAMES = {"world": WORLD, "anna": ANNA, "ben": BEN, "payment": PAYMENT, "refused": REFUSED, "last": LAST}

Tamper = Callable[[str, Record], list[Record]]


class TamperingPublisher(KafkaPublisher):
    """Publishes what a tamperer makes of each record."""

    def __init__(self, settings: Settings, tamper: Tamper) -> None:
        super().__init__(settings)
        self._tamper = tamper

    async def publish(self, topic: str, partition: int, groups: Iterable[tuple[Record, ...]]) -> None:
        changed = (tuple(out for record in group for out in self._tamper(topic, record)) for group in groups)
        await super().publish(topic, partition, (group for group in changed if group))


def partition_of(key: str, settings: Settings) -> int:
    return int((murmur2(key.encode()) & 0x7FFFFFFF) % settings.topic_partitions)


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
    publisher = KafkaPublisher(settings)
    await publisher.start()
    await publisher.publish(settings.topic_name(topic), partition, ((record,) for record in records))
    await publisher.stop()


async def run_stage(settings: Settings, stage: Stage) -> None:
    await stage.start()
    counts = await partition_counts(settings, [stage.input_topic])
    async with group_free_consumer(settings) as consumer:
        spans = await topic_spans(consumer, counts)
        async for tp, records in read_spans(consumer, spans):
            await stage.process(tp.partition, records)
    await stage.stop()


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
        await run_stage(settings, TransfersStage(settings, TamperingPublisher(settings, tamper)))
    await run_stage(settings, NotificationsStage(settings, TamperingPublisher(settings, tamper)))
    await run_stage(settings, AuditStage(settings, TamperingPublisher(settings, tamper)))


def broken(report: Report) -> set[str]:
    return {finding.name for finding in report.findings if finding.faults}


def pending(report: Report) -> dict[str, int]:
    return {finding.name: finding.pending for finding in report.findings if finding.pending}


def examples(report: Report, name: str) -> list[str]:
    [finding] = [found for found in report.findings if found.name == name]
    return [f"{fault.at}: {fault.problem}" for fault in finding.examples]


@pytest.fixture(scope="module")
async def sound(stack: Stack, template: str) -> Settings:
    """A pipeline that has run; only to be looked at."""
    unique = uuid.uuid4().hex[:12]
    settings = stack.settings().model_copy(update={"postgres_db": f"test_{unique}", "topic_prefix": f"test-{unique}."})
    await execute(settings, "postgres", f'create database "{settings.postgres_db}" template "{template}"')
    await ensure_topics(settings)
    await run_pipeline(settings)
    return settings


async def execute(settings: Settings, database: str, sql: str) -> None:
    connection = await connect(settings.model_copy(update={"postgres_db": database}))
    await connection.execute(sql)
    await connection.close()


async def test_a_sound_run_agrees_in_everything(sound: Settings) -> None:
    report = await reconcile(sound, settled=True)
    assert broken(report) == set(), [finding for finding in report.findings if finding.faults]
    assert report.pending == 0
    assert sum(report.facts.transfers.values()) == 5
    assert report.facts.chain_verified
    assert report.facts.records == {"requests": 10, "outcomes": 5, "dead_letters": 4, "audit": 5, "notifications": 7}


async def test_an_empty_pipeline_agrees(settings: Settings) -> None:
    assert (await reconcile(settings, settled=True)).holds


CORRUPTIONS: list[tuple[str, set[str], str]] = [
    (
        "update wallets set balance = balance + 1 where wallet_id = :anna",
        {"currencies_sum_to_zero", "balances_are_sums"},
        ANNA,
    ),
    ("update wallets set balance = balance + 1 where wallet_id in (:anna, :world)", {"balances_are_sums"}, ANNA),
    ("update wallets set version = version + 1 where wallet_id = :ben", {"balances_are_sums"}, BEN),
    (
        "alter table wallets drop constraint wallets_check1; update wallets set balance = -1 where wallet_id = :ben",
        {"only_world_below_zero", "balances_are_sums", "currencies_sum_to_zero"},
        BEN,
    ),
    ("update wallets set currency = 'EUR' where wallet_id = :ben", {"entries_fit_wallets"}, BEN),
    (
        "update transfers set source_balance = source_balance + 1 where transfer_id = :payment",
        {"versions_are_contiguous", "outcomes_equal_rows"},
        "differs in: source_balance",
    ),
    (
        "update transfers set source_version = 7 where transfer_id = :last",
        {"versions_are_contiguous", "outcomes_equal_rows"},
        "left version 7 (3 is due)",
    ),
    (
        "update transfers set amount = amount + 1 where transfer_id = :payment",
        {"rows_equal_requests", "outcomes_equal_rows", "balances_are_sums", "versions_are_contiguous"},
        "in: amount",
    ),
    (
        "update transfers set metadata = '{}' where transfer_id = :payment",
        {"rows_equal_requests", "outcomes_equal_rows"},
        "in: metadata",
    ),
    (
        "update transfers set reason = 'wallet_frozen' where transfer_id = :refused",
        {"outcomes_equal_rows"},
        "differs in: reason",
    ),
    (
        "delete from transfers where transfer_id = :refused",
        {"requests_have_one_answer", "outcomes_have_rows"},
        f"transfer {REFUSED} has no row",
    ),
    (
        "update transfers set request_offset = request_offset + 3 where transfer_id = :refused",
        {"rows_equal_requests", "outcomes_equal_rows"},
        "the request is undecodable",
    ),
    (
        "update transfers set request_partition = 99 where transfer_id = :refused",
        {"rows_have_partitions", "one_row_an_offset"},
        "partition 99",
    ),
    ("update stream_progress set next_offset = 2", {"one_row_an_offset", "requests_are_applied"}, LAST),
]


@pytest.mark.parametrize(("sql", "names", "text"), CORRUPTIONS)
async def test_a_ledger_changed_behind_its_back_is_named(sound: Settings, sql: str, names: set[str], text: str) -> None:
    for name, value in NAMES.items():
        sql = sql.replace(f":{name}", f"'{value}'")
    corrupted = sound.model_copy(update={"postgres_db": f"test_{uuid.uuid4().hex[:12]}"})
    await execute(sound, "postgres", f'create database "{corrupted.postgres_db}" template "{sound.postgres_db}"')
    await execute(corrupted, corrupted.postgres_db, "alter table transfers disable trigger transfers_append_only")
    await execute(corrupted, corrupted.postgres_db, sql)
    report = await reconcile(corrupted, settled=True)
    await execute(sound, "postgres", f'drop database "{corrupted.postgres_db}"')
    assert names <= broken(report)
    assert any(text in found for name in names for found in examples(report, name))


def on(topic: Topic, transfer_id: str, change: Callable[[Record], list[Record]]) -> Tamper:
    def tamper(name: str, record: Record) -> list[Record]:
        hit = name.endswith("." + topic.name) and transfer_id.encode() in (record.value or b"")
        return change(record) if hit else [record]

    return tamper


def drop(_record: Record) -> list[Record]:
    return []


def double(record: Record) -> list[Record]:
    return [record, record]


def altered(old: bytes, new: bytes) -> Callable[[Record], list[Record]]:
    return lambda record: [Record(record.key, (record.value or b"").replace(old, new), record.headers)]


def misplaced(record: Record) -> list[Record]:
    return [Record(record.key, record.value, [("source-offset", b"0")])]


TAMPERINGS: list[tuple[list[Tamper], dict[str, str]]] = [
    (
        [
            on(TRANSFERS_OUTCOMES, REFUSED, drop),
            on(TRANSFERS_OUTCOMES, PAYMENT, altered(b'"12.5000"', b'"12.6000"')),
            on(DEAD_LETTERS, '"-1"', drop),
        ],
        {
            "rows_have_one_outcome": REFUSED,
            "outcomes_equal_rows": "differs in: amount",
            "requests_have_one_answer": "no row, no dead letter invalid_request",
        },
    ),
    (
        [
            on(TRANSFERS_OUTCOMES, PAYMENT, double),
            on(TRANSFERS_OUTCOMES, LAST, misplaced),
            on(DEAD_LETTERS, '"-1"', double),
        ],
        {
            "rows_have_one_outcome": "2 outcome records",
            "outcomes_equal_rows": "differs in: source-offset",
            "requests_have_one_answer": "2 dead letter(s)",
        },
    ),
    (
        [
            on(NOTIFICATIONS, REFUSED, drop),
            on(NOTIFICATIONS, PAYMENT, altered(b"anna@", b"eve@")),
            on(DEAD_LETTERS, '"-1"', altered(b'"-1"', b'"-2"')),
        ],
        {
            "parties_are_told_once": f"transfer {REFUSED}: 0 notifications to the sender",
            "notifications_are_true": "email is not the owner's",
            "dead_letters_have_requests": "its bytes are not those",
        },
    ),
    (
        [
            on(NOTIFICATIONS, PAYMENT, double),
            on(NOTIFICATIONS, LAST, altered(b'"0.0001"', b'"9.0001"')),
            on(AUDIT, REFUSED, drop),
        ],
        {
            "parties_are_told_once": "2 notifications to the receiver",
            "notifications_are_true": "amount differs",
            "outcomes_have_one_audit_record": f"transfer {REFUSED} has 0 audit records",
            "audit_chain_holds": "sequence is",
        },
    ),
    (
        [on(NOTIFICATIONS, PAYMENT, altered(b"12.5000", b"12.5")), on(AUDIT, PAYMENT, double)],
        {
            "published_records_are_readable": "'12.5' is not an amount",
            "outcomes_have_one_audit_record": f"transfer {PAYMENT} has 2 audit records",
        },
    ),
    (
        [on(AUDIT, PAYMENT, altered(b"Miete", b"Musik"))],
        {"audit_records_equal_outcomes": "other content", "audit_chain_holds": "hash does not fit"},
    ),
]


@pytest.mark.parametrize(("tampers", "found"), TAMPERINGS)
async def test_a_tampered_topic_is_named(settings: Settings, tampers: list[Tamper], found: dict[str, str]) -> None:
    def tamper(topic: str, record: Record) -> list[Record]:
        for one in tampers:
            outcome = one(topic, record)
            if outcome != [record]:
                return outcome
        return [record]

    await run_pipeline(settings, tamper)
    report = await reconcile(settings, settled=True)
    for name, text in found.items():
        assert any(text in example for example in examples(report, name)), (name, examples(report, name))


async def test_records_made_up_by_others_are_named(settings: Settings) -> None:
    await run_pipeline(settings)
    outcomes = await values_of(settings, TRANSFERS_OUTCOMES)
    forged_id = str(uuid.uuid4())
    forged = outcomes[0].replace(orjson.loads(outcomes[0])["transfer_id"].encode(), forged_id.encode())
    source = [("source-offset", b"0")]
    notification = (await values_of(settings, NOTIFICATIONS))[0]
    await publish(settings, TRANSFERS_OUTCOMES, 0, Record(WORLD.encode(), forged, source))
    await publish(settings, NOTIFICATIONS, 0, Record(ANNA.encode(), notification, [("source-offset", b"999")]))
    await publish(settings, AUDIT, 0, Record(ANNA.encode(), b"{}", source))
    dead = [("source-partition", b"0"), ("source-offset", b"777"), ("cause", b"undecodable")]
    await publish(settings, DEAD_LETTERS, 0, Record(None, b"!", dead))
    report = await reconcile(settings)
    assert {
        "outcomes_have_rows",
        "notifications_are_true",
        "audit_chain_holds",
        "published_records_are_readable",
        "dead_letters_have_requests",
    } <= broken(report)
    assert forged_id in examples(report, "outcomes_have_rows")[0]
    assert "0-777 is not applied" in examples(report, "dead_letters_have_requests")[0]


async def test_what_is_still_under_way_is_pending_unless_all_should_be_settled(settings: Settings) -> None:
    await run_pipeline(settings, on(TRANSFERS_OUTCOMES, LAST, drop))
    await publish(settings, TRANSFERS_REQUESTED, 0, Record(b"k", b"later", []), Record(b"k", b"later still", []))
    report = await reconcile(settings)
    assert broken(report) == set()
    assert pending(report) == {"requests_are_applied": 2, "rows_have_one_outcome": 1}
    assert {"requests_are_applied", "rows_have_one_outcome"} == broken(await reconcile(settings, settled=True))


async def values_of(settings: Settings, topic: Topic) -> list[bytes]:
    name = settings.topic_name(topic)
    counts = await partition_counts(settings, [name])
    async with group_free_consumer(settings) as consumer:
        spans = await topic_spans(consumer, counts)
        return [r.value or b"" async for _, records in read_spans(consumer, spans) for r in records]
