"""What a socket takes: each case against the app on a real connection."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
import uvicorn
from uvicorn.server import ServerState

from ingest_api.connection import BoundedConnection
from tests.unit.conftest import Api

USER = str(uuid4())

Answer = tuple[int, dict[str, str], Any]
Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@asynccontextmanager
async def serving(api: Api, **limits: float) -> AsyncIterator[Connect]:
    """The app behind connections with these limits."""
    connection: Any = type("Connection", (BoundedConnection,), limits)
    config = uvicorn.Config(api.app, loop="none", lifespan="off", log_config=None, access_log=False, http=connection)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: connection(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    writers = []

    async def connect() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writers.append(writer)
        return reader, writer

    try:
        yield connect
    finally:
        for writer in writers:
            writer.close()
        server.close()
        await server.wait_closed()
        async with asyncio.timeout(10):
            while state.connections or state.tasks:  # noqa: ASYNC110 (uvicorn tells nobody)
                await asyncio.sleep(0.01)


async def answer_of(reader: asyncio.StreamReader) -> Answer:
    async with asyncio.timeout(10):
        status = int((await reader.readline()).split()[1])
        headers = {}
        while line := (await reader.readline()).strip():
            name, _, value = line.decode().partition(": ")
            headers[name.lower()] = value
        body = await reader.readexactly(int(headers["content-length"]))
    return status, headers, json.loads(body)


async def refusal(connect: Connect, sent: bytes) -> tuple[int, str]:
    """Status and code of a problem document, after which the connection ends."""
    reader, writer = await connect()
    writer.write(sent)
    status, headers, problem = await answer_of(reader)
    assert headers["content-type"] == "application/problem+json"
    assert headers["connection"] == "close"
    assert problem["status"] == status
    with contextlib.suppress(ConnectionResetError):  # what had not been read when the connection ended
        async with asyncio.timeout(10):
            assert await reader.read() == b""
    return status, problem["code"]


def post(api: Api, body: bytes, *headers: str, path: str = "/v1/transfers") -> bytes:
    sent = [
        f"POST {path} HTTP/1.1",
        "Host: api",
        "Content-Type: application/json",
        f"Authorization: {api.headers(USER)['Authorization']}",
        *headers,
    ]
    return "\r\n".join(sent).encode() + b"\r\n\r\n" + body


def transfer(api: Api) -> bytes:
    body = {
        "source_wallet_id": api.wallet(USER),
        "destination_wallet_id": str(uuid4()),
        "amount": "1",
        "currency": "USD",
    }
    return json.dumps(body).encode()


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET / HTTP/9.9\r\nHost: api\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: api\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
        b"POST /v1/users HTTP/1.1\r\nHost: api\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/users HTTP/1.1\r\nHost: api\r\nContent-Length: 1, 2\r\n\r\n",
        b"POST /v1/users HTTP/1.1\r\nHost: api\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /v1/users HTTP/1.1\r\nHost: api\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /v1/users HTTP/1.1\r\nHost: api\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    ],
)
async def test_no_http(api: Api, sent: bytes) -> None:
    async with serving(api) as connect:
        assert await refusal(connect, sent) == (400, "malformed_request")


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: api\r\n\r\n",
        b"GET /" + b"a" * 20_000,
        b"GET /healthz?" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: api\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 20_000,
        b"GET /healthz HTTP/1.1\r\n" + b"X: a\r\n" * 10_000 + b"\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"X: a\r\n" * 10_000,
    ],
    ids=["path", "unfinished path", "query", "header", "unfinished header", "headers", "unfinished headers"],
)
async def test_a_long_head(api: Api, sent: bytes) -> None:
    async with serving(api) as connect:
        assert await refusal(connect, sent) == (431, "head_too_large")


async def test_a_head_that_never_ends_is_not_kept(api: Api) -> None:
    """Cut off long before a minute's worth, whoever reads the answer or not."""
    async with serving(api) as connect:
        reader, writer = await connect()
        writer.write(b"GET /healthz HTTP/1.1\r\n")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 50_000_000:
                writer.write(b"X-Filler: " + b"a" * 1000 + b"\r\n")
                await asyncio.wait_for(writer.drain(), 10)
                sent += 1000
        assert sent < 50_000_000
        assert reader.exception() is not None or reader.at_eof() or (await answer_of(reader))[0] == 431


async def test_a_long_head_that_fits(api: Api) -> None:
    async with serving(api) as connect:
        reader, writer = await connect()
        for _ in range(3):  # the bound is for each, not for all of a connection
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: api\r\nX: " + b"a" * 16_000 + b"\r\n\r\n")
            assert (await answer_of(reader))[0] == 200


async def test_many_requests_in_one_piece(api: Api) -> None:
    async with serving(api) as connect:
        reader, writer = await connect()
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n" * 500)
        assert {(await answer_of(reader))[0] for _ in range(500)} == {200}


@pytest.mark.parametrize("form", ["whole", "chunked", "byte by byte"])
async def test_bodies_in_pieces(api: Api, form: str) -> None:
    body = transfer(api)
    if form == "whole":
        sent = post(api, body, f"Content-Length: {len(body)}")
    else:
        step = 1 if form == "byte by byte" else 100
        pieces = [body[at : at + step] for at in range(0, len(body), step)]
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
        sent = post(api, chunks + b"0\r\n\r\n", "Transfer-Encoding: chunked")
    async with serving(api) as connect:
        reader, writer = await connect()
        writer.write(sent * 2)
        assert [(await answer_of(reader))[0] for _ in range(2)] == [202, 202]


async def test_a_chunked_body_that_is_too_large(api: Api) -> None:
    sent = post(api, b"10000\r\n" + b" " * 65536 + b"\r\n1\r\n \r\n", "Transfer-Encoding: chunked")
    async with serving(api) as connect:
        assert await refusal(connect, sent) == (413, "body_too_large")


async def test_a_declared_length_that_is_too_large(api: Api) -> None:
    async with serving(api) as connect:
        assert await refusal(connect, post(api, b"", "Content-Length: 65537")) == (413, "body_too_large")


async def test_trailers_without_end(api: Api) -> None:
    body = transfer(api)
    chunk = b"%x\r\n%s\r\n0\r\n" % (len(body), body)
    sent = post(api, chunk + b"X-Trailer: a\r\n" * 10_000, "Transfer-Encoding: chunked")
    async with serving(api, request_bytes_max=100_000) as connect:
        assert await refusal(connect, sent) == (413, "body_too_large")
    assert api.requests.records == []


async def test_a_length_that_is_too_small(api: Api) -> None:
    """What comes after the declared length is another request, and none that anyone understands. The connection ends
    rather than giving one request the answer to another; the client sends its own again, under the same id."""
    body = transfer(api)
    async with serving(api) as connect:
        reader, writer = await connect()
        writer.write(post(api, body + b"}}}}", f"Content-Length: {len(body)}"))
        async with asyncio.timeout(10):
            assert await reader.read() == b""
    assert len(api.requests.records) <= 1


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
    async with serving(api, client_timeout_s=0.1, tick_s=0.02) as connect:
        assert await refusal(connect, sent) == (408, "request_timeout")
    assert "Traceback" not in caplog.text


async def test_a_client_that_never_ends_its_request(api: Api) -> None:
    """A byte now and then does not buy time."""
    async with serving(api, client_timeout_s=0.2, tick_s=0.02) as connect:
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
    async with serving(api, client_timeout_s=0.2, tick_s=0.02) as connect:
        reader, writer = await connect()
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n\r\n")
        assert (await answer_of(reader))[0] == 200
        writer.write(b"\r\n")
        assert (await answer_of(reader))[2]["code"] == "request_timeout"


async def test_a_slow_answer_is_not_the_clients_fault(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def wait(*_: object) -> list[tuple[str, str]]:
        inside.set()
        await go_on.wait()
        return []

    monkeypatch.setattr(api.readiness, "missing", wait)
    async with serving(api, client_timeout_s=0.02, tick_s=0.01) as connect:
        reader, writer = await connect()
        # A second request that never ends must not spoil the answer to the first.
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: api\r\n\r\nGET /healthz HTTP")
        await inside.wait()
        await asyncio.sleep(0.1)
        go_on.set()
        assert (await answer_of(reader))[0] == 200
        assert (await answer_of(reader))[0] == 408


async def test_a_body_that_nobody_read_does_not_keep_the_connection(api: Api) -> None:
    async with serving(api, client_timeout_s=0.1, tick_s=0.02) as connect:
        reader, writer = await connect()
        writer.write(b"POST /v1/wallets HTTP/1.1\r\nHost: api\r\nContent-Length: 4\r\n\r\n")
        assert (await answer_of(reader))[0] == 401
        writer.write(b"1234")
        assert (await answer_of(reader))[0] == 408
        assert await reader.read() == b""


async def test_connections_beyond_their_bound(api: Api) -> None:
    async with serving(api, connections_max=2) as connect:
        kept = [await connect() for _ in range(2)]
        for reader, writer in kept:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n")
            assert (await answer_of(reader))[0] == 200
        reader, _ = await connect()
        status, headers, problem = await answer_of(reader)
        assert (status, problem["code"], headers["retry-after"]) == (503, "overloaded", "1")
        kept[0][1].close()
        assert await kept[0][0].read() == b""
        async with asyncio.timeout(10):
            status = 503
            while status == 503:
                reader, writer = await connect()
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: api\r\n\r\n")
                status = (await answer_of(reader))[0]
        assert status == 200
