"""An export and what stands on the topic behind it, as one DuckDB database that can only be read."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import duckdb

from ops.export.columns import SCHEMA
from ops.export.files import read_links
from ops.export.layout import ExportedFile, newest, scan
from ops.export.tail import Progress, read_tail
from schemas.settings import Settings

_VIEWS = Path(__file__).parent / "sql" / "views.sql"

_EXPORTED = """
create view exported as
select * from read_parquet({files}, hive_partitioning = true, hive_types = {{'day': date}})
"""
_NOTHING_EXPORTED = "create view exported as select *, completed_at::date as day from live where false"


@asynccontextmanager
async def audit_database(
    settings: Settings, folder: Path, progress: Progress = lambda _read, _total: None
) -> AsyncIterator[duckdb.DuckDBPyConnection]:
    """The views of ``views.sql`` over ``exported`` and ``live``; each record is in one of these two.

    What an export writes meanwhile is not seen. Large sorts go to a folder that is gone afterwards. Raises
    DamagedExportError, BrokenChainError, TopicReadError and KafkaError.
    """
    files = scan(folder)
    with tempfile.TemporaryDirectory(prefix="hfts-query-") as spill, duckdb.connect() as database:
        prepare(database, files, Path(spill))
        async for batch in read_tail(settings, read_links(newest(files).values()), progress):
            add_live(database, batch)
        lock(database)
        yield database


def prepare(database: duckdb.DuckDBPyConnection, files: Sequence[ExportedFile], spill: Path) -> None:
    """Make the views over these files and an empty tail."""
    database.execute("load icu")  # for times with a zone; it is part of the package
    database.execute("set timezone = 'UTC'")
    database.execute("set enable_progress_bar = false")
    database.execute(f"set temp_directory = {_text(spill)}")
    database.register("empty", SCHEMA.empty_table())
    database.execute("create table live as select * from empty")
    database.unregister("empty")
    listed = ", ".join(_text(file.path) for file in files)
    database.execute(_EXPORTED.format(files=f"[{listed}]") if files else _NOTHING_EXPORTED)
    database.execute(_VIEWS.read_text())
    database.execute(f"set allowed_paths = [{listed}]")


def add_live(database: duckdb.DuckDBPyConnection, batch: object) -> None:
    """Add records that are in no file."""
    database.register("batch", batch)
    database.execute("insert into live by name select * from batch")
    database.unregister("batch")


def lock(database: duckdb.DuckDBPyConnection) -> None:
    """From now on no other file, no network and no setting can be reached, whatever a query says."""
    database.execute("set enable_external_access = false")
    database.execute("set lock_configuration = true")


def _text(path: Path) -> str:
    """A path as an SQL literal: these statements take no parameters."""
    return "'" + str(path).replace("'", "''") + "'"
