"""Processes that end themselves, or stop, at a named point in their code."""

import asyncio
import contextlib
import os
import signal
from random import Random

import psutil

from schemas.crash_points import CrashPoint
from tests.faults.runner.deck import ONCE_POINTS
from tests.faults.runner.process import OwnProcess
from tests.faults.runner.scene import Scene
from tests.faults.runner.schedule import Draw

PATIENCE_S = 40.0
"""How long a process may take to start and come to its point."""

PASSES_MAX = 6
POLL_S = 0.05


async def end_at_point(scene: Scene, draw: Draw) -> bool:
    """Start it again with a point to end at; whether it came there."""
    process = scene.processes[draw.card.target]
    ended = process.lifetimes
    process.lives.append({"CRASH_POINT": point_text(draw.card.detail, Random(draw.seed))})
    await process.restart()
    reached = await process.reaches(lambda: any(one.killed_itself for one in process.exits[ended:]), PATIENCE_S)
    await _disarm(process)
    return reached


async def stop_at_point(scene: Scene, draw: Draw) -> bool:
    """Start it again with a point to stop at; let it go on once its partitions are another's."""
    process = scene.processes[draw.card.target]
    process.lives.append({"CRASH_POINT": f"{point_text(draw.card.detail, Random(draw.seed))}:stop"})
    await process.restart()
    pid = process.pid
    if pid is None:
        return False
    reached = await process.reaches(lambda: _is_stopped(pid), PATIENCE_S)
    if reached:
        await asyncio.sleep(draw.hold_s)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    elif process.pid == pid:
        await process.restart()
    return reached


def point_text(point: str, random: Random) -> str:
    """For ``CRASH_POINT``: the point, and the how manieth time."""
    return f"{point}:{1 if CrashPoint(point) in ONCE_POINTS else random.randint(1, PASSES_MAX)}"


async def _disarm(process: OwnProcess) -> None:
    """Let no later life have a point any more."""
    armed = any("CRASH_POINT" in life for life in process.lives)
    process.lives.clear()
    if armed or process.is_armed:
        await process.restart()


def _is_stopped(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return False
