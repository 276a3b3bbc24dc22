"""The processes of a stack: started, kept alive, stopped."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from ops.embedded.backoff import Backoff
from ops.embedded.errors import StackError
from ops.embedded.files import log_tail
from ops.embedded.processes import Program, spawn, started_at

_POLL_S = 0.05
_KILL_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class PartState:
    """One row of ``hfts ps``. ``started_s`` tells this process from a later one with the same pid."""

    name: str
    pid: int | None
    started_s: float | None
    state: str
    restarts: int


class Part:
    """One program and the process that runs it now."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.started_s: float | None = None
        self.state = "starting"
        self.restarts = 0
        self.keeper: asyncio.Task[None] | None = None

    def row(self) -> PartState:
        """What to show of it."""
        pid = self.process.pid if self.process else None
        return PartState(self.program.name, pid, self.started_s, self.state, self.restarts)

    def launch(self) -> None:
        """Start the process. Raises OSError."""
        self.process = spawn(self.program)
        self.started_s = started_at(self.process.pid)
        self.state = "running"

    async def ended(self) -> int:
        """Wait for the process and return its exit status (negative: the signal that ended it)."""
        if self.process is None:
            return 0
        while (status := self.process.poll()) is None:  # noqa: ASYNC110 (a child's end is no event of the loop)
            await asyncio.sleep(_POLL_S)
        return status

    async def stop(self) -> None:
        """Ask the process to end, wait as long as its program allows, then kill it and its group."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(self.program.stop_signal)
        try:
            await asyncio.wait_for(self.ended(), self.program.stop_timeout_s)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()
            await asyncio.wait_for(self.ended(), _KILL_TIMEOUT_S)


class Parts:
    """All processes of a stack. ``changed`` is called after every change, ``log`` with a line about every death."""

    def __init__(self, changed: Callable[[list[PartState]], None], log: Callable[[str], None]) -> None:
        self._parts: dict[str, Part] = {}
        self._changed = changed
        self._log = log

    def rows(self) -> list[PartState]:
        """Every part in the order they were started."""
        return [part.row() for part in self._parts.values()]

    def start(self, program: Program) -> None:
        """Start a program and keep it running. Raises StackError when it cannot be executed at all."""
        part = Part(program)
        try:
            part.launch()
        except (OSError, subprocess.SubprocessError) as error:
            raise StackError(f"{program.name} cannot be started: {error}") from error
        self._parts[program.name] = part
        part.keeper = asyncio.create_task(self._keep(part), name=f"keep {program.name}")
        self._changed(self.rows())

    def is_running(self, name: str) -> bool:
        """Whether the part has a live process at this moment."""
        process = self._parts[name].process
        return process is not None and process.poll() is None

    def check_first_run(self, name: str, deaths_max: int) -> None:
        """While a stack starts: raises StackError, with the end of its log, when the part has died more often."""
        part = self._parts[name]
        if part.restarts + (part.state == "restarting") > deaths_max:
            log = part.program.log
            raise StackError(f"{name} ended while starting: {log_tail(log)}. See {log}")

    async def stop(self, names: list[str]) -> None:
        """Stop these parts beside each other, for good."""
        parts = [self._parts[name] for name in names if name in self._parts]
        for part in parts:
            part.state = "stopping"
            if part.keeper:
                part.keeper.cancel()
        self._changed(self.rows())
        await asyncio.gather(*(part.keeper for part in parts if part.keeper), return_exceptions=True)
        await asyncio.gather(*(part.stop() for part in parts))
        for part in parts:
            self._parts.pop(part.program.name)
        self._changed(self.rows())

    async def _keep(self, part: Part) -> None:
        backoff = Backoff()
        while True:  # bounded by the delays; ends when the part is stopped
            began = time.monotonic()
            status = await part.ended()
            delay_s = backoff.delay_s(time.monotonic() - began)
            part.state = "restarting"
            self._changed(self.rows())
            self._log(f"{part.program.name} {_how(status)}; it starts again in {delay_s:.1f} s")
            await asyncio.sleep(delay_s)
            try:
                part.launch()
            except (OSError, subprocess.SubprocessError) as error:
                self._log(f"{part.program.name} cannot be started: {error}")
                part.process = None
                continue
            part.restarts += 1
            self._changed(self.rows())
            self._log(f"{part.program.name} runs again as process {part.process.pid if part.process else '?'}")


def _how(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with exit status {status}"
