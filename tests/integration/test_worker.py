"""The worker process, Faust and all, between a real Kafka and a real PostgreSQL."""

import asyncio
import contextlib
import sys
from collections import Counter
from pathlib import Path

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaProducer
from builders import a_request, new_id
from payments import assert_all_agrees, funded_fleet, payments, send
from plain_topics import commit_offsets, records_of
from worker_status import listening, status_client, wait_missing
from workers import STOP_TIMEOUT_S, database_away, running, stop, wait_logged, wait_settled, worker

from ops.reconcile.run import reconcile
from schemas.headers import CAUSE
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, NOTIFICATIONS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from schemas.transfers import decode_outcome, encode_request
from sinks.kafka.options import client_options
from streams.transport import EXIT_SOFTWARE
from tests.faults.runner.cluster import group_members

ALL = ("transfers", "notifications", "audit", "deliveries")


async def test_from_request_to_notification_and_audit(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    async with worker(settings, log) as process:
        fleet = await funded_fleet(settings, connection, 20)
        payer, payee = fleet.wallets[:2]
        good = a_request(source_wallet_id=payer, destination_wallet_id=payee, amount="5.0000", reference="rent")
        poor = a_request(source_wallet_id=payer, destination_wallet_id=payee, amount="99999999.0000")
        lost = a_request(source_wallet_id=payer, destination_wallet_id=new_id())
        again = encode_request(good)
        reused = orjson.dumps(orjson.loads(again) | {"amount": "6.0000"})
        key = payer.encode()
        values = [again, encode_request(poor), encode_request(lost), again, reused, b"\xff\xff", b"{}"]
        await send(settings, [*((key, value) for value in values), (b"wrong key", encode_request(a_request()))])
        await wait_settled(settings, ALL, process)
        assert await stop(process) == 0, log.read_text()

    assert_lines_say_where(settings, log)
    outcomes = {
        o.transfer_id: o
        for r in await records_of(settings, TRANSFERS_OUTCOMES)
        for o in [decode_outcome(r.value or b"")]
    }
    assert len(outcomes) == 23
    assert (outcomes[good.transfer_id].status, outcomes[good.transfer_id].reference) == ("COMPLETED", "rent")
    assert outcomes[poor.transfer_id].reason == "insufficient_funds"
    assert outcomes[lost.transfer_id].reason == "wallet_not_found"
    dead = await records_of(settings, DEAD_LETTERS)
    assert Counter(dict(r.headers)[CAUSE] for r in dead) == {
        b"transfer_id_reused": 1,
        b"undecodable": 1,
        b"invalid_request": 1,
        b"wrong_key": 1,
    }
    told = [orjson.loads(r.value or b"") for r in await records_of(settings, NOTIFICATIONS)]
    assert sorted(
        (n["recipient"], n["status"], n["reason"], n["amount"], "@" in n["email"])
        for n in told
        if n["transfer_id"] in {good.transfer_id, poor.transfer_id}
    ) == [
        ("receiver", "COMPLETED", None, "5.0000", True),
        ("sender", "COMPLETED", None, "5.0000", True),
        ("sender", "FAILED", "insufficient_funds", "99999999.0000", True),
    ]
    await assert_all_agrees(settings)


def assert_lines_say_where(settings: Settings, log: Path) -> None:
    """Every line is JSON, whoever wrote it, and those about a batch tell agent, topic and offsets."""
    lines = [orjson.loads(line) for line in log.read_text().splitlines()]
    assert all({"event", "level", "logger", "timestamp"} <= line.keys() for line in lines)
    letters = [line for line in lines if line["event"] == "requests.dead_lettered"]
    assert sum(line["records"] for line in letters) == 4
    for line in letters:
        assert (line["agent"], line["topic"]) == ("transfers", settings.topic_name(TRANSFERS_REQUESTED))
        bounds = zip(line["partitions"], line["first_offsets"], line["last_offsets"], strict=True)
        within = {f"{partition}:{offset}" for partition, first, last in bounds for offset in range(first, last + 1)}
        assert set(line["first"]) <= within
    delivered = [line for line in lines if line["event"] == "notifications.delivered"]
    assert {(line["agent"], line["topic"]) for line in delivered} == {
        ("deliveries", settings.topic_name(NOTIFICATIONS))
    }
    assert "@" not in log.read_text()


async def test_moved_group_offsets_change_nothing(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    """The committed offsets are only a hint: the ledger and the tails of the topics say where to go on."""
    log = tmp_path / "worker.log"
    agents = ("transfers", "notifications", "audit")
    async with worker(settings, log) as process:
        fleet = await funded_fleet(settings, connection, 10)
        await send(settings, payments(fleet, 500))
        await wait_settled(settings, agents, process)
        assert await stop(process) == 0
    await send(settings, payments(fleet, 3_000, seed=2))
    offsets = dict.fromkeys(range(settings.topic_partitions), 400) | {0: 0}  # far ahead, and back at the start
    await commit_offsets(settings, "transfers", TRANSFERS_REQUESTED, offsets)
    await commit_offsets(settings, "notifications", TRANSFERS_OUTCOMES, offsets)
    await commit_offsets(settings, "audit", TRANSFERS_OUTCOMES, offsets)
    async with worker(settings, log) as process:
        await wait_settled(settings, agents, process)
        assert await stop(process) == 0, log.read_text()
    assert len(await records_of(settings, TRANSFERS_OUTCOMES)) == 3_510
    await assert_all_agrees(settings)


async def test_agents_can_be_run_apart(settings: Settings, connection: asyncpg.Connection, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    async with worker(settings, log, "transfers") as process:
        fleet = await funded_fleet(settings, connection, 10)
        await send(settings, payments(fleet, 200))
        await wait_settled(settings, ["transfers"], process)
        report = await reconcile(settings)
        assert not any(finding.faults for finding in report.findings)
        assert [f.pending for f in report.findings if f.title == "An outcome has exactly one audit record"] == [210]
        followers = worker(settings, log, "notifications,audit,deliveries")
        async with followers as other:
            await wait_settled(settings, ALL, other)
            assert await stop(other) == 0
        assert await stop(process) == 0
    await assert_all_agrees(settings)


async def test_the_faust_command_runs_an_agent(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    faust = str(Path(sys.executable).with_name("faust"))
    command = [faust, "-A", "streams.app:transfers", "worker", "--without-web"]
    async with running(settings, tmp_path / "faust.log", command) as process:
        await funded_fleet(settings, connection, 5)
        await wait_settled(settings, ["transfers"], process)
        assert await stop(process) == 0, (tmp_path / "faust.log").read_text()


async def test_work_whose_offsets_were_never_committed_counts_as_done(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    """As after a kill: who takes over has nothing to do, and still says how far the group is."""
    agents = ("transfers", "notifications", "audit")
    async with worker(settings, tmp_path / "first.log") as first:
        fleet = await funded_fleet(settings, connection, 5)
        await send(settings, payments(fleet, 100))
        await wait_settled(settings, agents, first)
        assert await stop(first) == 0
    await commit_offsets(settings, "audit", TRANSFERS_OUTCOMES, dict.fromkeys(range(settings.topic_partitions), 1))
    async with worker(settings, tmp_path / "second.log") as second:
        await wait_settled(settings, agents, second)
        assert await stop(second) == 0
    await assert_all_agrees(settings)


async def test_workers_come_and_go_under_load(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    logs = [tmp_path / f"worker-{number}.log" for number in range(3)]
    async with worker(settings, logs[0]) as first:
        fleet = await funded_fleet(settings, connection, 50)
        load = asyncio.create_task(send(settings, payments(fleet, 20_000)))
        async with worker(settings, logs[1], "transfers") as second, worker(settings, logs[2]) as third:
            await load
            await wait_logged(logs[1], "partitions.assigned")
            await wait_logged(logs[2], "partitions.assigned")
            assert {*await asyncio.gather(stop(first), stop(second))} == {0}, [log.read_text() for log in logs]
            assert await group_members(settings, "hfts-transfers") <= 1, "nobody waits for those who have left"
            await wait_settled(settings, ALL, third)
            assert await stop(third) == 0, logs[2].read_text()
    await assert_all_agrees(settings)


# Told to end when another worker joins and its partitions are taken from it; the first time it has none.
ENDS_WITHIN_A_REBALANCE = """
import asyncio, os, signal
from schemas.settings import Settings
from streams import app, worker

revoked_from = app.PipelineApp._on_partitions_revoked

async def end_first(self, revoked):
    if revoked:
        os.kill(os.getpid(), signal.SIGTERM)
        while not self.should_stop:
            await asyncio.sleep(0.01)
    await revoked_from(self, revoked)

app.PipelineApp._on_partitions_revoked = end_first
worker.run(Settings(), ["transfers"])
"""


async def test_a_worker_that_ends_within_a_rebalance_leaves_its_group(settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "first.log"
    async with running(settings, log, [sys.executable, "-c", ENDS_WITHIN_A_REBALANCE]) as first:
        await wait_logged(log, "partitions.assigned")
        async with worker(settings, tmp_path / "second.log", "transfers") as second:
            assert await asyncio.wait_for(first.wait(), 60) == 0, log.read_text()
            assert await group_members(settings, "hfts-transfers") == 1, "nobody waits for the one that has left"
            assert await stop(second) == 0


@pytest.mark.parametrize("told_to_end", [False, True])
async def test_a_worker_without_its_database_waits_until_told_to_end(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path, told_to_end: bool
) -> None:
    """Requests that came while it was away are applied once it is back, by this worker or by the next."""
    settings, log = listening(settings), tmp_path / "worker.log"
    async with worker(settings, log) as process, status_client(settings) as client:
        fleet = await funded_fleet(settings, connection, 10)
        async with database_away(settings):
            await send(settings, payments(fleet, 300))
            await wait_logged(log, "postgres.retry")
            assert process.returncode is None
            if told_to_end:
                process.terminate()
                await wait_missing(client, database="is away", transfers="is stopping")
                assert await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S) == EXIT_SOFTWARE
                await wait_logged(log, "worker.stop_cut_short")
        another = worker(settings, log) if told_to_end else contextlib.nullcontext(process)
        async with another as last:
            await wait_settled(settings, ALL, last)
            assert await stop(last) == 0, log.read_text()
    await assert_all_agrees(settings)


async def test_requests_of_an_aborted_transaction_stay_undone(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    requests = settings.topic_name(TRANSFERS_REQUESTED)
    async with worker(settings, log) as process:
        fleet = await funded_fleet(settings, connection, 5)
        (key, undone), (_, kept) = payments(fleet, 2)[1], payments(fleet, 3)[1]
        assert key is not None
        producer = AIOKafkaProducer(**client_options(settings), transactional_id=f"{settings.topic_prefix}test")
        await producer.start()
        await producer.begin_transaction()
        await producer.send_and_wait(requests, undone, key=key, partition=0)
        await producer.abort_transaction()
        async with producer.transaction():
            await producer.send_and_wait(requests, kept, key=key, partition=1)
        await producer.stop()
        await send(settings, payments(fleet, 20, seed=3))
        async with asyncio.timeout(60):
            while await connection.fetchval("select count(*) from transfers") < 26:  # noqa: ASYNC110 (a process writes it)
                await asyncio.sleep(0.1)
        assert await stop(process) == 0
    assert await connection.fetchval("select count(*) from transfers") == 26
    assert len(await records_of(settings, TRANSFERS_OUTCOMES)) == 26


@pytest.mark.parametrize("agents", ["", "nobody", "transfers,nobody"])
async def test_an_unknown_agent_is_one_clear_line(settings: Settings, tmp_path: Path, agents: str) -> None:
    log = tmp_path / "worker.log"
    async with running(
        settings, log, [sys.executable, "-P", "-m", "ops", "worker", "--agents", agents or "x"]
    ) as process:
        assert await asyncio.wait_for(process.wait(), 60) == 1
    assert log.read_text().count("\n") <= 2
