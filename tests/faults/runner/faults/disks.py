"""A server's disk runs full, and is given room again."""

import asyncio

from tests.faults.runner.scene import Scene
from tests.faults.runner.schedule import Draw


async def disk_full(scene: Scene, draw: Draw) -> bool:
    """Nothing more can be written where the server keeps its data."""
    disk = scene.disks[draw.card.target]
    if not disk.fill():
        return False
    try:
        await asyncio.sleep(draw.hold_s)
    finally:
        disk.free()
    return True
