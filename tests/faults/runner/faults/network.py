"""Connections that are cut, stand still, or carry one way only."""

import asyncio
from random import Random

from tests.faults.runner.scene import Scene
from tests.faults.runner.schedule import Draw


async def reset(scene: Scene, draw: Draw) -> bool:
    """Every connection ends with RST."""
    return scene.links[draw.card.target].reset() > 0


async def stall(scene: Scene, draw: Draw) -> bool:
    """Nothing passes for a while."""
    return await _hold(scene, draw, upwards=True, downwards=True)


async def one_way_up(scene: Scene, draw: Draw) -> bool:
    """What the servers say arrives; what is said to them does not."""
    return await _hold(scene, draw, upwards=True, downwards=False)


async def one_way_down(scene: Scene, draw: Draw) -> bool:
    """What is said to the servers arrives; what they answer does not."""
    return await _hold(scene, draw, upwards=False, downwards=True)


async def _hold(scene: Scene, draw: Draw, *, upwards: bool, downwards: bool) -> bool:
    link = scene.links[draw.card.target]
    link.hold(upwards=upwards, downwards=downwards)
    try:
        await asyncio.sleep(draw.hold_s)
        # Half of them heal, and everything under way arrives late; the others end with RST.
        if Random(draw.seed).random() < 0.5:
            link.reset()
    finally:
        link.release()
    return True
