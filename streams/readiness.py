"""What a worker still waits for before it can do its work."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

from schemas.settings import Settings
from sinks.errors import SinkError
from streams.servers import cluster_fault, database_fault

CHECK_TIMEOUT_S = 2.0

ASKED_AGAIN_AFTER_S = 1.0
"""Whoever asks more often hears what was found last."""


class Agent(Protocol):
    """What is asked of an agent's Faust app."""

    assigned: Sequence[int] | None

    @property
    def should_stop(self) -> bool:
        """Whether it has been told to stop."""


class Missing(NamedTuple):
    """A part that is not ready, and what is wrong with it."""

    part: str
    fault: str


Check = Callable[[Settings], Awaitable[str | None]]


class Readiness:
    """Of one worker process. Its agents are added when the servers that they need are there."""

    def __init__(
        self,
        settings: Settings,
        agents: Sequence[str],
        *,
        database: Check = database_fault,
        broker: Check = cluster_fault,
    ) -> None:
        self._settings = settings
        self._checks = {"database": database, "broker": broker}
        self.agents: dict[str, Agent | None] = dict.fromkeys(agents)
        self._asking = asyncio.Lock()
        self._asked_s = -ASKED_AGAIN_AFTER_S
        self._of_servers: list[Missing] = []

    async def missing(self) -> list[Missing]:
        """The parts that are not ready. Empty when records flow, or would if there were any for us."""
        async with self._asking:
            if time.monotonic() - self._asked_s >= ASKED_AGAIN_AFTER_S:
                self._of_servers = await self._ask_servers()
                self._asked_s = time.monotonic()
        return [*self._of_servers, *self._of_agents()]

    async def _ask_servers(self) -> list[Missing]:
        found = await asyncio.gather(*(self._ask(part, check) for part, check in self._checks.items()))
        return [missing for missing in found if missing is not None]

    async def _ask(self, part: str, check: Check) -> Missing | None:
        try:
            fault = await asyncio.wait_for(check(self._settings), CHECK_TIMEOUT_S)
        except TimeoutError:
            fault = f"no answer within {CHECK_TIMEOUT_S:g} s"
        except SinkError as error:  # a file that the settings name
            fault = str(error)
        return None if fault is None else Missing(part, fault)

    def _of_agents(self) -> list[Missing]:
        return [Missing(name, fault) for name, app in self.agents.items() if (fault := _agent_fault(app)) is not None]


def _agent_fault(agent: Agent | None) -> str | None:
    if agent is None:
        return "has not started: it waits for the servers"
    if agent.should_stop:
        return "is stopping"
    if agent.assigned is None:
        return "has not been given its partitions yet"
    return None
