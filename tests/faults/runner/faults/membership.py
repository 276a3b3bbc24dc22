"""Workers that come and go."""

import asyncio
import itertools
from pathlib import Path

from tests.faults.runner.process import OwnProcess
from tests.faults.runner.scene import Scene
from tests.faults.runner.schedule import Draw

JOIN_EVERY_S = 1.0
STAY_S = 4.0
"""Longer than a worker takes to start, so that it joins before it leaves."""

BACK_TIMEOUT_S = 30.0
ASSIGNED = b"partitions.assigned"


async def rebalances(scene: Scene, draw: Draw) -> bool:
    """Every second another worker joins, and leaves some seconds later."""
    clock = asyncio.get_running_loop()
    end_s = clock.time() + draw.hold_s
    async with asyncio.TaskGroup() as visits:
        for number in itertools.count(1):
            visits.create_task(_visit(scene, f"guest-{number}"))
            if clock.time() + JOIN_EVERY_S > end_s:
                break
            await asyncio.sleep(JOIN_EVERY_S)
    return True


async def rolling_restart(scene: Scene, _draw: Draw) -> bool:
    """Each worker in turn: SIGTERM, and the next one once it has come back and has its partitions."""
    for name in scene.there.workers:
        process, log = scene.processes[name], scene.log(name)
        begin = log.stat().st_size
        await process.restart()
        await process.reaches(lambda log=log, begin=begin: ASSIGNED in log_since(log, begin), BACK_TIMEOUT_S)  # type: ignore[misc]  # bound now
    return True


async def _visit(scene: Scene, name: str) -> None:
    guest = OwnProcess(scene.program(name, scene.plain_environment()))
    guest.start()
    try:
        await asyncio.sleep(STAY_S)
    finally:
        await guest.stop()


def log_since(log: Path, begin: int) -> bytes:
    """What a process has said since its log had this size."""
    with log.open("rb") as file:
        file.seek(begin)
        return file.read()
