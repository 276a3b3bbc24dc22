"""Where an export's files lie and what their names say. A file is there whole or not at all: names tell how far it is.

``day=2026-01-31/p00003-000000000000000-000000000122879.parquet`` has the records of partition 3 with these sequence
numbers, the last one included; all were completed on that day, in UTC.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from ops.export.errors import DamagedExportError

_NAME = re.compile(r"p([0-9]{5})-([0-9]{15})-([0-9]{15})\.parquet")

UNFINISHED = ".tmp"
"""Behind the name of a file that is being written. Whoever reads ``*.parquet`` does not see it."""


class ExportedFile(NamedTuple):
    """Sequence numbers ``first`` to ``last`` of a partition."""

    partition: int
    first: int
    last: int
    path: Path


def path_of(folder: Path, day: str, partition: int, first: int, last: int) -> Path:
    """Where these records of a day belong."""
    return folder / f"day={day}" / f"p{partition:05}-{first:015}-{last:015}.parquet"


def scan(folder: Path) -> list[ExportedFile]:
    """All files, in order of partition and sequence. Raises DamagedExportError where numbers are missing or double."""
    files = sorted(_found(folder))
    for _, of_partition in groupby(files, key=lambda file: file.partition):
        due = 0
        for file in of_partition:
            if file.first != due or file.last < file.first:
                problem = "are in no file" if file.first > due else "are in two files"
                raise DamagedExportError(f"{folder}: records of partition {file.partition} {problem}, see {file.path}")
            due = file.last + 1
    return files


def newest(files: Iterable[ExportedFile]) -> dict[int, ExportedFile]:
    """The last file of each partition."""
    return {file.partition: file for file in files}


def unfinished(folder: Path) -> Iterator[Path]:
    """What exports that were killed have left behind."""
    return folder.glob(f"day=*/*{UNFINISHED}")


def _found(folder: Path) -> Iterator[ExportedFile]:
    for path in folder.glob("day=*/*.parquet"):
        name = _NAME.fullmatch(path.name)
        if name is None:
            raise DamagedExportError(f"{path} is none of an export's files: keep others elsewhere")
        yield ExportedFile(int(name[1]), int(name[2]), int(name[3]), path)
