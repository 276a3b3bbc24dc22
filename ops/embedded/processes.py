"""Child processes that end with us, and left-over ones of a supervisor that was killed."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
_START_TOLERANCE_S = 0.05  # psutil computes the start from clock ticks


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group ids a process runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: arguments, the whole environment, folder, file for its output, and how it is ended."""

    name: str
    arguments: list[str]
    log: Path
    folder: Path
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout_s: float = 20.0
    orphan_signal: signal.Signals = signal.SIGKILL
    """Sent by the system when we are killed. SIGKILL always works, and every part is made to survive it."""


def spawn(program: Program) -> subprocess.Popen[bytes]:
    """Start it in a process group of its own: Ctrl-C in the terminal must reach us alone. Raises OSError.

    Call it from the main thread: on Linux the child is tied to the life of the thread that made it.
    """
    account = program.account
    with program.log.open("ab") as log:
        return subprocess.Popen(
            program.arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=program.folder,
            env=program.environment,
            process_group=0,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=dies_with_parent(program.orphan_signal),  # noqa: PLW1509 (it only calls prctl)
        )


def dies_with_parent(orphan_signal: signal.Signals) -> Callable[[], None] | None:
    """For ``preexec_fn``: has Linux signal the child when its parent is gone. Elsewhere the next start cleans up."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(_PR_SET_PDEATHSIG, int(orphan_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)

    return tie


def started_at(pid: int) -> float | None:
    """When this process started, in seconds since 1970; None when there is none. With the pid it names a process for
    ever: pids are used again."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None


def is_same_process(pid: int, started_s: float) -> bool:
    """Whether the process that had this pid when it was recorded is still alive."""
    now = started_at(pid)
    return now is not None and abs(now - started_s) < _START_TOLERANCE_S


def kill_tree(pid: int, started_s: float, timeout_s: float = 10.0) -> bool:
    """SIGKILL the recorded process and its children, if it is still that process, and wait. True if it was there."""
    if not is_same_process(pid, started_s):
        return False
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return False
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=timeout_s)
    return True
