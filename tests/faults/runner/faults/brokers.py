"""One broker dies, and another as soon as the first is back and has caught up."""

import asyncio
import signal
from random import Random

from tests.faults.runner.cluster import is_whole
from tests.faults.runner.faults.signals import send
from tests.faults.runner.scene import Scene
from tests.faults.runner.schedule import Draw

BROKERS_MAX = 2
WHOLE_TIMEOUT_S = 120.0
POLL_S = 0.5
NOTICED_S = 6.0
"""After which the controller has noticed that a broker is gone: its session is 5 s."""


async def kill_in_turn(scene: Scene, draw: Draw) -> bool:
    """SIGKILL two of them, the second when every replica is in sync again. Whether it came to that."""
    brokers = scene.there.brokers
    for name in Random(draw.seed).sample(brokers, min(BROKERS_MAX, len(brokers))):
        if not send(scene, name, signal.SIGKILL):
            return False
        await asyncio.sleep(NOTICED_S)
        if not await _whole(scene):
            return False
    return True


async def _whole(scene: Scene) -> bool:
    try:
        async with asyncio.timeout(WHOLE_TIMEOUT_S):
            while not await is_whole(scene.settings):  # noqa: ASYNC110 (the brokers bring it about)
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        return False
    return True
