"""Exports the audit topic: what stands behind the files that are there already, up to its present end."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ops.export.files import read_links
from ops.export.layout import newest, scan, unfinished
from ops.export.link import Link
from ops.export.lock import only_export
from ops.export.spans import spans_behind
from ops.export.worker import Job, Part, plain_settings, run_worker, shared_out
from ops.topic_reader import group_free_consumer
from schemas.settings import Settings

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
        parts = [Part(span, links.get(span.partition, Link())) for span in spans]
        count = min(processes or os.cpu_count() or 1, len(parts))
        await _export(settings, folder, shared_out(parts, count), lock, progress)
        after = scan(folder)
    records = sum(file.last - file.first + 1 for file in after)
    added = records - sum(file.last - file.first + 1 for file in before)
    return Exported(folder, added, records, len(after))


async def _export(
    settings: Settings, folder: Path, heaps: Sequence[Sequence[Part]], lock: int, progress: Progress
) -> None:
    """A process for each heap. The first that fails ends the others."""
    total = sum(part.span.end - part.span.begin for heap in heaps for part in heap)
    done = [0] * len(heaps)

    def tell(worker: int, read: int) -> None:
        done[worker] = read
        progress(min(sum(done), total), total)

    try:
        async with asyncio.TaskGroup() as group:
            for worker, heap in enumerate(heaps):
                job = Job(plain_settings(settings), str(folder), list(heap))
                group.create_task(run_worker(job, lock, partial(tell, worker)))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    progress(total, total)
