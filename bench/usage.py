"""What processes use of the machine, they and their children."""

from collections.abc import Iterable
from contextlib import suppress

import psutil

MIB = 1024 * 1024


def cpu_s(pid: int) -> float:
    """Seconds of processor time so far, user and system, of a process, its children, and those that have ended."""
    try:
        top = psutil.Process(pid)
        family = [top, *top.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    total_s = 0.0
    for member in family:
        with suppress(psutil.NoSuchProcess):
            times = member.cpu_times()
            total_s += times.user + times.system + times.children_user + times.children_system
    return total_s


def resident_mib(pid: int) -> float:
    """Memory it holds now, without its children; 0 when it is gone."""
    try:
        return float(psutil.Process(pid).memory_info().rss) / MIB
    except psutil.NoSuchProcess:
        return 0.0


def cpu_all_s(pids: Iterable[int | None]) -> float:
    """The sum over several; None counts nothing."""
    return sum(cpu_s(pid) for pid in pids if pid is not None)
