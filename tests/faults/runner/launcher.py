"""Runs an ``hfts`` command whose wall clock can be made to jump from outside, and which may be a newer version.

``CLOCK_FILE`` names a file of one double, the seconds that the clock is ahead. Moved are ``time.time`` and the
ledger's own clock; what compiled libraries ask the system for is not. ``MIGRATIONS_FOLDER`` takes the place of the
program's own: the one thing in which the version before and this one differ for each other.
"""

import mmap
import os
import struct
import sys
import time
from datetime import datetime, timedelta, tzinfo
from pathlib import Path


def _jumping_clock(path: Path) -> None:
    with path.open("rb") as file:
        ahead = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)

    def ahead_s() -> float:
        seconds: float = struct.unpack_from("d", ahead)[0]
        return seconds

    true_time = time.time

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # the plain class, on purpose
            return datetime.now(tz) + timedelta(seconds=ahead_s())

    time.time = lambda: true_time() + ahead_s()

    from sinks.ledger import ledger  # noqa: PLC0415 (with the clock in place)

    ledger.datetime = Clock  # type: ignore[attr-defined]  # a name it has imported


def main() -> None:
    """The command is in the arguments, as of ``hfts``."""
    if path := os.environ.get("CLOCK_FILE"):
        _jumping_clock(Path(path))

    if path := os.environ.get("MIGRATIONS_FOLDER"):
        from sinks.postgres import migrate  # noqa: PLC0415 (likewise)

        migrate._FOLDER = Path(path)

    from ops.cli import main as hfts  # noqa: PLC0415 (likewise)

    sys.argv[0] = "hfts"
    hfts()


if __name__ == "__main__":
    main()
