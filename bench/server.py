"""The one Kafka broker and the one PostgreSQL that every contender of a bench run uses, each in a place of its own."""

import asyncio
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError

from bench.contest import Place
from bench.wallets import make_wallets
from ops.embedded.database import connect_superuser
from ops.embedded.plan import StackOptions
from ops.embedded.stack import Stack
from ops.lag.reader import admin_client
from schemas.settings import Settings
from schemas.topics import ALL_TOPICS, PARTITIONS_DEFAULT
from sinks.kafka.topics import ensure_topics
from sinks.postgres.migrate import known_migrations, migrate_up
from sinks.postgres.pool import connect

STATEMENT_TIMEOUT_S = 600.0

# Not less durable than an operator would have it, for nobody: fsync and synchronous_commit stay on. Compiling costs
# more than any statement here takes, so it is off for all.
_FOR_ALL = {"jit": "off"}
_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")

_LEAVE = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = $2"


class BenchServer:
    """The servers of a bench run, in a temporary folder."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._templates: dict[int, str] = {}
        self._making = asyncio.Lock()

    @property
    def folder(self) -> Path:
        """Where everything lies; gone after the run."""
        return self._stack.layout.folder

    @property
    def settings(self) -> Settings:
        """How to reach the servers."""
        return self._stack.settings()

    def pid(self, part: str) -> int:
        """The process of ``postgres`` or ``kafka``."""
        found = [row.pid for row in self._stack.parts.rows() if row.name.startswith(part) and row.pid is not None]
        return found[0]

    @asynccontextmanager
    async def place(
        self, *, wallets: int = 0, workers: int = 1, partitions: int = PARTITIONS_DEFAULT
    ) -> AsyncIterator[Place]:
        """A migrated database with so many wallets (see ``bench.wallets``) and topics of its own, dropped afterwards.

        Everything is written to disk before it is handed over, so that no run pays for another's checkpoint.
        """
        template = await self._template(wallets)
        unique = uuid.uuid4().hex[:12]
        settings = self.settings.model_copy(
            update={
                "postgres_db": f"bench_{unique}",
                "topic_prefix": f"bench-{unique}.",
                "topic_partitions": partitions,
            }
        )
        await self._as_superuser(
            f'create database "{settings.postgres_db}" template "{template}" strategy file_copy '
            f'owner "{settings.postgres_user}"'
        )
        try:
            await ensure_topics(settings)
            await self._as_superuser("checkpoint")
            yield Place(
                settings, partitions, workers, postgres_pid=self.pid("postgres"), kafka_pid=self.pid("kafka"),
                logs=self.folder / "logs",
            )  # fmt: skip
        finally:
            await self._drop_topics(settings)
            await self._drop_database(settings.postgres_db)

    async def prepare(self) -> None:
        """Settings that hold for all; refuses a server that would not keep what it has committed."""
        for name, value in _FOR_ALL.items():
            await self._as_superuser(f"alter system set {name} = {value}")
        await self._as_superuser("select pg_reload_conf()")
        # For who brings much in before it measures.
        await self._as_superuser(f'grant pg_checkpoint to "{self.settings.postgres_user}"')
        for name in _DURABLE:
            found = await self._as_superuser(f"show {name}")
            if found != "on":
                raise RuntimeError(f"{name} is {found}: such a server measures nothing")

    async def _template(self, wallets: int) -> str:
        """The database to clone, made at the first wish for so many wallets."""
        async with self._making:
            if wallets not in self._templates:
                name = f"bench_template_{wallets}"
                settings = self.settings.model_copy(update={"postgres_db": name})
                await self._as_superuser(f'create database "{name}" owner "{settings.postgres_user}"')
                database = await connect(settings)
                try:
                    await migrate_up(database, known_migrations())
                    if wallets:
                        await make_wallets(database, wallets)
                finally:
                    await database.close()  # a database in use cannot be cloned
                self._templates[wallets] = name
            return self._templates[wallets]

    async def _drop_database(self, name: str) -> None:
        await self._as_superuser(_LEAVE, name, self.settings.postgres_user)
        await self._as_superuser(f'drop database "{name}" with (force)')

    async def _drop_topics(self, settings: Settings) -> None:
        with suppress(KafkaError):  # they go with the folder at the latest
            async with admin_client(settings) as admin:
                await admin.delete_topics([settings.topic_name(topic) for topic in ALL_TOPICS])

    async def _as_superuser(self, statement: str, *arguments: str) -> Any:
        settings, secrets = self.settings, self._stack.secrets
        database = await connect_superuser(settings.postgres_port, secrets.superuser_password)
        try:
            return await database.fetchval(statement, *arguments, timeout=STATEMENT_TIMEOUT_S)
        finally:
            await database.close()


@asynccontextmanager
async def bench_server(report: Callable[[str], None] = lambda _line: None) -> AsyncIterator[BenchServer]:
    """Started servers in the configuration that `hfts up` gives them. Raises StackError and RuntimeError."""
    # Not readable by others but passable: PostgreSQL, which does not run as root, must get through.
    folder = Path(tempfile.mkdtemp(prefix="hfts-bench-"))
    stack = Stack(folder, StackOptions(brokers=1), report)
    try:
        await stack.start()
        server = BenchServer(stack)
        await server.prepare()
        yield server
    finally:
        _end_at_once(stack)
        await stack.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _end_at_once(stack: Stack) -> None:
    """A broker takes half a minute to end in order when it has had many topics, for a folder that nobody needs."""
    for part in stack.parts.rows():
        if part.name.startswith("kafka") and part.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(part.pid, signal.SIGKILL)
