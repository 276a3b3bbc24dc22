"""A worker's wall clock jumps, forwards or backwards, and later back."""

import asyncio
from random import Random

from tests.faults.runner.scene import Scene
from tests.faults.runner.schedule import Draw

JUMP_S_MAX = 2 * 3600.0


async def clock_jump(scene: Scene, draw: Draw) -> bool:
    """By up to two hours."""
    clock = scene.clocks[draw.card.target]
    clock.jump(Random(draw.seed).uniform(-JUMP_S_MAX, JUMP_S_MAX))
    try:
        await asyncio.sleep(draw.hold_s)
    finally:
        clock.jump(0.0)
    return True
