"""The servers of a stack, PostgreSQL and Kafka, for the supervisor, the demo and the tests."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from ops.embedded import jars, kafka, postgres
from ops.embedded.database import ensure_database, wait_until_accepting
from ops.embedded.environment import stack_settings
from ops.embedded.errors import StackError
from ops.embedded.files import PRIVATE
from ops.embedded.layout import Layout, Secrets
from ops.embedded.parts import Parts, PartState
from ops.embedded.plan import Plan, StackOptions
from ops.embedded.state import clear_left_overs, write_state
from schemas.settings import Settings
from sinks.kafka.ready import wait_until_ready

DISK_FREE_BYTES_MIN = 512 * 1024 * 1024
START_TIMEOUT_S = 300.0
# After a crash a predecessor's last children may still hold a lock for a moment.
_DEATHS_WHILE_STARTING_MAX = 2
_LOG_BYTES_MAX = 20 * 1024 * 1024

Report = Callable[[str], None]


class Stack:
    """A folder's PostgreSQL and Kafka. ``start`` and ``stop`` each once; parts that die are started again.

    Use it from the main thread: the servers end with the thread that started them.
    """

    def __init__(self, folder: Path, options: StackOptions, report: Report = lambda _line: None) -> None:
        self.layout = Layout(folder.absolute())
        self.parts = Parts(self._write_state, report)
        self._options = options
        self._report = report
        self._lock: int | None = None
        self._ready = False
        self.plan: Plan
        self.secrets: Secrets

    async def start(self, jar_progress: jars.Progress = lambda _have, _all: None) -> None:
        """Take the folder, start both servers and wait until they answer; the database is there, but empty.

        Raises StackError with the cause; call ``stop`` then, too.
        """
        self._take_folder()
        self.plan = self.layout.settle_plan(self._options)
        self.secrets = self.layout.ensure_secrets()
        self._write_state([])
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._start_kafka(jar_progress))
                both.create_task(self._start_postgres())
        except ExceptionGroup as group:
            raise group.exceptions[0] from group

    async def stop(self) -> None:
        """Stop what runs and let go of the folder."""
        names = [row.name for row in self.parts.rows()]
        await self.parts.stop([name for name in names if name != "postgres"])
        await self.parts.stop(["postgres"])
        if self._lock is not None:
            self.layout.state.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def settings(self, listener: str | None = None) -> Settings:
        """How to reach the servers, the brokers through this listener or else their plain one, without a proxy.

        What the stack does not decide comes from the environment. Raises KeyError for an unknown listener.
        """
        return stack_settings(self.plan, self.secrets, listener)

    def _take_folder(self) -> None:
        folder = self.layout.folder
        if "," in str(folder):
            raise StackError(
                f"{folder} has a comma in it, which Kafka takes for the end of a path. Name another folder"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.layout.logs.mkdir(mode=0o700, exist_ok=True)
            lock = os.open(self.layout.lock, os.O_RDWR | os.O_CREAT, PRIVATE)
        except OSError as error:
            raise StackError(f"{folder} cannot be used: {error.strerror}. Name another one with --data-dir") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise StackError(f"a stack is running in {folder} already. See hfts ps; stop it with hfts down") from None
        self._lock = lock
        free = shutil.disk_usage(folder).free
        if free < DISK_FREE_BYTES_MIN:
            raise StackError(
                f"{folder} has {free // 2**20} MiB of disk space left; {DISK_FREE_BYTES_MIN // 2**20} MiB are needed. "
                "Make room, or name another folder with --data-dir"
            )
        for line in clear_left_overs(self.layout.state):
            self._report(line)
        for log in self.layout.logs.glob("*.log"):
            if log.stat().st_size > _LOG_BYTES_MAX:
                log.replace(log.with_suffix(".log.1"))

    async def _start_kafka(self, jar_progress: jars.Progress) -> None:
        self._report("Kafka: looking for its jars")
        paths = await _find_jars(jar_progress)
        cluster = kafka.Cluster(
            nodes=self.plan.nodes,
            cluster_id=self.plan.cluster_id,
            root=self.layout.folder,
            logs=self.layout.logs,
            jars=paths,
            heap_mib=256 if self._options.small else 512,
            properties=self._options.broker_properties,
            scram_passwords=self._options.scram_passwords,
        )
        self._report("Kafka: starting")
        preparing = [asyncio.to_thread(kafka.prepare, cluster, node) for node in cluster.nodes]
        for program in await asyncio.gather(*preparing):
            self.parts.start(program)
        async with self._first_run([node.name for node in cluster.nodes]):
            await wait_until_ready(self.settings(), brokers=len(cluster.nodes))
        self._report("Kafka: ready")

    async def _start_postgres(self) -> None:
        server = postgres.Server(
            data=self.layout.postgres,
            log=self.layout.logs / "postgres.log",
            port=self.plan.postgres_port,
            superuser_password=self.secrets.superuser_password,
            small=self._options.small,
        )
        self._report("PostgreSQL: starting")
        self.parts.start(await asyncio.to_thread(postgres.prepare, server))
        async with self._first_run(["postgres"]):
            await wait_until_accepting(self.plan.postgres_port, self.secrets.superuser_password)
        await ensure_database(self.settings(), self.secrets.superuser_password)
        self._report("PostgreSQL: ready")

    @contextlib.asynccontextmanager
    async def _first_run(self, names: list[str]) -> AsyncIterator[None]:
        """Bounds a wait for servers, and ends it at once when one of them dies."""
        waiting = asyncio.current_task()
        died: list[StackError] = []

        async def watch() -> None:
            while True:  # ends with the wait it guards
                for name in names:
                    try:
                        self.parts.check_first_run(name, _DEATHS_WHILE_STARTING_MAX)
                    except StackError as error:
                        died.append(error)
                        if waiting:
                            waiting.cancel()
                        return
                await asyncio.sleep(0.1)

        watcher = asyncio.create_task(watch())
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                yield
        except TimeoutError:
            raise StackError(f"{', '.join(names)} did not answer. See the logs in {self.layout.logs}") from None
        except asyncio.CancelledError:
            if not died:
                raise
            if waiting:
                waiting.uncancel()
            raise died[0] from None
        finally:
            watcher.cancel()

    def mark_ready(self) -> None:
        """Record that everything on top of the servers answers, too."""
        self._ready = True
        self._write_state(self.parts.rows())

    def _write_state(self, rows: list[PartState]) -> None:
        if self._lock is None:  # without it the file is another's
            return
        try:
            write_state(self.layout.state, rows, ready=self._ready)
        except OSError as error:  # a full disk must not keep a part from being started again
            self._report(f"{self.layout.state.name} cannot be written: {error.strerror}")


async def _find_jars(progress: jars.Progress) -> list[Path]:
    """The jars' paths. When cancelled, only the downloads in hand are finished."""
    cancelled = threading.Event()

    def progress_unless_cancelled(have_bytes: int, all_bytes: int) -> None:
        if cancelled.is_set():
            raise StackError("the download was interrupted")
        progress(have_bytes, all_bytes)

    try:
        return await asyncio.to_thread(
            jars.ensure_jars, jars.jar_folder(), jars.kafka_jars(), progress_unless_cancelled
        )
    except asyncio.CancelledError:
        cancelled.set()
        raise
