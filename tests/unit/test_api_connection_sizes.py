"""How much a socket takes: each case against the app on a real connection."""

import asyncio
import contextlib
import json
from uuid import uuid4

import pytest
from raw_http import answer_of, refusal, serving

from tests.unit.conftest import Api

USER = str(uuid4())


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
    async with serving(api.app) as connect:
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
    async with serving(api.app) as connect:
        assert await refusal(connect, sent) == (431, "head_too_large")


async def test_a_head_that_never_ends_is_not_kept(api: Api) -> None:
    """Cut off long before a minute's worth, whoever reads the answer or not."""
    async with serving(api.app) as connect:
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
    async with serving(api.app) as connect:
        reader, writer = await connect()
        for _ in range(3):  # the bound is for each, not for all of a connection
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: api\r\nX: " + b"a" * 16_000 + b"\r\n\r\n")
            assert (await answer_of(reader))[0] == 200


async def test_many_requests_in_one_piece(api: Api) -> None:
    async with serving(api.app) as connect:
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
    async with serving(api.app) as connect:
        reader, writer = await connect()
        writer.write(sent * 2)
        assert [(await answer_of(reader))[0] for _ in range(2)] == [202, 202]


async def test_a_chunked_body_that_is_too_large(api: Api) -> None:
    sent = post(api, b"10000\r\n" + b" " * 65536 + b"\r\n1\r\n \r\n", "Transfer-Encoding: chunked")
    async with serving(api.app) as connect:
        assert await refusal(connect, sent) == (413, "body_too_large")


async def test_a_declared_length_that_is_too_large(api: Api) -> None:
    async with serving(api.app) as connect:
        assert await refusal(connect, post(api, b"", "Content-Length: 65537")) == (413, "body_too_large")


async def test_trailers_without_end(api: Api) -> None:
    body = transfer(api)
    chunk = b"%x\r\n%s\r\n0\r\n" % (len(body), body)
    sent = post(api, chunk + b"X-Trailer: a\r\n" * 10_000, "Transfer-Encoding: chunked")
    async with serving(api.app, request_bytes_max=100_000) as connect:
        assert await refusal(connect, sent) == (413, "body_too_large")
    assert api.requests.records == []


async def test_a_length_that_is_too_small(api: Api) -> None:
    """What comes after the declared length is another request, and none that anyone understands. The connection ends
    rather than giving one request the answer to another; the client sends its own again, under the same id."""
    body = transfer(api)
    async with serving(api.app) as connect:
        reader, writer = await connect()
        writer.write(post(api, body + b"}}}}", f"Content-Length: {len(body)}"))
        async with asyncio.timeout(10):
            assert await reader.read() == b""
    assert len(api.requests.records) <= 1


async def test_connections_beyond_their_bound(api: Api) -> None:
    async with serving(api.app, connections_max=2) as connect:
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
