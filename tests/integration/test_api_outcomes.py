"""Waiting for outcomes and watching them, with a real worker and more than one API process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from api_calls import PASSWORD, log_in, wait_readiness
from api_processes import start_api
from workers import worker

from ops.admin import ensure_admin
from ops.embedded.ports import free_port
from schemas.settings import Settings

ADMIN = "root@example.com"
EVENTS = "/v1/transfers/events"
WAIT = {"Prefer": "wait=30"}


@dataclass
class Process:
    """One API process, and a client of it."""

    process: asyncio.subprocess.Process
    client: httpx2.AsyncClient

    async def stop(self) -> None:
        """SIGTERM, to its end in order."""
        if self.process.returncode is None:
            self.process.terminate()
        _, log = await asyncio.wait_for(self.process.communicate(), 60)
        assert self.process.returncode == 0, log.decode()
        assert b"Traceback" not in log, log.decode()


@asynccontextmanager
async def api_process(settings: Settings) -> AsyncIterator[Process]:
    port = free_port(())
    found = await start_api(settings, port)
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        one = Process(found, client)
        try:
            await wait_readiness(client)
            yield one
        finally:
            await one.stop()


@asynccontextmanager
async def events(
    api: Process, headers: dict[str, str], last_id: str | None = None
) -> AsyncIterator[AsyncIterator[tuple[str, Any]]]:
    """The ids and data of a stream, from when it is open; the first one has no data."""
    shown = {} if last_id is None else {"Last-Event-ID": last_id}
    async with api.client.stream("GET", EVENTS, headers={**headers, **shown}) as answer:
        assert answer.status_code == 200
        yield _read(answer)


async def _read(answer: Any) -> AsyncIterator[tuple[str, Any]]:
    last_id, data = "", None
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "id":
            last_id = value
        elif name == "data":
            data = json.loads(value)
        elif not line:
            yield last_id, data
            data = None


async def data_of(stream: AsyncIterator[tuple[str, Any]]) -> tuple[str, Any]:
    """The next event that has data."""
    async with asyncio.timeout(60):
        async for last_id, data in stream:
            if data is not None:
                return last_id, data
    raise AssertionError("the stream has ended")


@pytest.mark.timeout(180)
async def test_from_one_process_to_another(settings: Settings, tmp_path: Path) -> None:
    await ensure_admin(settings, ADMIN, PASSWORD, "admin")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(worker(settings, tmp_path / "worker.log", "transfers"))
        first = await stack.enter_async_context(api_process(settings))
        second = await stack.enter_async_context(api_process(settings))
        admin = await log_in(first.client, ADMIN)
        email = "ada@example.com"
        await first.client.post("/v1/users", json={"email": email, "password": PASSWORD})
        ada = await log_in(first.client, email)

        async with events(first, ada) as stream:
            beginning, _ = await anext(stream)
            # The wallet is younger than the stream.
            wallet = (await first.client.post("/v1/wallets", json={"currency": "USD"}, headers=ada)).json()["wallet_id"]
            money = {"wallet_id": wallet, "amount": "10", "currency": "USD"}
            deposit = await second.client.post("/v1/deposits", json=money, headers={**admin, **WAIT})
            assert (deposit.status_code, deposit.json()["status"]) == (200, "COMPLETED"), deposit.text
            last_id, seen = await data_of(stream)
            assert (seen["transfer_id"], seen["source_balance"]) == (deposit.json()["transfer_id"], None)
            assert seen["destination_balance"] == "10.0000"

        payment = {"source_wallet_id": wallet, "destination_wallet_id": wallet, "amount": "1", "currency": "USD"}
        key = {**ada, "Idempotency-Key": "rent of May"}
        accepted = await first.client.post("/v1/transfers", json=payment, headers=key)
        waited = await second.client.get(accepted.headers["location"], headers={**ada, **WAIT})
        assert (waited.json()["status"], waited.json()["reason"]) == ("FAILED", "same_wallet")

        # Another process, and this one once more: the same answer, and nothing else under the key.
        for api in (second, first):
            again = await api.client.post("/v1/transfers", json=payment, headers=key)
            assert again.json() == accepted.json()
            assert again.headers["idempotent-replayed"] == "true"
            outcome = await api.client.post("/v1/transfers", json=payment, headers={**key, **WAIT})
            assert (outcome.status_code, outcome.json()) == (200, waited.json())
            reused = await api.client.post("/v1/transfers", json={**payment, "amount": "2"}, headers=key)
            assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")

        # What came since, from the other process; and all, from the beginning. Two partitions come in either order.
        for shown, expected in ((last_id, [waited]), (beginning, [deposit, waited])):
            async with events(second, ada, shown) as stream:
                told = [(await data_of(stream))[1]["transfer_id"] for _ in expected]
            assert sorted(told) == sorted(answer.json()["transfer_id"] for answer in expected)

        # A process that leaves ends its streams, and answers those who wait, in order.
        async with events(second, ada) as stream:
            await anext(stream)
            await stop_worker_and_wait(second, payment, ada)
            async for _ in stream:
                pass


async def stop_worker_and_wait(api: Process, payment: dict[str, Any], headers: dict[str, str]) -> None:
    """SIGTERM for the process while somebody waits there."""
    waiting = asyncio.create_task(
        api.client.post("/v1/transfers", json=payment, headers={**headers, "Prefer": "wait=30"})
    )
    answer = await asyncio.wait_for(waiting, 60)
    assert answer.status_code == 200
    api.process.terminate()
