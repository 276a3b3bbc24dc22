"""The HTTP client, in a closed and in an open loop, against a server of a few lines."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.http_client import drive, drive_at

BODIES = [b'{"n": 1}', b'{"n": 2}', b'{"n": "refused"}']


class Server:
    """Answers 202, but 422 for a body with "refused"; hangs up after ``answers_max`` answers on a connection."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.connections = 0
        self.answers_max = 1_000_000

    @property
    def seen(self) -> Counter[bytes]:
        return Counter(self.bodies)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        answered = 0
        while answered < self.answers_max:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            assert head.startswith(b"POST /transfers HTTP/1.1\r\n")
            assert b"\r\nX-Token: one\r\n" in head
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            body = await reader.readexactly(length)
            self.bodies.append(body)
            status = b"422 No" if b"refused" in body else b"202 Accepted"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n{}")
            answered += 1
        writer.close()


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Server, str]]:
    server = Server()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        yield server, f"http://127.0.0.1:{port}/transfers"


async def test_bodies_go_round_and_answers_are_counted() -> None:
    async with serving() as (server, url):
        driven = await drive(url, BODIES, {"X-Token": "one"}, connections=2, seconds=30, count=9)
    assert (driven.accepted, driven.refused, server.connections) == (6, 3, 2)
    assert server.seen == dict.fromkeys(BODIES, 3)
    assert 0 < driven.p50_ms <= driven.p99_ms <= driven.p999_ms


async def test_it_ends_by_the_clock_and_counts_what_the_server_took() -> None:
    async with serving() as (server, url):
        driven = await drive(url, BODIES[:1], {"X-Token": "one"}, connections=3, seconds=0.05)
    assert driven.accepted == server.seen.total() > 0


@pytest.mark.parametrize("connections", [1, 3])
async def test_in_an_open_loop_each_body_goes_out_once(connections: int) -> None:
    bodies = [b'{"n": %d}' % number for number in range(40)] + BODIES[2:]
    async with serving() as (server, url):
        driven = await drive_at(
            url,
            bodies,
            {"X-Token": "one"},
            rate=200,
            start_s=time.monotonic() + 0.5,
            connections=connections,
        )
    assert (driven.accepted, driven.refused, server.connections) == (40, 1, connections)
    assert server.seen == dict.fromkeys(bodies, 1)
    if connections == 1:
        assert server.bodies == bodies
    assert 0 < driven.p50_ms <= driven.p99_ms <= driven.p999_ms


async def test_a_server_that_hangs_up_is_a_clear_error() -> None:
    async with serving() as (server, url):
        server.answers_max = 2
        with pytest.raises(RuntimeError, match=r"bench\.http_client failed .* the server closed a connection"):
            await drive(url, BODIES, {"X-Token": "one"}, connections=1, seconds=30)


async def test_a_server_that_is_not_there_is_a_clear_error() -> None:
    with pytest.raises(RuntimeError, match=r"bench\.http_client failed .* Connection refused"):
        await drive("http://127.0.0.1:9/transfers", BODIES, {}, connections=1, seconds=1)
