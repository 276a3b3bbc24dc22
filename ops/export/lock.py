"""One export at a time in a folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.errors import CommandError
from ops.export.errors import ExportBusyError

LOCK_NAME = ".lock"


@contextmanager
def only_export(folder: Path) -> Iterator[int]:
    """Make the folder and be the only one who writes there. Raises ExportBusyError, and CommandError if one cannot.

    The lock ends with the last process that has the descriptor given here, however it ends.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise CommandError(f"{folder} cannot be written to: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ExportBusyError(f"another export is writing to {folder}") from None
        yield descriptor
    finally:
        os.close(descriptor)
