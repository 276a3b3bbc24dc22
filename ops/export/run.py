"""Exports the audit topic: what stands behind the files that are there already, up to its present end."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from ops.export.files import read_links
from ops.export.frames import Begin, End, Records
from ops.export.layout import newest, scan, unfinished
from ops.export.link import Link
from ops.export.lock import only_export
from ops.export.spans import spans_behind
from ops.export.writer_process import WriterProcess
from ops.topic_reader import Span, group_free_consumer, read_spans
from schemas.settings import Settings

PROCESSES_MAX = 4
"""More than that read from one process would wait for it."""

PARTITIONS_AT_ONCE = 3
"""Of each process: while one is worked on, the next records of the others are on their way. Each holds a file."""

Progress = Callable[[int, int], None]
"""Told how many offsets of how many have been read."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export has added, and what is there now."""

    folder: Path
    records_added: int
    records: int
    files: int

    def as_json(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "folder": str(self.folder),
            "records_added": self.records_added,
            "records": self.records,
            "files": self.files,
        }


async def export_audit(
    settings: Settings, folder: Path, progress: Progress = lambda _read, _total: None, *, processes: int | None = None
) -> Exported:
    """Write what is new on the topic behind what the folder holds. Killed anywhere, the next one goes on.

    Raises CommandError where the chain is broken, the folder damaged or another export under way, and TopicReadError,
    KafkaError and OSError.
    """
    with only_export(folder) as lock:
        for left in unfinished(folder):
            left.unlink()
        before = scan(folder)
        links = read_links(newest(before).values())
        async with group_free_consumer(settings) as consumer:
            spans = await spans_behind(settings, consumer, links)
            count = min(processes or os.cpu_count() or 1, PROCESSES_MAX, len(spans))
            async with _processes(folder, lock, count) as writers:
                await _copy(consumer, spans, links, writers, progress)
        after = scan(folder)
    records = sum(file.last - file.first + 1 for file in after)
    added = records - sum(file.last - file.first + 1 for file in before)
    return Exported(folder, added, records, len(after))


@asynccontextmanager
async def _processes(folder: Path, lock: int, count: int) -> AsyncIterator[list[WriterProcess]]:
    writers: list[WriterProcess] = []
    try:
        for _ in range(count):
            writers.append(await WriterProcess.start(folder, lock))  # noqa: PERF401 (those there are must be ended)
        yield writers
        for writer in writers:
            await writer.finish()
    finally:
        for writer in writers:
            await writer.abandon()


async def _copy(
    consumer: Any,
    spans: Sequence[Span],
    links: dict[int, Link],
    writers: Sequence[WriterProcess],
    progress: Progress,
) -> None:
    """A few partitions at a time, shared among the processes."""
    total, done, waiting = sum(span.end - span.begin for span in spans), 0, iter(spans)
    while group := list(islice(waiting, len(writers) * PARTITIONS_AT_ONCE)):
        of = {span.partition: writer for span, writer in zip(group, cycle(writers), strict=False)}
        for partition, writer in of.items():
            await writer.send(Begin(partition, links.get(partition, Link())))
        async for tp, records in read_spans(consumer, group):
            offsets = [record.offset for record in records]
            await of[tp.partition].send(Records(tp.partition, offsets, [record.value for record in records]))
            done += offsets[-1] - offsets[0] + 1
            progress(min(done, total), total)
        for partition, writer in of.items():
            await writer.send(End(partition))
    progress(total, total)
