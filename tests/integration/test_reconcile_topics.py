"""A run in which a topic is tampered with: reconcile must name what was."""

import uuid
from collections.abc import Callable

import orjson
import pytest
from pipeline_run import (
    ANNA,
    LAST,
    PAYMENT,
    REFUSED,
    WORLD,
    Tamper,
    broken,
    examples,
    pending,
    publish,
    run_pipeline,
)
from plain_topics import records_of

from ops.reconcile.run import reconcile
from schemas.settings import Settings
from schemas.topics import AUDIT, DEAD_LETTERS, NOTIFICATIONS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED, Topic
from sinks.kafka.records import Record
from sinks.postgres import pool


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
    outcomes = [record.value or b"" for record in await records_of(settings, TRANSFERS_OUTCOMES)]
    forged_id = str(uuid.uuid4())
    forged = outcomes[0].replace(orjson.loads(outcomes[0])["transfer_id"].encode(), forged_id.encode())
    source = [("source-offset", b"0")]
    notification = (await records_of(settings, NOTIFICATIONS))[0].value or b""
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


async def test_reads_topics_for_longer_than_a_transaction_may_be_idle(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run_pipeline(settings)
    monkeypatch.setattr(pool, "IDLE_IN_TRANSACTION_TIMEOUT", "1ms")
    report = await reconcile(settings, settled=True)
    assert report.holds
