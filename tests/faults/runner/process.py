"""Our own worker, downstream and API processes: kept alive like by a supervisor, each life with its own environment."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ops.embedded.processes import Program, spawn

RESTART_DELAY_S = 0.2
STOP_TIMEOUT_S = 30.0
POLL_S = 0.02

NO_VARIABLES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Exit:
    """How a life ended: its further environment, its exit status (negative: the signal), whether we had killed it."""

    variables: Mapping[str, str]
    status: int
    by_us: bool

    @property
    def killed_itself(self) -> bool:
        """Whether it ended by a SIGKILL that we have not sent."""
        return self.status == -signal.SIGKILL and not self.by_us


class OwnProcess:
    """A program that is started again 0.2 s after each of its deaths."""

    def __init__(self, program: Program) -> None:
        self.name = program.name
        self.lives: deque[Mapping[str, str]] = deque()
        """What the next lives have in their environment, one after another; after that nothing."""
        self.exits: list[Exit] = []
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._variables = NO_VARIABLES
        self._killed = False
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process that runs now, if one does."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    @property
    def lifetimes(self) -> int:
        """How many lives have ended."""
        return len(self.exits)

    @property
    def is_armed(self) -> bool:
        """Whether this life is to end at a point it has not come to yet."""
        return self.pid is not None and bool(self._variables)

    def start(self) -> None:
        """Begin its first life."""
        self._launch()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    def signal(self, number: signal.Signals) -> int | None:
        """Send a signal; the pid it went to, or None where no process runs."""
        pid = self.pid
        if pid is None:
            return None
        if number in {signal.SIGKILL, signal.SIGTERM}:
            self._killed = True
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return pid

    async def reaches(self, holds: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until something holds of it; whether it did in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while not holds():  # noqa: ASYNC110 (another process brings it about)
                    await asyncio.sleep(POLL_S)
                return True
        return False

    async def running(self, timeout_s: float = STOP_TIMEOUT_S) -> bool:
        """Wait until a process runs."""
        return await self.reaches(lambda: self.pid is not None, timeout_s)

    async def restart(self) -> None:
        """SIGTERM, or SIGKILL if that takes more than half a minute; return when the next life has begun."""
        before = self.lifetimes
        self.signal(signal.SIGTERM)
        if not await self.reaches(lambda: self.lifetimes > before, STOP_TIMEOUT_S):
            self.signal(signal.SIGKILL)
        await self.reaches(lambda: self.lifetimes > before and self.pid is not None, STOP_TIMEOUT_S)

    async def stop(self) -> None:
        """End it for good."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        for number in (signal.SIGCONT, signal.SIGTERM):
            self.signal(number)
        if not await self.reaches(lambda: self.pid is None, STOP_TIMEOUT_S):
            self.signal(signal.SIGKILL)
            await self.reaches(lambda: self.pid is None, STOP_TIMEOUT_S)

    def _launch(self) -> None:
        self._variables = self.lives.popleft() if self.lives else NO_VARIABLES
        self._killed = False
        environment = {**self._program.environment, **self._variables}
        self._process = spawn(replace(self._program, environment=environment))

    async def _keep(self) -> None:
        while True:  # until it is stopped for good
            process = self._process
            if process is None or (status := process.poll()) is None:
                await asyncio.sleep(POLL_S)
                continue
            self.exits.append(Exit(self._variables, status, self._killed))
            if _is_due_again(self.exits[-1]):
                self.lives.appendleft(self._variables)
            await asyncio.sleep(RESTART_DELAY_S)
            self._launch()


def _is_due_again(ended: Exit) -> bool:
    """Whether it was to end itself somewhere, and something else ended it before."""
    point = ended.variables.get("CRASH_POINT", "")
    return bool(point) and not point.endswith(":stop") and not ended.killed_itself
