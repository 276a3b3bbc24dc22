"""The API before it stops: it says so, lets go of its connections, and waits for slow clients only so long."""

import asyncio
import json
import signal
import time
from typing import Any
from uuid import uuid4

import pytest
import uvicorn
from raw_http import answer_of, serving

from ingest_api.draining import Draining
from ingest_api.draining_server import DrainingServer
from tests.unit.conftest import Api

USER = str(uuid4())


def draining_of(api: Api) -> Draining:
    found: Draining = api.app.state.draining
    return found


async def test_it_says_that_it_is_about_to_stop_and_still_serves(api: Api) -> None:
    assert (await api.client.get("/readyz")).status_code == 200
    draining_of(api).begin()
    answer = await api.client.get("/readyz")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "shutting_down", "1")
    assert (await api.client.get("/healthz")).status_code == 200


async def test_each_answer_is_the_last_one_of_its_connection(api: Api) -> None:
    async with serving(api.app) as connect:
        reader, writer = await connect()
        for is_last in (False, True):
            if is_last:
                draining_of(api).begin()
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n")
            status, headers, _ = await answer_of(reader)
            assert (status, headers.get("connection")) == (200, "close" if is_last else None)
        assert await reader.read() == b""


def begin_batch(api: Api, lines: int) -> bytes:
    """A batch whose end has not been sent."""
    token = api.headers(USER)["Authorization"]
    wallets = {"source_wallet_id": api.wallet(USER), "destination_wallet_id": str(uuid4())}
    sent = (json.dumps({**wallets, "amount": "1", "currency": "USD"}) + "\n").encode() * lines
    return (
        b"POST /v1/transfers/batch HTTP/1.1\r\nHost: api\r\nContent-Type: application/x-ndjson\r\n"
        b"Authorization: " + token.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"%x\r\n%s\r\n" % (len(sent), sent) if sent else b"")
    )  # fmt: skip


async def test_a_batch_that_goes_on_for_too_long_has_an_end_and_a_result_for_what_was_read(api: Api) -> None:
    async with serving(api.app) as connect:
        reader, writer = await connect()
        writer.write(begin_batch(api, lines=1))
        await reader.readuntil(b'"PENDING"')
        draining_of(api).end_at(0.0)
        rest = await reader.readuntil(b"\r\n0\r\n\r\n")
    assert b'{"line":2,' in rest
    assert b'"code":"shutting_down"' in rest
    assert len(api.requests.records) == 1


@pytest.mark.parametrize("is_over_before", [False, True])
async def test_a_batch_of_which_nothing_came(api: Api, is_over_before: bool) -> None:
    began = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        began.set()
        await api.app(scope, receive, send)

    if is_over_before:
        draining_of(api).end_at(0.0)
    async with serving(app) as connect:  # type: ignore[arg-type] # any ASGI application will do
        reader, writer = await connect()
        writer.write(begin_batch(api, lines=0))
        await began.wait()
        draining_of(api).end_at(0.0)
        status, _, problem = await answer_of(reader)
    assert (status, problem["code"]) == (503, "shutting_down")


async def test_whoever_is_in_time_is_waited_for() -> None:
    draining = Draining()
    clock = asyncio.get_running_loop()
    draining.end_at(clock.time() + 3600)
    async with draining.until(clock.time() + 7200):
        await asyncio.sleep(0)
    with pytest.raises(TimeoutError):
        async with draining.until(0.0):
            await asyncio.Event().wait()
    assert not draining._waiting


def server(delay_s: float) -> tuple[DrainingServer, Draining]:
    draining = Draining()
    return DrainingServer(uvicorn.Config("none", log_config=None), draining, delay_s), draining


@pytest.mark.parametrize(
    ("delay_s", "signals", "stops"),
    [
        (0, [signal.SIGTERM], True),
        (60, [signal.SIGTERM], False),
        (60, [signal.SIGTERM, signal.SIGTERM], True),
        (60, [signal.SIGTERM, signal.SIGINT], True),
        (60, [signal.SIGINT], True),
    ],
)
async def test_which_signals_stop_at_once(delay_s: float, signals: list[signal.Signals], stops: bool) -> None:
    serving_on, draining = server(delay_s)
    assert not await serving_on.on_tick(1)
    for number in signals:
        serving_on.handle_exit(number, None)
    assert draining.has_begun
    assert await serving_on.on_tick(1) is stops


async def test_it_stops_by_itself_when_the_delay_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    serving_on, _ = server(60)
    serving_on.handle_exit(signal.SIGTERM, None)
    assert not await serving_on.on_tick(1)
    later_s = time.monotonic() + 60
    monkeypatch.setattr(time, "monotonic", lambda: later_s)
    assert await serving_on.on_tick(1)
