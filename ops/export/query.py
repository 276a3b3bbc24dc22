"""Answers one query."""

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import duckdb

from ops.export.answer import ask, write_answer
from ops.export.database import audit_database
from ops.export.formats import Format
from ops.export.read_only import check_query
from ops.reading_progress import reading_progress
from schemas.settings import Settings


async def answer_query(settings: Settings, folder: Path, query: str, form: Format) -> None:
    """Print the answer of the export and the topic. Raises CommandError, TopicReadError and KafkaError."""
    with duckdb.connect() as database:
        check_query(database, query)  # before the topic is read, which may take long
    async with AsyncExitStack() as stack:
        with reading_progress() as progress:  # ended before the answer is printed
            opened = audit_database(settings, folder, partial(progress, "live records"))
            database = await stack.enter_async_context(opened)
        write_answer(*ask(database, query), form)
