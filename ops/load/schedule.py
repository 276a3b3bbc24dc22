"""When to send: times fixed beforehand, so that a slow answer never delays the next request (an open loop)."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

TICK_S_MIN = 0.001
"""Event loops wake up no more precisely than this; what became due meanwhile is sent at once."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """``count`` sends, ``rate`` a second, from ``start_s`` on the clock."""

    rate: float
    count: int
    start_s: float

    def intended_s(self, index: int) -> float:
        """When send number ``index`` should happen."""
        return self.start_s + index / self.rate

    def due(self, now_s: float) -> int:
        """How many sends should have happened by now."""
        return max(0, min(self.count, int((now_s - self.start_s) * self.rate) + 1))


async def due_sends(
    schedule: Schedule, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[tuple[int, float]]:
    """Number and intended time of each send, none before its time."""
    sent = 0
    while sent < schedule.count:
        for index in range(sent, schedule.due(clock())):
            yield index, schedule.intended_s(index)
            sent = index + 1
        if sent < schedule.count:
            await asyncio.sleep(max(TICK_S_MIN, schedule.intended_s(sent) - clock()))
