"""Finds out what became of replays that were interrupted. Only after their producer has been shut out."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer

from ops.dlq.address import Address, parse_address
from ops.dlq.errors import DeadLetterError
from ops.dlq.reading import Progress
from ops.dlq.request_ends import RequestEnds
from ops.dlq.statements import FINISH_REPLAY, FORGET_ATTEMPT, LEFT_BEHIND
from ops.topic_reader import Span, TopicReadError, read_spans
from schemas.headers import REPLAY_ATTEMPT, REPLAY_OF, Headers
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS
from sinks.postgres.pool import Connection


@dataclass(slots=True)
class Settled:
    """How many letters of interrupted replays turned out as published, as open again, or cannot be decided."""

    published: int = 0
    reopened: int = 0
    undecided: int = 0


async def left_behind(database: Connection, settings: Settings) -> Mapping[UUID, Sequence[Any]]:
    """The rows of interrupted attempts: partition, offsets, request_partition and scan_from."""
    rows: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in await database.fetch(LEFT_BEHIND, settings.topic_name(DEAD_LETTERS)):
        rows[row["attempt"]].append(row)
    return rows


async def settle(
    settings: Settings, database: Connection, consumer: AIOKafkaConsumer, ends: RequestEnds, progress: Progress
) -> Settled:
    """Look for each interrupted attempt on the topic of requests, and note what was found.

    A chunk is one transaction, so one of its records proves them all. Raises DeadLetterError when another producer's
    open transaction hides what stands behind it, KafkaError and asyncpg.PostgresError.
    """
    settled = Settled()
    for attempt, rows in (await left_behind(database, settings)).items():
        count = sum(len(row["offsets"]) for row in rows)
        scan_from: dict[int, int] = {}
        for row in rows:
            partition = row["request_partition"]
            scan_from[partition] = min(row["scan_from"], scan_from.get(partition, row["scan_from"]))
        spans, whole = await ends.spans_from(scan_from)
        found = await _published(consumer, spans, attempt, count, progress)
        if found:
            await _finish(settings, database, attempt, rows, found)
            settled.published += count
        elif whole:
            await database.execute(FORGET_ATTEMPT, settings.topic_name(DEAD_LETTERS), attempt)
            settled.reopened += count
        else:
            settled.undecided += count
    return settled


def replayed_letter(headers: Headers, attempt: UUID) -> Address | None:
    """The letter that a request was put back from in this attempt. What we add to a request stands last."""
    if tuple(name for name, _ in headers[-2:]) != (REPLAY_OF, REPLAY_ATTEMPT):
        return None
    (_, letter), (_, found) = headers[-2:]
    if letter is None or found != str(attempt).encode():
        return None
    return parse_address(letter.decode("ascii"))


async def _published(
    consumer: AIOKafkaConsumer, spans: Sequence[Span], attempt: UUID, count: int, progress: Progress
) -> dict[Address, int]:
    """The offset of each of the attempt's requests, by the letter that it was put back from."""
    found: dict[Address, int] = {}
    total = sum(span.end - span.begin for span in spans)
    read = 0
    try:
        async for _, records in read_spans(consumer, spans):
            for record in records:
                letter = replayed_letter(record.headers, attempt)
                if letter is not None:
                    found[letter] = record.offset
            read += len(records)
            progress("requests", read, total)
            if len(found) == count:
                break
    except TopicReadError as error:
        raise DeadLetterError(
            f"cannot tell what an interrupted replay has published: {error}. An open transaction of another producer "
            "may stand before it: end that one, or wait until the brokers do, and run this again"
        ) from error
    return found


async def _finish(
    settings: Settings, database: Connection, attempt: UUID, rows: Sequence[Any], found: Mapping[Address, int]
) -> None:
    topic = settings.topic_name(DEAD_LETTERS)
    async with database.transaction():
        for row in rows:
            offsets = [found.get(Address(row["partition"], offset)) for offset in row["offsets"]]
            await database.execute(FINISH_REPLAY, topic, row["partition"], attempt, row["offsets"], offsets)
