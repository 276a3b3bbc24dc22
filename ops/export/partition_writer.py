"""Takes the records of a partition as they come, and writes a file whenever there are enough of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from ops.errors import CommandError
from ops.export.columns import SCHEMA, columns_of
from ops.export.files import write_steps
from ops.export.link import Link
from ops.export.records import read_records

ROWS_A_FILE_MAX = 122_880
"""A row group of DuckDB's own size, in which its threads share work; some 15 MB, and 50 MB in memory."""


class PartitionWriter:
    """Holds at most one file's rows."""

    def __init__(self, folder: Path, partition: int, link: Link, *, rows_max: int = ROWS_A_FILE_MAX) -> None:
        self._folder = folder
        self._partition = partition
        self._link = link
        self._rows_max = rows_max
        self._batches: list[Any] = []
        self._rows = 0

    def add(self, offsets: Sequence[int], values: Sequence[bytes | None]) -> None:
        """Take the records behind those that came before. Raises BrokenChainError."""
        records, self._link = read_records(self._partition, self._link, offsets, values)
        self._batches.append(columns_of(self._partition, offsets, records))
        self._rows += len(records)
        if self._rows >= self._rows_max:
            self.flush()

    def flush(self) -> None:
        """Write what has come. Raises CommandError when the disk does not take it."""
        if self._rows:
            table = pa.Table.from_batches(self._batches, SCHEMA)
            self._batches, self._rows = [], 0
            try:
                for _ in write_steps(self._folder, table):
                    pass
            except OSError as error:
                raise CommandError(f"{self._folder} cannot be written to: {error.strerror or error}") from error
