"""SIGKILL, SIGTERM, SIGQUIT, and SIGSTOP for so long that others have taken over when SIGCONT comes."""

import asyncio
import contextlib
import os
import signal

import psutil

from tests.faults.runner.scene import Scene
from tests.faults.runner.schedule import Draw


async def kill(scene: Scene, draw: Draw) -> bool:
    """SIGKILL, of PostgreSQL's postmaster too: its children notice and end."""
    return send(scene, draw.card.target, signal.SIGKILL)


async def terminate(scene: Scene, draw: Draw) -> bool:
    """An orderly end. PostgreSQL would wait for its clients at SIGTERM; SIGINT is the same without waiting."""
    name = draw.card.target
    return send(scene, name, signal.SIGINT if name == "postgres" else signal.SIGTERM)


async def immediate(scene: Scene, draw: Draw) -> bool:
    """SIGQUIT: PostgreSQL's immediate shutdown, without a checkpoint."""
    return send(scene, draw.card.target, signal.SIGQUIT)


async def kill_all(scene: Scene, draw: Draw) -> bool:
    """Every worker, or every broker, in the same moment."""
    names = scene.there.workers if draw.card.target == "workers" else scene.there.brokers
    return sum(send(scene, name, signal.SIGKILL) for name in names) > 0


async def zombie(scene: Scene, draw: Draw) -> bool:
    """Stop it, PostgreSQL with its children, and let it go on when it has long been given up."""
    pid = scene.pid(draw.card.target)
    if pid is None:
        return False
    stopped = _family(pid, with_children=draw.card.target == "postgres")
    for process in stopped:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.suspend()
    try:
        await asyncio.sleep(draw.hold_s)
    finally:
        for process in stopped:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()
    return bool(stopped)


def send(scene: Scene, name: str, number: signal.Signals) -> bool:
    """Send a signal; whether there was a process to take it."""
    if name in scene.processes:
        return scene.processes[name].signal(number) is not None
    pid = scene.pid(name)
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def _family(pid: int, *, with_children: bool) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *(process.children(recursive=True) if with_children else [])]
    except psutil.NoSuchProcess:
        return []
