"""How long a socket waits: each case against the app on a real connection."""

import asyncio

import pytest
from raw_http import answer_of, refusal, serving

from ingest_api.connection import BoundedConnection
from tests.unit.conftest import Api


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /healthz HTTP/1.1\r\nHost:",
        b"POST /v1/users HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{",
        (
            b"POST /v1/auth/token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            b"Content-Length: 10\r\n\r\nusername"
        ),
        b"POST /v1/users HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"",
    ],
    ids=["head", "body", "form", "chunk", "nothing"],
)
async def test_a_client_that_takes_its_time(api: Api, sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(api.app, client_timeout_s=0.1, tick_s=0.02) as connect:
        assert await refusal(connect, sent) == (408, "request_timeout")
    assert "Traceback" not in caplog.text


async def test_a_client_that_never_ends_its_request(api: Api) -> None:
    """A byte now and then does not buy time."""
    async with serving(api.app, client_timeout_s=0.2, tick_s=0.02) as connect:
        reader, writer = await connect()
        writer.write(b"GET /healthz HTTP/1.1\r\n")

        async def drip() -> None:
            while True:
                writer.write(b"X: a\r\n")
                await asyncio.sleep(0.01)

        dripping = asyncio.create_task(drip())
        assert (await answer_of(reader))[2]["code"] == "request_timeout"
        dripping.cancel()


async def test_empty_lines_do_not_keep_a_connection(api: Api) -> None:
    async with serving(api.app, client_timeout_s=0.2, tick_s=0.02) as connect:
        reader, writer = await connect()
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n\r\n")
        assert (await answer_of(reader))[0] == 200
        writer.write(b"\r\n")
        assert (await answer_of(reader))[2]["code"] == "request_timeout"


async def test_a_slow_answer_is_not_the_clients_fault(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes only after the connection has seen that the time is over, and whose turn it is."""
    looked = asyncio.Event()
    is_our_turn = BoundedConnection._is_our_turn

    def look(connection: BoundedConnection) -> bool:  # asked by the connection's clock once the time is over
        is_ours = is_our_turn(connection)
        if is_ours:
            looked.set()
        return is_ours

    async def missing() -> list[tuple[str, str]]:
        await looked.wait()
        return []

    monkeypatch.setattr(BoundedConnection, "_is_our_turn", look)
    monkeypatch.setattr(api.readiness, "missing", missing)
    async with serving(api.app, client_timeout_s=0.1, tick_s=0.02) as connect:
        reader, writer = await connect()
        # A second request that never ends must not spoil the answer to the first.
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: api\r\n\r\nGET /healthz HTTP")
        assert (await answer_of(reader))[0] == 200
        assert (await answer_of(reader))[0] == 408


async def test_a_body_that_nobody_read_does_not_keep_the_connection(api: Api) -> None:
    async with serving(api.app, client_timeout_s=0.1, tick_s=0.02) as connect:
        reader, writer = await connect()
        writer.write(b"POST /v1/wallets HTTP/1.1\r\nHost: api\r\nContent-Length: 4\r\n\r\n")
        assert (await answer_of(reader))[0] == 401
        writer.write(b"1234")
        assert (await answer_of(reader))[0] == 408
        assert await reader.read() == b""
