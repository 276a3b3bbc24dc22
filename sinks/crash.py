"""Ends this process at a point between two steps, where a test has asked for it. Otherwise it does nothing."""

import os
import signal
from collections.abc import Callable

from schemas.crash_points import Crash, CrashPoint


def end_process() -> None:
    """As a power cut would: nothing is flushed, closed or said."""
    os.kill(os.getpid(), signal.SIGKILL)


def stop_process() -> None:
    """As a debugger or a sleeping machine would: until SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


class _Armed:
    def __init__(self, crash: Crash, act: Callable[[], None]) -> None:
        self.point = crash.point
        self.passes_left = crash.passes
        self.act = act


_armed: _Armed | None = None


def arm(crash: Crash | None, act: Callable[[], None] | None = None) -> None:
    """From now on end this process (or stop it, or do what is given) at that point; nowhere for None."""
    global _armed  # noqa: PLW0603 (it is about the process as a whole)
    _armed = None if crash is None else _Armed(crash, act or (stop_process if crash.stops else end_process))


def reach(point: CrashPoint) -> None:
    """Mark a point in the code."""
    if _armed is None or _armed.point is not point:
        return
    _armed.passes_left -= 1
    if _armed.passes_left == 0:
        _armed.act()
