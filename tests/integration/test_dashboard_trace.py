"""The way of a transfer on real servers, whole, unfinished and tampered with."""

from collections.abc import AsyncIterator

import asyncpg
import orjson
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from builders import new_id
from pipeline_run import ANNA, BEN, PAYMENT, REFUSED, partition_of, run_pipeline
from plain_topics import put_records, records_of

from ops.dashboard.bodies import TransferPath
from ops.dashboard.trace import trace_transfer
from ops.lag.reader import admin_client
from schemas.settings import Settings
from schemas.topics import AUDIT, NOTIFICATIONS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from sinks.directory.database import Database
from sinks.kafka.records import Record


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = await Database.open(settings)
    yield database
    await database.close()


async def traced(settings: Settings, database: Database, transfer_id: str = PAYMENT) -> TransferPath:
    found = await trace_transfer(settings, database, transfer_id)
    assert found is not None
    return found


async def test_the_whole_way_is_told(settings: Settings, database: Database, connection: asyncpg.Connection) -> None:
    await run_pipeline(settings)
    path = await traced(settings, database)
    records = {
        topic: [r for r in await records_of(settings, topic) if PAYMENT.encode() in (r.value or b"")]
        for topic in (TRANSFERS_REQUESTED, TRANSFERS_OUTCOMES, NOTIFICATIONS, AUDIT)
    }
    request, outcome, audit = (records[t][0] for t in (TRANSFERS_REQUESTED, TRANSFERS_OUTCOMES, AUDIT))
    assert (path.request.partition, path.request.offset) == (request.partition, str(request.offset))
    assert path.request.at is not None
    assert (path.row.status, path.row.amount, path.row.source_wallet_id) == ("COMPLETED", "12.5000", ANNA)
    assert (path.row.source_balance, path.row.source_version) == ("87.5000", "2")
    assert (path.row.reference, path.row.metadata) == ("Miete", {"for": "May"})
    assert path.outcome is not None
    assert (path.outcome.topic, path.outcome.offset) == (outcome.topic, str(outcome.offset))
    assert path.outcome.is_row
    assert [(told.recipient, told.wallet_id) for told in path.notifications] == [("sender", ANNA), ("receiver", BEN)]
    assert [told.offset for told in path.notifications] == [str(r.offset) for r in records[NOTIFICATIONS]]
    assert not any(told.is_handed_out for told in path.notifications)
    assert path.audit is not None
    assert (path.audit.offset, path.audit.hash) == (str(audit.offset), orjson.loads(audit.value or b"")["hash"])
    assert path.audit.hash_holds
    assert path.audit.is_row
    last = records[NOTIFICATIONS][-1]
    await connection.execute(
        "insert into stream_progress (topic, partition, next_offset) values ($1, $2, $3)",
        *(last.topic, last.partition, last.offset),
    )
    assert [told.is_handed_out for told in (await traced(settings, database)).notifications] == [True, False]


async def test_a_transfer_that_failed_has_a_way_too(settings: Settings, database: Database) -> None:
    await run_pipeline(settings)
    path = await traced(settings, database, REFUSED)
    assert (path.row.status, path.row.reason, path.row.source_balance) == ("FAILED", "insufficient_funds", None)
    assert [told.recipient for told in path.notifications] == ["sender"]
    assert path.audit is not None
    assert path.audit.hash_holds
    assert await trace_transfer(settings, database, new_id()) is None


async def test_what_is_not_there_yet_or_no_longer_is_null(settings: Settings, database: Database) -> None:
    def withheld(topic: str, record: Record) -> list[Record]:
        return [] if topic.endswith("outcomes") and PAYMENT.encode() in (record.value or b"") else [record]

    await run_pipeline(settings, withheld)
    partition = partition_of(ANNA, settings)
    where = TopicPartition(settings.topic_name(TRANSFERS_REQUESTED), partition)
    async with admin_client(settings) as admin:
        await admin.delete_records({where: RecordsToDelete(before_offset=5)})
    path = await traced(settings, database)
    assert path.request.at is None
    assert (path.outcome, path.notifications, path.audit) == (None, [], None)


async def test_what_does_not_agree_is_told(settings: Settings, database: Database) -> None:
    def forged(topic: str, record: Record) -> list[Record]:
        if PAYMENT.encode() in (record.value or b"") and topic.endswith(("outcomes", "audit")):
            record.value = (record.value or b"").replace(b"12.5000", b"12.5001")
        return [record]

    await run_pipeline(settings, forged)
    path = await traced(settings, database)
    assert path.outcome is not None
    assert path.audit is not None
    assert (path.outcome.is_row, path.audit.is_row) == (False, False)
    assert path.audit.hash_holds, "the audit has what the outcome says"


async def test_a_foreign_record_on_the_audit_topic_proves_nothing(settings: Settings, database: Database) -> None:
    await run_pipeline(settings, lambda topic, record: [] if topic.endswith("audit") else [record])
    found = await traced(settings, database)
    assert found.audit is None
    assert found.outcome is not None
    foreign = Record(b"k", b"[]", [("source-offset", found.outcome.offset.encode())])
    await put_records(settings, settings.topic_name(AUDIT), found.outcome.partition, [foreign])
    path = await traced(settings, database)
    assert path.audit is not None
    assert (path.audit.hash, path.audit.hash_holds, path.audit.is_row) == (None, False, False)
