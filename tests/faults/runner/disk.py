"""Disks that can be full: a file system of memory for each folder where that is permitted, else a limit on files."""

import contextlib
import ctypes
import os
import resource
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import psutil

SIZE_MIB = 4096
"""What a file system may hold; memory is taken only for what is in it."""

BYTES_MAX = 4096
"""What a file may hold under the limit."""

_SHRINKS_MAX = 10
_SLACK_BYTES = 16 * 1024
"""What may be written while we look."""

_CLONE_NEWNS = 0x00020000  # linux/sched.h


class Disk(Protocol):
    """Where one server keeps its data."""

    def fill(self) -> bool:
        """From now on nothing more can be written. Whether that was permitted."""

    def free(self) -> None:
        """There is room again."""

    def close(self) -> None:
        """Nothing uses it any more."""


class MemoryDisk:
    """A tmpfs: made as small as what is in it, so that the next page does not fit (ENOSPC)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def mount(self) -> None:
        """Put it in the folder's place, with the folder's owner, permissions and content.

        Raises CalledProcessError where that is not permitted.
        """
        owner = self._folder.stat()
        aside = self._folder.with_name(self._folder.name + ".aside")
        self._folder.rename(aside)
        self._folder.mkdir()
        options = f"size={SIZE_MIB}m,mode={owner.st_mode & 0o777:o},uid={owner.st_uid},gid={owner.st_gid}"
        try:
            _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self._folder))
            _run("cp", "-a", f"{aside}/.", str(self._folder))
        except subprocess.CalledProcessError:
            self._folder.rmdir()
            aside.rename(self._folder)
            raise
        shutil.rmtree(aside)

    def fill(self) -> bool:
        """Shrink it. Raises CalledProcessError when it grows faster than it can be shrunk."""
        for attempt in range(1, _SHRINKS_MAX + 1):
            used = shutil.disk_usage(self._folder).used + attempt * _SLACK_BYTES
            try:
                _run("mount", "-o", f"remount,size={used}", str(self._folder))
            except subprocess.CalledProcessError:
                if attempt == _SHRINKS_MAX:
                    raise
            else:
                return True
        raise AssertionError("the last attempt raises")

    def free(self) -> None:
        """Give it its size back."""
        _run("mount", "-o", f"remount,size={SIZE_MIB}m", str(self._folder))

    def close(self) -> None:
        """Throw it away with what is in it; the folder can be removed."""
        _run("umount", str(self._folder))


class FileLimit:
    """RLIMIT_FSIZE of the running processes: writing beyond a file's first bytes fails (EFBIG)."""

    def __init__(self, pid_of: Callable[[], int | None]) -> None:
        self._pid_of = pid_of

    def fill(self) -> bool:
        """Set the limit to almost nothing. Only root with CAP_SYS_RESOURCE may do that to another account's process."""
        return self._limit(BYTES_MAX)

    def free(self) -> None:
        """Lift it. A process that was started meanwhile has none."""
        self._limit(resource.RLIM_INFINITY)

    def close(self) -> None:
        """There is nothing to undo: the processes have ended."""

    def _limit(self, bytes_max: int) -> bool:
        pid = self._pid_of()
        if pid is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            server = psutil.Process(pid)
            for process in (server, *server.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    _, hard = process.rlimit(psutil.RLIMIT_FSIZE)
                    process.rlimit(psutil.RLIMIT_FSIZE, (bytes_max, hard))
            return True
        return False


def own_mounts() -> bool:
    """Whether this process may mount. From now on its mounts are its own and its children's, and end with them."""
    if os.geteuid() != 0 or not hasattr(ctypes.CDLL(None), "unshare"):
        return False
    if ctypes.CDLL(None).unshare(_CLONE_NEWNS) != 0:
        return False
    try:
        _run("mount", "--make-rprivate", "/")
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
