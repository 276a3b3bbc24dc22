"""Runs a whole stack: the servers, then the API and the workers, until it is told to stop."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg

from ops.admin import ensure_admin
from ops.embedded.environment import ADMIN_EMAIL, api_url, child_environment
from ops.embedded.errors import StackError
from ops.embedded.http_probe import answers_ok
from ops.embedded.layout import default_folder
from ops.embedded.plan import StackOptions
from ops.embedded.ports import HOST, free_port
from ops.embedded.processes import Program
from ops.embedded.reporting import Reporter
from ops.embedded.stack import Stack
from ops.errors import CommandError
from schemas.topics import EVERY_TOPIC
from sinks.errors import SinkError
from sinks.kafka.topics import ensure_topics
from sinks.postgres.migrate import known_migrations, migrate_up
from sinks.postgres.pool import connect

READY_TIMEOUT_S = 120.0
DOWNSTREAM = "downstream"
"""The worker process of the agents that follow the outcomes."""

_WORKERS_MAX = 64
# A part of ours that is slow to find its servers may fall over a few times while everything starts at once.
_DEATHS_WHILE_STARTING_MAX = 3


class Supervisor:
    """A stack with its API and workers."""

    def __init__(self, folder: Path, options: StackOptions, *, workers: int, api: bool, reporter: Reporter) -> None:
        if not 0 <= workers <= _WORKERS_MAX:
            raise StackError(f"--workers must be between 0 and {_WORKERS_MAX}, not {workers}")
        self._reporter = reporter
        self._stack = Stack(folder, options, reporter.line)
        self._workers = [f"worker-{number}" for number in range(1, workers + 1)]
        if workers:
            self._workers.append(DOWNSTREAM)
        self._api = ["api"] if api else []
        self._status_ports: dict[str, int] = {}

    async def run(self) -> None:
        """Start everything, wait for SIGINT or SIGTERM, stop everything. Raises StackError when the start fails."""
        async with _stop_requested() as stop:
            try:
                starting = asyncio.create_task(self._start())
                await _first_of(starting, stop)
                if not stop.is_set():
                    self._reporter.ready(self._addresses())
                    await stop.wait()
                self._reporter.line("stopping")
            except (CommandError, SinkError) as error:
                self._reporter.failed(str(error))
                raise
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                self._reporter.failed(str(error))
                raise StackError(f"the stack cannot go on: {error}") from error
            finally:
                await self._stop()
        self._reporter.line("stopped")

    async def _start(self) -> None:
        await self._stack.start(self._reporter.download)
        await self._prepare()
        settings, parts = self._stack.settings(), self._stack.parts
        environment = child_environment(os.environ, settings, self._stack.secrets)
        for name in self._api:
            parts.start(_program(self._stack, name, environment))
        for name in self._workers:
            port = free_port({settings.api_port, *self._status_ports.values()})
            self._status_ports[name] = port
            parts.start(_program(self._stack, name, {**environment, "WORKER_PORT": str(port)}))
        for name in self._api:
            await self._wait_for_api(name)
        for name in self._workers:
            parts.check_first_run(name, _DEATHS_WHILE_STARTING_MAX)
        self._stack.mark_ready()

    async def _prepare(self) -> None:
        """Migrations, topics and the admin account: each does nothing where it has been done."""
        settings = self._stack.settings()
        connection = await connect(settings)
        try:
            applied = await migrate_up(connection, known_migrations())
        finally:
            await connection.close()
        created = await ensure_topics(settings, EVERY_TOPIC)
        await ensure_admin(settings, ADMIN_EMAIL, self._stack.secrets.admin_password)
        if applied or created:
            self._reporter.line(f"{len(applied)} migrations applied, {len(created)} topics created")

    async def _wait_for_api(self, name: str) -> None:
        settings = self._stack.settings()
        try:
            async with asyncio.timeout(READY_TIMEOUT_S):
                while not await answers_ok(settings.api_host, settings.api_port, "/readyz"):
                    self._stack.parts.check_first_run(name, _DEATHS_WHILE_STARTING_MAX)
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise StackError(
                f"the API is not ready after {READY_TIMEOUT_S:.0f} s. See {self._stack.layout.logs}"
            ) from None
        self._reporter.line("API: ready")

    async def _stop(self) -> None:
        """Workers first, so that what they have taken is finished while everything they need is there."""
        await self._stack.parts.stop(self._workers)
        await self._stack.parts.stop(self._api)
        await self._stack.stop()

    def _addresses(self) -> list[tuple[str, str]]:
        settings, folder = self._stack.settings(), self._stack.layout.folder
        url = api_url(settings)
        database = f"{settings.postgres_host}:{settings.postgres_port}/{settings.postgres_db}"
        return [
            *([("API", url), ("API documentation", f"{url}/docs"), ("Dashboard", f"{url}/ops")] if self._api else []),
            *((name, f"http://{HOST}:{port}") for name, port in self._status_ports.items()),
            ("Kafka", settings.kafka_bootstrap_servers),
            ("PostgreSQL", f"{database} as {settings.postgres_user}"),
            ("Admin", ADMIN_EMAIL),
            ("Passwords", "hfts env" if folder == default_folder() else f"hfts env --data-dir {folder}"),
            ("Logs", str(self._stack.layout.logs)),
        ]


def _program(stack: Stack, name: str, environment: dict[str, str]) -> Program:
    return Program(
        name=name,
        # -P: the folder it runs in must not shadow modules.
        arguments=[sys.executable, "-P", "-m", "ops", *_command(name)],
        log=stack.layout.logs / f"{name}.log",
        folder=stack.layout.folder,
        environment=environment,
    )


def _command(name: str) -> list[str]:
    if name == "api":
        return ["api"]
    # Apart, so that a wave of transfers need not share a processor with what is told of them.
    return ["worker", "--agents", "notifications,audit,deliveries" if name == DOWNSTREAM else "transfers"]


@contextlib.asynccontextmanager
async def _stop_requested() -> AsyncIterator[asyncio.Event]:
    """An event set by SIGINT, SIGTERM and SIGHUP. Further signals change nothing: stopping is bounded."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


async def _first_of(starting: "asyncio.Task[None]", stop: asyncio.Event) -> None:
    """Wait for the start or the wish to stop; in the latter case end the start. Raises what the start raises."""
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if not starting.done():
            starting.cancel()
            await asyncio.wait({starting})
    if not stop.is_set():
        starting.result()
    elif not starting.cancelled():
        starting.exception()  # of no interest any more
