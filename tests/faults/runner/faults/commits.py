"""Faults in the middle of a COMMIT: the proxy sees the message go by and strikes."""

import asyncio
import contextlib
import os
import signal
from random import Random

import psutil

from tests.faults.runner.proxy import Connection, OnCommit
from tests.faults.runner.scene import Scene
from tests.faults.runner.schedule import Draw

PATIENCE_S = 10.0
"""How long to wait for a COMMIT: without load there is none."""

KILL_DELAY_S_MAX = 0.003
"""About as long as a COMMIT takes; the moment is drawn."""


async def lose_commit(scene: Scene, draw: Draw) -> bool:
    """The COMMIT never arrives, and the connection ends."""

    async def strike(connection: Connection, _chunk: bytes) -> bool:
        connection.reset()
        return True

    return await _at_commit(scene, draw, strike)


async def lose_answer(scene: Scene, draw: Draw) -> bool:
    """The COMMIT arrives, its answer does not: nobody knows whether it happened."""

    async def strike(connection: Connection, chunk: bytes) -> bool:
        connection.server.write(chunk)
        connection.reset_client()
        return True

    return await _at_commit(scene, draw, strike)


async def kill_backend(scene: Scene, draw: Draw) -> bool:
    """SIGKILL the backend that is committing: PostgreSQL ends all the others and recovers."""

    async def strike(connection: Connection, chunk: bytes) -> bool:
        pid = _backend(scene, connection.own_port)
        connection.server.write(chunk)
        await asyncio.sleep(Random(draw.seed).uniform(0, KILL_DELAY_S_MAX))
        _kill(pid)
        return True

    return await _at_commit(scene, draw, strike)


async def kill_server(scene: Scene, draw: Draw) -> bool:
    """SIGKILL the postmaster and everything under it at that moment."""

    async def strike(connection: Connection, chunk: bytes) -> bool:
        pid = scene.pid("postgres")
        connection.server.write(chunk)
        await asyncio.sleep(Random(draw.seed).uniform(0, KILL_DELAY_S_MAX))
        children = psutil.Process(pid).children(recursive=True) if pid else []
        for one in (pid, *(child.pid for child in children)):
            _kill(one)
        return True

    return await _at_commit(scene, draw, strike)


async def _at_commit(scene: Scene, draw: Draw, strike: OnCommit) -> bool:
    """Strike once, at the first COMMIT after a while; whether there was one."""
    await asyncio.sleep(draw.hold_s)
    link = scene.links[draw.card.target]
    struck = asyncio.Event()

    async def once(connection: Connection, chunk: bytes) -> bool:
        link.on_commit = None
        struck.set()
        return await strike(connection, chunk)

    link.on_commit = once
    try:
        async with asyncio.timeout(PATIENCE_S):
            await struck.wait()
    except TimeoutError:
        return False
    finally:
        link.on_commit = None
    return True


def _backend(scene: Scene, client_port: int) -> int | None:
    """The backend that serves the client at this port: its title says so."""
    pid = scene.pid("postgres")
    if pid is None:
        return None
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if f"({client_port})" in " ".join(child.cmdline()):
                    return child.pid
    return None


def _kill(pid: int | None) -> None:
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
