"""A ledger restored to a moment in the past catches up with what was told, or says why it cannot."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import msgspec
import pytest
from builders import CrashError, a_request
from pipeline_run import TamperingPublisher, partition_of, publish, run_stage
from plain_topics import put_records, records_of
from workers import run_hfts, stop, wait_logged, worker

from ops.lag.reader import admin_client
from ops.reconcile.run import reconcile
from ops.recover.run import recover
from schemas.crash_points import Crash, CrashPoint
from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from schemas.transfers import TransferRequest, encode_request
from sinks.crash import arm
from sinks.errors import HistoryChangedError, LedgerBehindError, TransientError
from sinks.kafka.publisher import KafkaPublisher
from sinks.kafka.records import Record
from sinks.kafka.topics import ensure_topics
from sinks.postgres.history import OneHistory
from sinks.postgres.pool import connect, create_pool
from streams import catching_up
from streams.audit import AuditStage
from streams.catching_up import alone, catch_up
from streams.notifications import NotificationsStage
from streams.servers import ledger_fault
from streams.transfers import TransfersStage


def wallet_on(settings: Settings, partition: int) -> str:
    """An id whose payments stand on this partition."""
    return next(i for n in range(1000) if partition_of(i := str(uuid.UUID(int=n)), settings) == partition)


class Story:
    """The world pays Anna, Anna pays Ben, Ben pays Anna back: three partitions, each payment possible only after the
    one before. ``restored`` has the wallets, and nothing of this."""

    def __init__(self, settings: Settings, restored: Settings) -> None:
        self.settings = settings
        self.restored = restored
        self.world, self.anna, self.ben = (wallet_on(settings, partition) for partition in range(3))
        self.requests = [self.pays(self.world, self.anna, "9"), self.pays(self.anna, self.ben, "7")]
        self.requests.append(self.pays(self.ben, self.anna, "5"))

    def pays(self, source: str, destination: str, amount: str) -> TransferRequest:
        return a_request(source_wallet_id=source, destination_wallet_id=destination, amount=amount + ".0000")

    async def make_wallets(self) -> None:
        connection = await connect(self.settings)
        await connection.execute(
            "insert into wallets (wallet_id, kind, currency) values ($1, 'world', 'USD')", self.world
        )
        for name, wallet_id in (("anna", self.anna), ("ben", self.ben)):
            user = await connection.fetchval(
                "insert into users (email, password_hash) values ($1, 'x') returning user_id", f"{name}@example.com"
            )
            await connection.execute(
                "insert into wallets (wallet_id, user_id, currency) values ($1, $2, 'USD')", wallet_id, user
            )
        await connection.close()

    async def keep(self) -> None:
        """Let ``restored`` be as it is now."""
        await self.drop()
        await self._run(f'create database "{self.restored.postgres_db}" template "{self.settings.postgres_db}"')

    async def drop(self) -> None:
        await self._run(f'drop database if exists "{self.restored.postgres_db}" with (force)')

    async def _run(self, statement: str) -> None:
        admin = await connect(self.settings.model_copy(update={"postgres_db": "postgres"}))
        await admin.execute(statement)
        await admin.close()

    async def happen(self, told: Callable[[TransferRequest], bool] = lambda _: True) -> None:
        """Each is applied, and its outcome published if it is to be told."""
        untold = [request.transfer_id.encode() for request in self.requests if not told(request)]

        def tamper(topic: str, record: Record) -> list[Record]:
            hidden = topic == self.settings.topic_name(TRANSFERS_OUTCOMES)
            return [] if hidden and any(i in (record.value or b"") for i in untold) else [record]

        for request in self.requests:
            key = request.source_wallet_id
            record = Record(key.encode(), encode_request(request), [])
            await publish(self.settings, TRANSFERS_REQUESTED, partition_of(key, self.settings), record)
            publisher = TamperingPublisher(self.settings, tamper)
            await run_stage(self.settings, TransfersStage(self.settings, publisher), publisher)


@pytest.fixture
async def story(settings: Settings) -> AsyncIterator[Story]:
    """With a second database, made when there were but the wallets."""
    restored = settings.model_copy(update={"postgres_db": f"{settings.postgres_db}_restored"})
    story = Story(settings, restored)
    await story.make_wallets()
    await story.keep()
    yield story
    await story.drop()


async def rows(settings: Settings) -> list[asyncpg.Record]:
    connection = await connect(settings)
    found = await connection.fetch("select * from transfers order by transfer_id")
    await connection.close()
    return found


async def execute(settings: Settings, statement: str, *arguments: object) -> None:
    connection = await connect(settings)
    await connection.execute(statement, *arguments)
    await connection.close()


async def test_it_makes_the_rows_that_were_told(story: Story) -> None:
    await story.happen()
    publisher = KafkaPublisher(story.restored, story.settings.group_name("transfers"))
    await publisher.start()
    stage = TransfersStage(story.restored, publisher)
    await stage.start()
    with pytest.raises(LedgerBehindError):
        await stage.resume_offsets(range(3))
    # TOPIC_PARTITIONS is for who makes the topics and who writes requests. Workers go without.
    assert await ledger_fault(story.restored.model_copy(update={"topic_partitions": 1})) is None
    assert await stage.resume_offsets(range(3)) == {0: 1, 1: 1, 2: 1}
    await stage.stop()
    await publisher.stop()
    assert await rows(story.restored) == await rows(story.settings)
    assert await ledger_fault(story.restored.model_copy(update={"topic_partitions": 24})) is None
    assert await catch_up(story.restored) == 0


async def test_one_process_at_a_time(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catching_up, "LOCK_WAIT", "10ms")
    await story.happen()
    async with alone(story.restored) as connection:
        assert await connection.fetchval("show tcp_keepalives_idle") == "10"  # so that nobody waits for the dead
        with pytest.raises(TransientError, match="another process"):
            async with alone(story.restored):
                pass
        assert "another process" in (await ledger_fault(story.restored) or "")
    assert await rows(story.restored) == []


async def test_who_waited_for_another_does_not_catch_up_again(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would shut out the one that has done so, and works already."""
    monkeypatch.setattr(catching_up, "LOCK_WAIT", "60s")
    await story.happen()
    publisher = KafkaPublisher(story.restored, story.settings.group_name("transfers"))
    await publisher.start()
    stage = TransfersStage(story.restored, publisher)
    await stage.start()
    async with alone(story.restored) as connection:
        waiting = asyncio.create_task(ledger_fault(story.restored))
        async with asyncio.timeout(60):
            while not await connection.fetchval(  # noqa: ASYNC110 (another connection)
                "select exists (select from pg_locks l join pg_database d on d.oid = l.database"
                " where l.locktype = 'advisory' and not l.granted and d.datname = current_database())"
            ):
                await asyncio.sleep(0.01)
        assert await catch_up(story.restored) == 3
        await stage.resume_offsets(range(3))
    assert await waiting is None
    await publisher.publish(story.settings.topic_name(TRANSFERS_OUTCOMES), 0, [(Record(None, b"not shut out", []),)])
    await stage.stop()
    await publisher.stop()


async def test_what_was_committed_and_not_told_is_made_good(story: Story) -> None:
    """The worker died between its commit and its publishing, and the database with it."""
    await story.happen(told=lambda request: request.source_wallet_id == story.ben)
    assert await ledger_fault(story.restored) is None
    for make_stage in (TransfersStage, NotificationsStage, AuditStage):
        publisher = KafkaPublisher(story.restored, story.settings.group_name(make_stage.agent))
        await run_stage(story.restored, make_stage(story.restored, publisher), publisher)
    assert len(await records_of(story.settings, TRANSFERS_OUTCOMES)) == 3
    before, after = await rows(story.settings), await rows(story.restored)
    assert [row["source_version"] for row in after] == [row["source_version"] for row in before]
    assert [row["transfer_id"] for row in after] == [row["transfer_id"] for row in before]
    report = await reconcile(story.restored, settled=True)
    assert report.holds


async def test_lost_outcomes_are_not_forgotten_when_it_is_cut_off_after_taking_over(story: Story) -> None:
    """Of one partition the outcomes are lost, and of the others rows. A takeover leaves a marker on each."""
    later, story.requests = story.requests[1:], story.requests[:1]
    await story.happen()
    await story.keep()
    story.requests = later
    await story.happen()
    told = [record for record in await records_of(story.settings, TRANSFERS_OUTCOMES) if record.partition > 0]
    topic = story.settings.topic_name(TRANSFERS_OUTCOMES)
    async with admin_client(story.settings) as admin:
        await admin.delete_topics([topic])
    await ensure_topics(story.settings)
    for record in told:
        kept = Record(record.key, record.value, [(name, value or b"") for name, value in record.headers])
        await put_records(story.settings, topic, record.partition, [kept])

    def crash() -> None:
        raise CrashError

    arm(Crash(CrashPoint.AFTER_FENCE, 1, stops=False), crash)
    with pytest.raises(CrashError):
        await recovered(story.restored)
    arm(None)
    assert "was cut off: run it again" in (await ledger_fault(story.restored) or "")
    said = await recovered(story.restored)
    assert "made 2 rows" in said
    assert "published 1 outcomes anew" in said
    assert await ledger_fault(story.restored) is None
    assert len(await records_of(story.settings, TRANSFERS_OUTCOMES)) == 3
    assert await rows(story.restored) == await rows(story.settings)


async def recovered(settings: Settings) -> str:
    """What it has to say."""
    lines: list[str] = []
    await recover(settings, dry_run=False, decide=False, say=lines.append, progress=lambda _name, _done, _total: None)
    return "\n".join(lines)


async def test_a_wallet_that_is_missing_is_named_and_can_be_made(story: Story, tmp_path: Path) -> None:
    await story.happen()
    log = tmp_path / "worker.log"
    await execute(story.restored, "delete from wallets where wallet_id = $1", story.ben)
    async with worker(story.restored, log, "transfers") as process:
        await wait_logged(log, "has no such wallet")
        status, output = await run_hfts(story.restored, "recover")
        assert status == 1
        assert f"wallet {story.ben} at version 1, and the ledger has no such wallet" in output
        await execute(
            story.restored,
            "insert into wallets (wallet_id, user_id, currency) select $1, user_id, 'USD' from users where email = $2",
            story.ben,
            "ben@example.com",
        )
        await wait_logged(log, "partitions.assigned")
        assert await stop(process) == 0
    assert await rows(story.restored) == await rows(story.settings)


async def test_what_cannot_be_followed_is_decided_again_if_asked_for(story: Story) -> None:
    await story.happen()
    await execute(story.restored, "update wallets set status = 'frozen' where wallet_id = $1", story.ben)
    fault = await ledger_fault(story.restored)
    assert "that wallet is not active" in (fault or "")
    status, output = await run_hfts(story.restored, "recover", "--decide-again")
    assert status == 0, output
    assert "anew" in output
    assert await ledger_fault(story.restored) is None
    assert {row["reason"] for row in await rows(story.restored)} == {None, "wallet_frozen"}
    status, output = await run_hfts(story.restored, "reconcile", "--json")
    assert status == 1
    assert msgspec.json.decode(output)["holds"] is False


async def test_a_database_with_another_past_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = await create_pool(settings, size_max=1, on_connect=OneHistory())
    assert await pool.fetchval("select 1") == 1
    await pool.expire_connections()
    assert await pool.fetchval("select 1") == 1
    monkeypatch.setattr("sinks.postgres.history._TIMELINE", "select '0000FFFF'")
    await pool.expire_connections()
    with pytest.raises(HistoryChangedError, match="0000FFFF"):
        await pool.fetchval("select 1")
    pool.terminate()
