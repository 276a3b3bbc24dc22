"""The app behind a socket, and clients that write to it whatever they like."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.server import ServerState

from ingest_api.connection import BoundedConnection

ANSWER_TIMEOUT_S = 10.0

Answer = tuple[int, dict[str, str], Any]
"""Status, headers by their names in lower case, and the JSON of the body."""

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@asynccontextmanager
async def serving(app: FastAPI, **limits: float) -> AsyncIterator[Connect]:
    """The app behind connections with these limits."""
    connection: Any = type("Connection", (BoundedConnection,), limits)
    config = uvicorn.Config(app, loop="none", lifespan="off", log_config=None, access_log=False, http=connection)
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
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            while state.connections or state.tasks:  # noqa: ASYNC110 (uvicorn tells nobody)
                await asyncio.sleep(0.01)


async def answer_of(reader: asyncio.StreamReader) -> Answer:
    async with asyncio.timeout(ANSWER_TIMEOUT_S):
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
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            assert await reader.read() == b""
    return status, problem["code"]
