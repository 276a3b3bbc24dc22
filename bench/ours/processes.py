"""`hfts` processes beside the bench: started, held still while their work is laid out, ended."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from aiokafka.errors import KafkaError
from pydantic import SecretStr

from bench.contest import Place
from ops.embedded.files import log_tail
from ops.embedded.processes import Program, spawn
from ops.lag.reader import admin_client, group_name
from schemas.settings import Settings

READY_S_MAX = 60.0
STOP_S_MAX = 30.0
POLL_INTERVAL_S = 0.1
POLLS_ALIKE = 5
"""So often in a row a group must look settled: a member that has just come may still move it."""

WORKER = "worker"
"""What the names of those that apply transfers begin with."""

TRANSFERS = "transfers"
DOWNSTREAM = "notifications,audit,deliveries"


class Running:
    """A process of ours, under a name for its log."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._process = spawn(program)

    @property
    def name(self) -> str:
        """As in ``hfts ps``."""
        return self._program.name

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def check(self) -> None:
        """Raises RuntimeError, with the end of its log, when it has ended by itself."""
        status = self._process.poll()
        if status is not None:
            name, log = self._program.name, self._program.log
            raise RuntimeError(f"{name} ended with status {status}: {log_tail(log)}")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self._process.poll() is None:
            self._process.send_signal(number)

    async def end(self) -> None:
        """Ask it to end; kill it when it does not within half a minute."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S_MAX):
                while self._process.poll() is None:  # noqa: ASYNC110 (a child's end is no event of the loop)
                    await asyncio.sleep(POLL_INTERVAL_S)
        except TimeoutError:
            self._process.kill()
            self._process.wait(STOP_S_MAX)


def start(place: Place, name: str, *command: str) -> Running:
    """Start ``hfts`` with these arguments on this place. Raises OSError."""
    logs = place.logs or Path(gettempdir())
    return Running(
        Program(
            name=name,
            arguments=[sys.executable, "-P", "-m", "ops", *command],
            log=logs / f"{place.settings.topic_prefix}{name}.log",
            folder=logs,
            environment=environment_of(place.settings),
        )
    )


@asynccontextmanager
async def workers(place: Place, count: int, *, downstream: bool = False) -> AsyncIterator[list[Running]]:
    """So many processes of the transfers agent, and one of the agents that follow; ready when they share the
    partitions. The downstream one comes last."""
    started: list[Running] = []
    try:
        # They are ended beside each other: each takes a while.
        names = [f"{WORKER}-{number + 1}" for number in range(count)]
        started.extend(start(place, name, "worker", "--agents", TRANSFERS) for name in names)
        if downstream:
            started.append(start(place, "downstream", "worker", "--agents", DOWNSTREAM))
        await _wait_for_group(place.settings, TRANSFERS, count, started)
        if downstream:
            for agent in DOWNSTREAM.split(","):
                await _wait_for_group(place.settings, agent, 1, started)
        yield started
    finally:
        await asyncio.gather(*(one.end() for one in started))


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as a child's environment."""
    values = settings.model_dump(exclude_none=True)
    ours = {
        name.upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in values.items()
    }
    return {**os.environ, **ours, "PYTHONUNBUFFERED": "1", "PYTHONPATH": _path()}


def _path() -> str:
    return os.pathsep.join(entry for entry in sys.path if entry)


async def _wait_for_group(settings: Settings, agent: str, members: int, started: list[Running]) -> None:
    """Wait until so many members share the partitions. Raises RuntimeError when one dies, or after a minute."""
    alike = 0
    try:
        async with asyncio.timeout(READY_S_MAX), admin_client(settings) as admin:
            while alike < POLLS_ALIKE:
                for one in started:
                    one.check()
                alike = alike + 1 if await _is_settled(admin, group_name(settings, agent), members) else 0
                await asyncio.sleep(POLL_INTERVAL_S)
    except TimeoutError:
        raise RuntimeError(f"the {members} workers of {agent} did not get ready in {READY_S_MAX:.0f} s") from None


async def _is_settled(admin: Any, group: str, members: int) -> bool:
    try:
        answers = await admin.describe_consumer_groups([group])
    except KafkaError:  # the first group on a broker waits until the topic of the groups has been made
        return False
    _, _, state, _, _, found, *_ = answers[0].groups[0]
    return bool(state == "Stable" and len(found) == members)
