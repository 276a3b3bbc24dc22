"""Kafka is lost with all that it held, and the ledger is kept."""

from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete
from builders import CrashError
from payments import assert_all_agrees, payments, send
from pipeline_run import ANNA, BEN, REQUESTS, WORLD, partition_of, run_pipeline, run_stage
from plain_topics import put_records, records_of
from workers import run_hfts, stop, wait_logged, wait_settled, worker

from ops.errors import CommandError
from ops.lag.reader import admin_client
from ops.load.wallets import Fleet
from ops.recover import renewing as renewing_module
from ops.recover import retelling
from ops.recover.renewing import renewal
from ops.recover.run import recover
from schemas.headers import REPUBLISHED
from schemas.settings import Settings
from schemas.topics import (
    ALL_TOPICS,
    AUDIT,
    DEAD_LETTERS,
    NOTIFICATIONS,
    TRANSFERS_OUTCOMES,
    TRANSFERS_REQUESTED,
)
from schemas.transfers import decode_outcome
from sinks.errors import ShorterTopicError
from sinks.kafka.options import client_options
from sinks.kafka.publisher import KafkaPublisher
from sinks.kafka.records import Record
from sinks.kafka.tails import bounds_of, committed_reader
from sinks.kafka.topics import ensure_topics
from streams.audit import AuditStage
from streams.deliveries import DeliveriesStage
from streams.notifications import NotificationsStage
from streams.servers import ledger_fault
from streams.standing import fault_of, read_standings
from streams.transfers import TransfersStage

ANNA_AND_BEN = Fleet([ANNA, BEN], WORLD, "USD")
ALL = ("transfers", "notifications", "audit", "deliveries")


async def lose_topics(settings: Settings) -> None:
    """All of them, and make new ones."""
    async with admin_client(settings) as admin:
        await admin.delete_topics([settings.topic_name(topic) for topic in ALL_TOPICS])
    assert len(await ensure_topics(settings)) == len(ALL_TOPICS)


async def said(settings: Settings, *, dry_run: bool) -> str:
    """Recover, and what it has to say."""
    lines: list[str] = []
    await recover(settings, dry_run=dry_run, decide=False, say=lines.append, progress=lambda _name, _done, _total: None)
    return "\n".join(lines)


async def test_the_pipeline_goes_on_with_new_topics(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    await run_pipeline(settings)
    publisher = KafkaPublisher(settings, settings.group_name("deliveries"))
    await run_stage(settings, DeliveriesStage(settings, publisher), publisher)
    applied = await connection.fetchval("select count(*) from transfers")
    await connection.execute(
        """insert into dead_letter_actions (topic, partition, "offset", action, state, reason, actor, done_at)
        select $1, partition, 0, 'discard', 'done', 'noise', 'x', now() from generate_series(0, 2) as partition""",
        settings.topic_name(DEAD_LETTERS),
    )

    await lose_topics(settings)
    # Requests go on coming in, one of them for the second time, and one that nobody can read.
    new = payments(ANNA_AND_BEN, 6)
    await send(settings, [*new, (ANNA.encode(), REQUESTS[1][1]), (b"k", b"\xfe")])
    async with worker(settings, log) as process:
        await wait_logged(log, "Run hfts recover")
        assert await connection.fetchval("select count(*) from transfers") == applied
        found = await said(settings, dry_run=True)
        assert "were applied up to" in found
        assert "3 dead letters that were replayed or discarded are gone" in found
        status, output = await run_hfts(settings, "recover")
        assert status == 0, output
        assert f"published {applied} outcomes anew" in output
        await wait_settled(settings, ALL, process)
        assert await stop(process) == 0, log.read_text()

    told = await records_of(settings, TRANSFERS_OUTCOMES)
    ids = Counter(decode_outcome(record.value or b"").transfer_id for record in told)
    assert len(ids) == len(told) == applied + len(new) == await connection.fetchval("select count(*) from transfers")
    assert sum(dict(record.headers).get(REPUBLISHED) == b"1" for record in told) == applied
    notified = {orjson.loads(r.value or b"")["transfer_id"] for r in await records_of(settings, NOTIFICATIONS)}
    assert notified == {orjson.loads(value or b"")["transfer_id"] for _, value in new}
    assert [record.value for record in await records_of(settings, DEAD_LETTERS)] == [b"\xfe"]
    assert await connection.fetchval("select count(*) from dead_letter_actions") == 0
    await assert_all_agrees(settings)
    assert "there is nothing to do" in await said(settings, dry_run=False)


@pytest.mark.parametrize("cut_off", [False, True])
async def test_what_comes_in_while_a_topic_is_renewed_is_put_behind(
    settings: Settings, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, cut_off: bool
) -> None:
    monkeypatch.setattr(renewing_module, "FILLERS_AT_ONCE", 7)
    where = TopicPartition(settings.topic_name(TRANSFERS_REQUESTED), 1)
    producer = AIOKafkaProducer(**client_options(settings))
    await producer.start()
    sent = 0

    async def put() -> None:
        nonlocal sent
        await producer.send_and_wait(where.topic, f"request {sent}".encode(), b"key", where.partition)
        sent += 1

    await put()
    async with committed_reader(settings) as consumer, renewal(settings, connection, consumer) as renewals:
        fill: Any = renewals._fillers.send_batch

        async def send_between(*arguments: Any, **named: Any) -> Any:
            if cut_off and sent == 4:
                raise CrashError
            found = await fill(*arguments, **named)
            await put()
            return found

        monkeypatch.setattr(renewals._fillers, "send_batch", send_between)
        if cut_off:
            with pytest.raises(CrashError):
                await renewals.renew(1, 50, lambda _: None, again=False)
            monkeypatch.setattr(renewals._fillers, "send_batch", fill)
        moved = await renewals.renew(1, 50, lambda _: None, again=cut_off)
        begin, _ = (await bounds_of(consumer, where.topic, [1]))[where]
    await put()
    await producer.stop()
    assert begin >= 50
    found = [record for record in await records_of(settings, TRANSFERS_REQUESTED) if record.partition == 1]
    assert {record.value for record in found} == {f"request {number}".encode() for number in range(sent)}
    assert all(record.offset >= 50 for record in found)
    assert moved <= sent


async def test_a_recovery_that_was_cut_off_is_finished(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what follows the requests is lost, so that workers could publish it anew, and people would be told again."""
    await run_pipeline(settings)
    count = len(await records_of(settings, TRANSFERS_OUTCOMES))
    async with admin_client(settings) as admin:
        await admin.delete_topics([settings.topic_name(TRANSFERS_OUTCOMES)])
    await ensure_topics(settings)
    publisher = KafkaPublisher(settings, settings.group_name("audit"))
    await publisher.start()
    with pytest.raises(ShorterTopicError, match="Run hfts recover"):
        await AuditStage(settings, publisher).resume_offsets([partition_of(ANNA, settings)])
    await publisher.stop()
    with pytest.raises(CommandError, match="Delete the topics of outcomes, notifications and audit"):
        await said(settings, dry_run=False)
    async with admin_client(settings) as admin:
        await admin.delete_topics([settings.topic_name(topic) for topic in (TRANSFERS_OUTCOMES, NOTIFICATIONS, AUDIT)])
    await ensure_topics(settings)
    assert "has no outcomes any more" in (await ledger_fault(settings) or "")
    publisher = KafkaPublisher(settings, settings.group_name("transfers"))
    stage = TransfersStage(settings, publisher)
    await publisher.start()
    await stage.start()
    with pytest.raises(ShorterTopicError, match="the outcomes of partitions"):
        await stage.resume_offsets(range(settings.topic_partitions))
    await stage.stop()
    await publisher.stop()

    monkeypatch.setattr(retelling, "OUTCOMES_AT_ONCE", 1)
    publish = KafkaPublisher.publish
    published = 0

    async def publish_two(*arguments: Any) -> None:
        nonlocal published
        published += 1
        if published == 3:
            raise CrashError
        await publish(*arguments)

    monkeypatch.setattr(KafkaPublisher, "publish", publish_two)
    with pytest.raises(CrashError):
        await said(settings, dry_run=False)
    monkeypatch.setattr(KafkaPublisher, "publish", publish)
    assert "was cut off: run it again" in (await ledger_fault(settings) or "")
    assert f"published {count - 2} outcomes anew" in await said(settings, dry_run=False)
    assert await ledger_fault(settings) is None
    for make_stage, name in (
        (TransfersStage, "transfers"),
        (NotificationsStage, "notifications"),
        (AuditStage, "audit"),
    ):
        publisher = KafkaPublisher(settings, settings.group_name(name))
        await run_stage(settings, make_stage(settings, publisher), publisher)
    assert len(await records_of(settings, TRANSFERS_OUTCOMES)) == count
    assert await records_of(settings, NOTIFICATIONS) == []
    await assert_all_agrees(settings)


async def test_a_record_is_not_taken_for_applied_that_is_not(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    """The same with one partition of the requests only, cut short under a worker that is already there."""
    log = tmp_path / "worker.log"
    topic = settings.topic_name(TRANSFERS_REQUESTED)
    await connection.execute("insert into stream_progress (topic, partition, next_offset) values ($1, 1, 3)", topic)
    await put_records(settings, topic, 1, [Record(b"k", b"\xff", [])])
    async with worker(settings, log, "transfers"):
        await wait_logged(log, "partition 1 of the requests ends at 1, and the ledger has applied it up to 3")
        await said(settings, dry_run=False)
        await wait_logged(log, "requests.dead_lettered")


async def test_who_begins_meanwhile_has_lost_nothing(settings: Settings, connection: asyncpg.Connection) -> None:
    """A worker starts beside another that takes the first requests of all just then."""

    class Meanwhile:
        async def fetch(self, *arguments: Any) -> Any:
            await run_pipeline(settings)
            return await connection.fetch(*arguments)

        fetchval = connection.fetchval

    async with committed_reader(settings) as consumer:
        database: Any = Meanwhile()
        standings = await read_standings(settings, consumer, database)
    assert sum(standing.applied for standing in standings) > 0
    assert fault_of(standings, unfinished=False) is None


async def test_what_a_worker_will_tell_is_not_lost(settings: Settings) -> None:
    """The first transfers of a partition are committed and not told yet. What it had before was no transfer, and is
    older than requests are kept."""
    partition = partition_of(ANNA, settings)
    where = TopicPartition(settings.topic_name(TRANSFERS_REQUESTED), partition)
    await put_records(settings, where.topic, partition, [Record(b"k", b"\xff", [])])
    publisher = KafkaPublisher(settings, settings.group_name("transfers"))
    await run_stage(settings, TransfersStage(settings, publisher), publisher)
    async with admin_client(settings) as admin:
        await admin.delete_records({where: RecordsToDelete(before_offset=1)})
    outcomes = settings.topic_name(TRANSFERS_OUTCOMES)
    await run_pipeline(settings, lambda topic, record: [] if topic == outcomes else [record])
    assert await ledger_fault(settings) is None
    async with admin_client(settings) as admin:
        await admin.delete_records({where: RecordsToDelete(before_offset=2)})
    assert f"partition {partition} has no outcomes any more" in (await ledger_fault(settings) or "")


async def test_a_new_topic_that_has_grown_past_the_old_one_is_known(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    """More has come in since than was ever applied, so that the topic does not seem shorter."""
    await run_pipeline(settings)
    applied = await connection.fetchval("select count(*) from transfers")
    await lose_topics(settings)
    new = payments(ANNA_AND_BEN, 60)
    await send(settings, new)
    assert "are others than those that were applied" in await said(settings, dry_run=False)
    publisher = KafkaPublisher(settings, settings.group_name("transfers"))
    await run_stage(settings, TransfersStage(settings, publisher), publisher)
    assert await connection.fetchval("select count(*) from transfers") == applied + len(new)
