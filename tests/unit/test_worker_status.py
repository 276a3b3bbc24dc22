"""What a worker answers over HTTP, on a socket, with made-up servers behind it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from schemas.settings import Settings
from sinks.listening import listen
from sinks.tls import TlsFileError
from streams import readiness as readiness_module
from streams.readiness import Readiness
from streams.status_server import status_served

SETTINGS = Settings(_env_file=None, postgres_password="none", secret_key="k" * 40)


@dataclass
class App:
    assigned: Sequence[int] | None = None
    should_stop: bool = False


class Server:
    """A server that somebody checks: sound, at fault, or silent."""

    def __init__(self) -> None:
        self.fault: str | Exception | None = None
        self.answers = asyncio.Event()
        self.answers.set()
        self.checks = 0

    async def check(self, _settings: Settings) -> str | None:
        self.checks += 1
        await self.answers.wait()
        if isinstance(self.fault, Exception):
            raise self.fault
        return self.fault


@dataclass
class Worker:
    client: httpx2.AsyncClient
    readiness: Readiness
    database: Server
    broker: Server

    async def readyz(self) -> tuple[int, Any]:
        answer = await self.client.get("/readyz")
        return answer.status_code, {one["part"]: one["fault"] for one in answer.json().get("missing", [])}


@asynccontextmanager
async def a_worker(*agents: str) -> AsyncIterator[Worker]:
    database, broker = Server(), Server()
    readiness = Readiness(SETTINGS, agents, database=database.check, broker=broker.check)
    listener = listen("worker", "127.0.0.1", 0, backlog=8)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with status_served(listener, readiness), httpx2.AsyncClient(base_url=url, timeout=30) as client:
        yield Worker(client, readiness, database, broker)


@pytest.fixture(autouse=True)
def _always_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness_module, "ASKED_AGAIN_AFTER_S", 0.0)


async def test_it_lives_and_tells_its_metrics() -> None:
    async with a_worker("transfers") as worker:
        worker.database.answers.clear()  # whatever its servers do
        alive = await worker.client.get("/healthz")
        metrics = await worker.client.get("/metrics")
        refused = await worker.client.post("/healthz")
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert metrics.headers["Content-Type"].startswith("text/plain; version=")
    assert 'hfts_transfers_failed_total{reason="insufficient_funds"} ' in metrics.text
    assert "process_resident_memory_bytes" in metrics.text
    assert refused.status_code == 405


async def test_it_is_ready_once_every_part_is() -> None:
    async with a_worker("transfers", "audit") as worker:
        worker.database.fault, worker.broker.fault = "PostgreSQL is away", "topics are missing"
        waiting = "has not started: it waits for the servers"
        assert await worker.readyz() == (
            503,
            {
                "database": "PostgreSQL is away",
                "broker": "topics are missing",
                "transfers": waiting,
                "audit": waiting,
            },
        )
        worker.database.fault = worker.broker.fault = None
        transfers, audit = App(), App(assigned=[])
        worker.readiness.agents.update(transfers=transfers, audit=audit)
        assert await worker.readyz() == (503, {"transfers": "has not been given its partitions yet"})
        transfers.assigned = [0, 2]
        assert await worker.readyz() == (200, {}), "no partitions are an assignment, too"
        audit.should_stop = True
        assert await worker.readyz() == (503, {"audit": "is stopping"})


async def test_a_server_that_does_not_answer_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness_module, "CHECK_TIMEOUT_S", 0.01)
    async with a_worker() as worker:
        worker.broker.answers.clear()
        assert await worker.readyz() == (503, {"broker": "no answer within 0.01 s"})


async def test_a_setting_that_is_wrong_is_named() -> None:
    async with a_worker() as worker:
        worker.database.fault = TlsFileError("POSTGRES_SSL_CAFILE: x cannot be used (No such file or directory)")
        assert await worker.readyz() == (
            503,
            {"database": "POSTGRES_SSL_CAFILE: x cannot be used (No such file or directory)"},
        )


async def test_servers_are_asked_once_for_many_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness_module, "ASKED_AGAIN_AFTER_S", 3600.0)
    async with a_worker() as worker:
        answers = [await worker.readyz(), *await asyncio.gather(*(worker.readyz() for _ in range(5)))]
        assert answers == [(200, {})] * 6
        assert (worker.database.checks, worker.broker.checks) == (1, 1)


def test_an_address_that_is_taken_is_one_clear_line() -> None:
    with listen("worker", "127.0.0.1", 0, backlog=1) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit) as caught:
            listen("worker", "127.0.0.1", port, backlog=1)
    assert caught.value.code == (
        f"The worker cannot listen on 127.0.0.1:{port}: Address already in use. Stop what uses it, or set WORKER_PORT."
    )
    with pytest.raises(SystemExit, match="Set WORKER_HOST and WORKER_PORT"):
        listen("worker", "192.0.2.1", 9101, backlog=1)
