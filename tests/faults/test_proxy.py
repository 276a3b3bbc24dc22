"""The proxy passes everything on, until it is told not to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from ops.embedded.ports import free_port
from tests.faults.runner.proxy import COMMIT_MESSAGE, Connection, Link


class Server:
    """Answers each chunk with itself in upper case, and keeps it."""

    def __init__(self) -> None:
        self.port = free_port([])
        self.received = asyncio.Queue[bytes]()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(1000):
            self.received.put_nowait(chunk)
            writer.write(chunk.upper())
        writer.close()


@asynccontextmanager
async def linked() -> AsyncIterator[tuple[Server, Link, asyncio.StreamReader, asyncio.StreamWriter]]:
    server = Server()
    listening = await asyncio.start_server(server.accept, "127.0.0.1", server.port)
    port = free_port([server.port])
    link = Link("test", {port: server.port})
    await link.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(20):
            yield server, link, reader, writer
    finally:
        writer.close()
        await link.stop()
        listening.close()


async def is_silent(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(0.1):
            await reader.read(100)
    except TimeoutError:
        return True
    return False


async def test_passes_on_both_ways() -> None:
    async with linked() as (server, _link, reader, writer):
        writer.write(b"hello")
        assert await reader.read(100) == b"HELLO"
        assert await server.received.get() == b"hello"


async def test_one_way_down_keeps_only_the_answer_back() -> None:
    async with linked() as (server, link, reader, writer):
        link.hold(upwards=False, downwards=True)
        writer.write(b"hello")
        assert await server.received.get() == b"hello"
        assert await is_silent(reader)
        link.release()
        assert await reader.read(100) == b"HELLO"


async def test_one_way_up_keeps_the_request_back() -> None:
    async with linked() as (server, link, reader, writer):
        link.hold(upwards=True, downwards=False)
        writer.write(b"hello")
        assert await is_silent(reader)
        assert server.received.empty()
        link.release()
        assert await reader.read(100) == b"HELLO"


async def test_what_was_under_way_arrives_late_though_the_client_has_gone() -> None:
    async with linked() as (server, link, _reader, writer):
        writer.write(b"one")
        assert await server.received.get() == b"one"
        link.hold(upwards=True, downwards=True)
        writer.write(b"two")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        link.release()
        assert await server.received.get() == b"two"


async def test_a_reset_ends_every_connection() -> None:
    async with linked() as (_server, link, reader, writer):
        writer.write(b"hello")
        assert await reader.read(100) == b"HELLO"
        assert link.reset() == 1
        with pytest.raises(ConnectionResetError):
            await reader.read(100)


async def test_a_server_that_is_away_refuses() -> None:
    link = Link("test", {(port := free_port([])): free_port([port])})
    await link.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(20):
        with pytest.raises(ConnectionResetError):
            assert await reader.read(100)
    writer.close()
    await link.stop()


async def test_strikes_at_a_commit() -> None:
    seen: list[bytes] = []

    async def strike(connection: Connection, chunk: bytes) -> bool:
        seen.append(chunk)
        connection.reset()
        return True

    async with linked() as (server, link, reader, writer):
        link.on_commit = strike
        writer.write(b"BEGIN")
        assert await reader.read(100) == b"BEGIN"
        writer.write(COMMIT_MESSAGE)
        with pytest.raises(ConnectionResetError):
            await reader.read(100)
        assert seen == [COMMIT_MESSAGE]
        assert await server.received.get() == b"BEGIN"
        assert server.received.empty()
