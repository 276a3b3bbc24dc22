"""A worker that starts before its servers waits for them, and says what for."""

from pathlib import Path

from workers import stop, wait_logged, worker

from schemas.settings import Settings
from sinks.kafka.topics import ensure_topics
from streams.servers import cluster_fault, database_fault


async def test_each_fault_says_what_to_do(stack: object, database_settings: Settings) -> None:
    assert stack
    closed = database_settings.model_copy(update={"postgres_port": 1, "kafka_bootstrap_servers": "127.0.0.1:1"})
    assert "PostgreSQL at 127.0.0.1:1 is away" in (await database_fault(closed) or "")
    assert "Kafka at 127.0.0.1:1 is away" in (await cluster_fault(closed) or "")
    empty = database_settings.model_copy(update={"postgres_db": "postgres"})
    assert (await database_fault(empty) or "").startswith("migrations are missing: 0001_ledger, ")
    assert (await database_fault(empty) or "").endswith(": run hfts migrate")
    assert "run hfts topics" in (await cluster_fault(database_settings) or "")
    assert await database_fault(database_settings) is None


async def test_a_worker_goes_on_once_they_are_there(database_settings: Settings, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    async with worker(database_settings, log) as process:
        await wait_logged(log, "worker.waiting")
        assert process.returncode is None
        await ensure_topics(database_settings)
        await wait_logged(log, "partitions.assigned")
        assert await stop(process) == 0
