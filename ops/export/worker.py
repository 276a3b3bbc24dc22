"""A process that exports some of the partitions, and its side at the one that started it.

Each processor gets one, for reading, decoding, checking and compressing keep a processor busy. Run as
``python -m ops.export.worker``: the job is a line on standard input; how far it is, or why it has ended, are lines on
standard output. It ends when its input does: with whoever has started it. It has the lock's descriptor, so nobody else
writes to the folder before it has ended.
"""

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from pydantic import SecretStr

from ops.bulk_reading import run_bulk_reading
from ops.errors import CommandError
from ops.export.link import Link
from ops.export.partition_writer import PartitionWriter
from ops.server_errors import explained
from ops.topic_reader import Span, group_free_consumer, read_spans
from schemas.codes import CliCode
from schemas.settings import Settings

PARTITIONS_AT_ONCE = 3
"""While one is worked on, the next records of the others are on their way. Each holds a file's rows."""


class Part(msgspec.Struct, frozen=True):
    """What is to be exported of a partition, and what it must follow."""

    span: Span
    link: Link


class Job(msgspec.Struct, frozen=True):
    """What a process has to do."""

    settings: dict[str, Any]
    folder: str
    parts: list[Part]


class Said(msgspec.Struct):
    """A line of a process: how many offsets it is through, or why it ends."""

    done: int = 0
    problem: str | None = None
    code: CliCode = CliCode.COMMAND_REFUSED


def plain_settings(settings: Settings) -> dict[str, Any]:
    """The settings as JSON has them, secrets and all: for a pipe, never for arguments."""
    values = settings.model_dump(exclude_none=True)
    return {name: value.get_secret_value() if isinstance(value, SecretStr) else value for name, value in values.items()}


async def run_worker(job: Job, lock: int, progress: Callable[[int], None]) -> None:
    """Have a process do the job; ``progress`` is told how many offsets it is through. Raises CommandError."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-P", "-m", "ops.export.worker")
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, pass_fds=(lock,))
    try:
        if process.stdin is None or process.stdout is None:
            raise CommandError("a process without standard input and output cannot export")
        process.stdin.write(msgspec.json.encode(job) + b"\n")
        async for line in process.stdout:
            said = msgspec.json.decode(line, type=Said)
            if said.problem is not None:
                raise CommandError(said.problem, said.code)
            progress(said.done)
        if await process.wait() != 0:
            raise CommandError(f"a process of the export has ended with status {process.returncode}")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def export_parts(
    settings: Settings, folder: Path, parts: Sequence[Part], progress: Callable[[int], None]
) -> None:
    """Export the parts in this process. Raises CommandError, TopicReadError, KafkaError and OSError."""
    waiting, done = iter(parts), 0
    async with group_free_consumer(settings, check_crcs=False) as consumer:  # each record has a SHA-256
        while group := list(islice(waiting, PARTITIONS_AT_ONCE)):
            writers = {part.span.partition: PartitionWriter(folder, part.span.partition, part.link) for part in group}
            async for tp, records in read_spans(consumer, [part.span for part in group]):
                offsets = [record.offset for record in records]
                writers[tp.partition].add(offsets, [record.value for record in records])
                done += offsets[-1] - offsets[0] + 1
                progress(done)
            for writer in writers.values():
                writer.flush()


def shared_out(parts: Sequence[Part], count: int) -> list[list[Part]]:
    """The parts in so many heaps of about the same length, as ``parts`` come longest first."""
    heaps: list[list[Part]] = [[] for _ in range(count)]
    lengths = [0] * count
    for part in parts:
        shortest = lengths.index(min(lengths))
        heaps[shortest].append(part)
        lengths[shortest] += part.span.end - part.span.begin
    return heaps


def _say(said: Said) -> None:
    try:
        sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(1)  # who started this is gone


async def _work(settings: Settings, job: Job) -> None:
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), os._exit, 1)  # nothing but its end comes behind the job
    await export_parts(settings, Path(job.folder), job.parts, lambda done: _say(Said(done)))


def _settings_of(values: Mapping[str, Any]) -> Settings:
    return Settings(_env_file=None, **values)


def main() -> None:
    """The process."""
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())  # the error says it all
    job = msgspec.json.decode(sys.stdin.buffer.readline(), type=Job)
    settings = _settings_of(job.settings)
    try:
        with explained(settings):
            run_bulk_reading(_work(settings, job))
    except CommandError as error:
        _say(Said(problem=str(error), code=error.code))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(1)


if __name__ == "__main__":
    main()
