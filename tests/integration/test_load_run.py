"""Loads against a stand-in for the worker: the real transfers stage, fed by a plain consumer."""

import asyncio
import socket
from collections.abc import AsyncIterator
from functools import partial

import asyncpg
import pytest
import uvicorn
from aiokafka import TopicPartition
from pydantic import SecretStr
from stages import work

from ingest_api.app import create_app
from ops.load import settling
from ops.load.access import ApiAccess
from ops.load.http_sender import Submission, api_client
from ops.load.open_loop import load_http
from ops.load.outcomes import outcome_watcher
from ops.load.report import LoadReport
from ops.load.run import run_flood, run_http, run_kafka
from ops.load.wallets import StalledError, wait_applied
from ops.topic_reader import group_free_consumer
from schemas.settings import Settings
from sinks.kafka.publisher import KafkaPublisher
from sinks.passwords import hash_password
from streams.line import publish_outputs
from streams.transfers import TransfersStage


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[None]:
    publisher = KafkaPublisher(settings, settings.topic_prefix + "worker")
    stage = TransfersStage(settings, publisher)
    await publisher.start()
    await stage.start()
    await stage.resume_offsets(range(settings.topic_partitions))
    async with group_free_consumer(settings) as consumer:
        partitions = [TopicPartition(stage.input_topic, number) for number in range(settings.topic_partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)

        async def run() -> None:
            while True:
                for tp, records in (await consumer.getmany(timeout_ms=100)).items():
                    await publish_outputs(publisher, await work(stage, {tp.partition: records}))

        task = asyncio.create_task(run())
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await stage.stop()
    await publisher.stop()


@pytest.fixture(autouse=True)
def _no_other_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "CALM_S_MAX", 0.0)  # nobody works off what notifications and audit lag behind


@pytest.mark.usefixtures("worker")
async def test_an_open_loop_sees_the_outcome_of_everything_it_sends(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    report = await run_kafka(settings, rate=200.0, duration_s=1.0, wallets=20)
    assert report.sound
    assert (report.sent, report.accepted, report.completed, report.failed) == (200, 200, 200, {})
    assert len(report.latencies) == 200
    assert await connection.fetchval("select count(*) from transfers") == 20 + 200
    assert await connection.fetchval("select sum(balance) from wallets") == 0


@pytest.mark.usefixtures("worker")
async def test_a_flood_is_counted_in_the_database(settings: Settings, connection: asyncpg.Connection) -> None:
    told: dict[str, tuple[int, int]] = {}
    report = await run_flood(
        settings, count=3_000, wallets=50, progress=lambda stage, done, of: told.__setitem__(stage, (done, of))
    )
    assert (report.sent, report.applied, report.sound) == (3_000, 3_000, True)
    assert told == dict.fromkeys(("sent", "applied", "published"), (3_000, 3_000))
    assert await connection.fetchval("select count(*) from transfers") == 50 + 3_000


@pytest.fixture
async def access(settings: Settings, connection: asyncpg.Connection) -> AsyncIterator[ApiAccess]:
    """The API on a port of its own, with an admin."""
    await connection.execute(
        "insert into users (email, password_hash, role) values ('boss@example.com', $1, 'admin')",
        hash_password("correct horse"),
    )
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        async with asyncio.timeout(30):
            while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
                await asyncio.sleep(0.01)
        port = listener.getsockname()[1]
        yield ApiAccess(
            api_url=f"http://127.0.0.1:{port}",
            admin_email="boss@example.com",
            admin_password=SecretStr("correct horse"),
        )
        server.should_exit = True
        await serving


@pytest.mark.usefixtures("worker")
async def test_an_open_loop_over_http(settings: Settings, access: ApiAccess, connection: asyncpg.Connection) -> None:
    report = await run_http(settings, access, rate=50.0, duration_s=1.0, wallets=3)
    assert report.sound, report.as_json()
    assert (report.sent, report.accepted, report.completed) == (50, 50, 50)
    assert await connection.fetchval("select count(*) from transfers") == 3 + 50


async def test_what_the_api_refuses_is_counted_by_its_code(settings: Settings, access: ApiAccess) -> None:
    report = LoadReport("http", 20.0, 0.5, 0)
    unknown = Submission("11111111-1111-1111-1111-111111111111", "1" * 36, "2" * 36, "1", "USD")
    async with api_client(access) as api, outcome_watcher(settings) as watcher:
        await load_http(report, watcher, lambda _: (unknown.transfer_id, partial(api.submit, api.admin, unknown)))
    assert report.errors == {"POST /v1/transfers: 422 invalid_request": 10}
    assert (report.accepted, report.unanswered, report.sound) == (0, 0, False)


async def test_waiting_without_a_worker_ends_with_a_clear_word(
    settings: Settings, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ops.load.wallets.STALLED_S_MAX", 0.0)
    with pytest.raises(StalledError, match=r"^7 requests have not moved"):
        await wait_applied(connection, settings, {0: 7})
