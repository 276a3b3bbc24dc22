"""An audit as `hfts audit query` sees it: some of it exported, the rest live."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from audit_values import chained

from ops.export.columns import columns_of
from ops.export.database import add_live, lock, prepare
from ops.export.layout import scan
from ops.export.link import Link
from ops.export.partition_writer import PartitionWriter
from ops.export.records import read_records
from schemas.transfers import Outcome


@contextmanager
def audit(folder: Path, outcomes: list[Outcome], exported: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """So many of the outcomes in files, the others live."""
    values = chained(outcomes)
    writer = PartitionWriter(folder, 0, Link())
    if exported:
        writer.add(range(exported), values[:exported])
        writer.flush()
    _, link = read_records(0, Link(), range(exported), values[:exported])
    with duckdb.connect() as database:
        prepare(database, scan(folder), folder / "spill")
        if exported < len(values):
            records, _ = read_records(0, link, range(exported, len(values)), values[exported:])
            add_live(database, columns_of(0, range(exported, len(values)), records))
        lock(database)
        yield database
