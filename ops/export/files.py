"""Writes and reads back the files of an export."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ops.export.columns import REPEATING, days_of
from ops.export.errors import DamagedExportError
from ops.export.layout import UNFINISHED, ExportedFile, path_of
from ops.export.link import Link

OPTIONS: dict[str, Any] = {"compression": "zstd", "compression_level": 1, "use_dictionary": REPEATING}


def write_steps(folder: Path, table: Any) -> Iterator[Path]:
    """Write the rows, which follow one another in the chain of one partition, file by file in their order.

    Yields a path between every two steps: whoever is killed there leaves a whole beginning of them. Nobody else may
    write to the folder meanwhile.
    """
    partition = table.column("partition")[0].as_py()
    for day, begin, end in days_of(table):
        rows = table.slice(begin, end - begin)
        first, last = (rows.column("sequence")[at].as_py() for at in (0, len(rows) - 1))
        yield from _file_steps(path_of(folder, day, partition, first, last), rows)


def _file_steps(path: Path, rows: Any) -> Iterator[Path]:
    if not path.parent.exists():
        path.parent.mkdir(exist_ok=True)  # another process may begin the same day
        _sync(path.parent.parent)
        yield path.parent
    unfinished = path.with_name(path.name + UNFINISHED)
    pq.write_table(rows, unfinished, **OPTIONS)
    yield unfinished
    unfinished.chmod(0o444)  # what is exported stays as it is
    _sync(unfinished)
    yield unfinished
    unfinished.rename(path)
    yield path
    _sync(path.parent)
    yield path


def read_links(newest: Iterable[ExportedFile]) -> dict[int, Link]:
    """Where each partition goes on behind its newest file. Raises DamagedExportError."""
    return {file.partition: _link_behind(file) for file in newest}


def _link_behind(file: ExportedFile) -> Link:
    try:
        with pq.ParquetFile(file.path) as parquet:
            rows = parquet.metadata.num_rows
            groups = parquet.metadata.num_row_groups
            end = parquet.read_row_group(groups - 1, columns=["sequence", "hash", "audit_offset"])
            last = end.slice(len(end) - 1).to_pylist()[0]
    except (OSError, pa.ArrowException, IndexError) as error:
        raise DamagedExportError(f"{file.path} cannot be read: {error}") from error
    if rows != file.last - file.first + 1 or last["sequence"] != file.last:
        raise DamagedExportError(f"{file.path} does not hold the records that its name says")
    return Link(file.last + 1, last["hash"], last["audit_offset"] + 1)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, would survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
