"""A PostgreSQL of its own that is backed up and restored as docs/runbook.md says."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ops.embedded import postgres
from ops.embedded.database import connect_superuser, ensure_database, wait_until_accepting
from ops.embedded.ports import free_port
from ops.embedded.processes import Program, spawn
from schemas.settings import Settings

PASSWORD = "of-the-superuser"
READY_S_MAX = 60.0


class RestorableDatabase:
    """The server, its base backup, and the WAL that it has archived."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._backup = folder / "backup"
        self._archive = folder / "archive"
        self._server = postgres.Server(
            folder / "data", folder / "postgres.log", free_port(()), superuser_password=PASSWORD, small=True
        )
        self.settings = settings.model_copy(update={"postgres_port": self._server.port})
        self._program: Program
        self._process: subprocess.Popen[bytes]

    async def start(self) -> None:
        """Start it, and wait until it can be written to."""
        self._program = await asyncio.to_thread(postgres.prepare, self._server)
        self._archive.mkdir(exist_ok=True)
        self._write(
            "local.conf",
            "archive_mode = on\n"
            f"archive_command = 'test ! -f {self._archive}/%f && cp %p {self._archive}/%f'\n"
            f"restore_command = 'cp {self._archive}/%f %p'\n",
        )
        self._own(self._archive)
        self._process = spawn(self._program)
        async with asyncio.timeout(READY_S_MAX):
            await wait_until_accepting(self._server.port, PASSWORD)
            while await self._ask("select pg_is_in_recovery()"):  # noqa: ASYNC110 (another process)
                await asyncio.sleep(0.05)
        await ensure_database(self.settings, PASSWORD)

    async def back_up(self) -> None:
        """Take a base backup, while it works."""
        command = [
            *(
                str(postgres.program_folder() / "pg_basebackup"),
                "--host",
                "127.0.0.1",
                "--port",
                str(self._server.port),
            ),
            *("--username", postgres.SUPERUSER, "--pgdata", str(self._backup), "--checkpoint", "fast"),
        ]
        done = await asyncio.create_subprocess_exec(*command, env={**os.environ, "PGPASSWORD": PASSWORD})
        assert await done.wait() == 0

    async def archive(self) -> None:
        """Wait until all WAL so far is archived."""
        last = await self._ask("select pg_walfile_name(pg_switch_wal())")
        async with asyncio.timeout(READY_S_MAX):
            while await self._ask("select last_archived_wal from pg_stat_archiver") != last:  # noqa: ASYNC110 (likewise)
                await asyncio.sleep(0.05)

    def destroy(self) -> None:
        """End it without a last word, and delete its data."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(READY_S_MAX)
        shutil.rmtree(self._server.data)

    async def restore(self) -> None:
        """Put the backup in place and start it: it goes on to the end of the archive."""
        shutil.copytree(self._backup, self._server.data)
        self._write("recovery.signal", "")
        self._own(self._server.data)
        self._server.data.chmod(0o700)
        await self.start()

    def stop(self) -> None:
        """End it."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(READY_S_MAX)

    def _write(self, name: str, text: str) -> None:
        path = self._server.data / name
        path.write_text(text)
        self._own(path)

    def _own(self, path: Path) -> None:
        account = self._program.account
        if account is not None:
            for each in (path, *path.rglob("*")):
                os.chown(each, account.uid, account.gid)

    async def _ask(self, query: str) -> str:
        connection = await connect_superuser(self._server.port, PASSWORD)
        try:
            found: str = await connection.fetchval(query)
        finally:
            await connection.close()
        return found


@asynccontextmanager
async def restorable_database(settings: Settings) -> AsyncIterator[RestorableDatabase]:
    """One that runs, with the pipeline's account and an empty database as these settings name them."""
    folder = Path(tempfile.mkdtemp(prefix="hfts-restore-"))  # not tmp_path: PostgreSQL must be able to pass through
    database = RestorableDatabase(folder, settings)
    try:
        await database.start()
        yield database
    finally:
        database.stop()
        shutil.rmtree(folder)
