"""A TCP proxy between one client and its servers that can hold, cut and lose what passes."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

CHUNK_BYTES = 64 * 1024
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with no time to linger: closing sends RST

COMMIT_MESSAGE = b"Q\x00\x00\x00\x0cCOMMIT;\x00"
"""A simple query of PostgreSQL's protocol, as asyncpg ends a transaction (manual, Message Formats)."""


@dataclass(eq=False, slots=True)
class Connection:
    """A client's connection and ours to the server behind it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter

    @property
    def own_port(self) -> int:
        """The port that the server sees."""
        return int(self.server.get_extra_info("sockname")[1])

    def reset(self) -> None:
        """End both sides with RST."""
        _reset(self.client)
        _reset(self.server)

    def reset_client(self) -> None:
        """End the client's side with RST; what has been sent to the server stays sent."""
        _reset(self.client)


OnCommit = Callable[[Connection, bytes], Awaitable[bool]]
"""Given a chunk that holds a COMMIT; whether it has dealt with the chunk itself."""


class Link:
    """Everything between one client and one kind of server: listens on a port for each server.

    ``hold`` stops one direction or both: what is under way arrives after ``release``, even if the client has given up
    its connection meanwhile, as a network may deliver late.
    """

    def __init__(self, name: str, routes: dict[int, int]) -> None:
        """``routes``: the port to listen on, and that of the server, of each server."""
        self.name = name
        self.on_commit: OnCommit | None = None
        self._routes = routes
        self._servers: list[asyncio.Server] = []
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._upwards = asyncio.Event()
        self._downwards = asyncio.Event()
        self.release()

    async def start(self) -> None:
        """Listen. Raises OSError when a port is taken."""
        for port, target in self._routes.items():
            self._servers.append(await asyncio.start_server(self._accepter(target), "127.0.0.1", port))

    async def stop(self) -> None:
        """Listen no more and cut everything."""
        for server in self._servers:
            server.close()
        self.reset()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hold(self, *, upwards: bool, downwards: bool) -> None:
        """Let nothing pass towards the servers, towards the client, or both."""
        if upwards:
            self._upwards.clear()
        if downwards:
            self._downwards.clear()

    def release(self) -> None:
        """Let everything pass."""
        self._upwards.set()
        self._downwards.set()

    def reset(self) -> int:
        """Reset every connection; how many there were."""
        cut = list(self._connections)
        for connection in cut:
            connection.reset()
        return len(cut)

    def _accepter(self, target: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            try:
                await self._serve(target, reader, writer)
            except asyncio.CancelledError:  # the runner ends; asyncio's server would complain of a cancelled handler
                pass
            finally:
                self._tasks.discard(task)

        return accept

    async def _serve(self, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", target)
        except OSError:
            _reset(writer)
            return
        connection = Connection(writer, server_writer)
        self._connections.add(connection)
        try:
            await asyncio.gather(
                self._pump_up(reader, connection),
                _pump(server_reader, writer, self._downwards),
            )
        finally:
            self._connections.discard(connection)
            for side in (writer, server_writer):
                side.close()

    async def _pump_up(self, reader: asyncio.StreamReader, connection: Connection) -> None:
        async def intercept(chunk: bytes) -> bool:
            hook = self.on_commit
            return hook is not None and COMMIT_MESSAGE in chunk and await hook(connection, chunk)

        await _pump(reader, connection.server, self._upwards, intercept)


async def _never(_chunk: bytes) -> bool:
    return False


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    gate: asyncio.Event,
    intercept: Callable[[bytes], Awaitable[bool]] = _never,
) -> None:
    with contextlib.suppress(OSError, RuntimeError):  # uvloop's for a transport that is closed
        while chunk := await reader.read(CHUNK_BYTES):
            await gate.wait()
            if not await intercept(chunk):
                writer.write(chunk)
                await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()
