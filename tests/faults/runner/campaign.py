"""Makes faults: those of a schedule at their times, or kills until there were enough."""

import asyncio
import time
from collections.abc import Callable, Sequence
from random import Random

from tests.faults.runner.deck import Card
from tests.faults.runner.faults import FAULTS
from tests.faults.runner.faults.signals import kill
from tests.faults.runner.scene import Scene
from tests.faults.runner.schedule import Draw, Planned
from tests.faults.runner.stalls import Made

Tell = Callable[[str], None]

PROGRESS_TIMEOUT_S = 30.0
KILL_DELAY_S_MAX = 1.5
TOGETHER_MAX = 3


async def keep_schedule(scene: Scene, schedule: Sequence[Planned], tell: Tell) -> list[Made]:
    """Begin each fault at its time, late ones of the same target one after another; return when all are over."""
    start_s = time.monotonic()
    targets = {draw.card.target: asyncio.Lock() for planned in schedule for draw in planned.draws}
    made: list[Made] = []

    async def make(draw: Draw) -> None:
        async with targets[draw.card.target]:
            began_s = time.monotonic()
            tell(describe(draw))
            struck = await FAULTS[draw.card.kind](scene, draw)
            made.append(Made(began_s, label(draw.card), struck))
            if not struck:
                tell(f"{describe(draw)}: it did not come to that")

    async with asyncio.TaskGroup() as group:
        for planned in schedule:
            await asyncio.sleep(max(0.0, start_s + planned.at_s - time.monotonic()))
            for draw in planned.draws:
                group.create_task(make(draw))
    return made


async def kill_workers(scene: Scene, kills: int, seed: int, outcomes: Callable[[], int], tell: Tell) -> list[Made]:
    """SIGKILL workers at random moments of their work until it has been done so often.

    Up to three of them shortly after one another; then the pipeline is let come to work again, so that each round hits
    it at work.
    """
    random = Random(seed)
    made: list[Made] = []
    while len(made) < kills:
        await _wait_for_progress(outcomes)
        for name in random.sample(scene.there.workers, random.randint(1, min(TOGETHER_MAX, len(scene.there.workers)))):
            await asyncio.sleep(random.uniform(0, KILL_DELAY_S_MAX))
            began_s = time.monotonic()
            if await kill(scene, Draw(Card("kill", name), 0.0, 0)):
                made.append(Made(began_s, "kill worker"))
        tell(f"{len(made)} of {kills} kills")
    return made


async def _wait_for_progress(outcomes: Callable[[], int]) -> None:
    """Return when another outcome has come, or after half a minute."""
    before, end_s = outcomes(), time.monotonic() + PROGRESS_TIMEOUT_S
    while outcomes() == before and time.monotonic() < end_s:  # noqa: ASYNC110 (other processes bring it about)
        await asyncio.sleep(0.02)


def label(card: Card) -> str:
    """The kind of fault and of its target, under which it is counted."""
    return f"{card.kind} {card.role}"


def describe(draw: Draw) -> str:
    """One line for a person."""
    lasting = f" for {draw.hold_s:.1f} s" if draw.hold_s else ""
    detail = f" ({draw.card.detail})" if draw.card.detail else ""
    return f"{draw.card.kind} {draw.card.target}{detail}{lasting}"
