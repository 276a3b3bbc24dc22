"""Puts letters back on the topic of requests, each at most once, whatever dies in between.

1. A lock keeps other commands out while this one's connection lives.
2. A producer takes the transactional id: whoever had it can publish no more, even if it wakes up later.
3. Rows left as intended are settled: the topic of requests says whether their transaction was committed.
4. For each chunk of open letters: rows as intended; one Kafka transaction; rows as done.

A crash before the transaction's commit leaves nothing on the topic, one after it leaves rows that step 3 completes.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from ops.dlq.actions import Known, with_actions
from ops.dlq.errors import DeadLetterError
from ops.dlq.exclusive import exclusive
from ops.dlq.letters import Letter
from ops.dlq.reading import Progress, no_progress, read_letters
from ops.dlq.replaying import chunks, is_request, request_of, target_partition
from ops.dlq.request_ends import RequestEnds, request_ends
from ops.dlq.requests_writer import RequestsWriter, requests_writer
from ops.dlq.selection import Selection, State
from ops.dlq.settle import Settled, settle
from ops.dlq.statements import FINISH_REPLAY, INTEND_REPLAY
from ops.dlq.steps import Reached, Step, not_watched
from ops.topic_reader import group_free_consumer
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS
from sinks.postgres.pool import Connection


@dataclass(slots=True)
class ReplayReport:
    """What a replay did: letters put back, by cause; letters selected and left alone, by state or as no request."""

    replayed: Counter[str] = field(default_factory=Counter)
    left: Counter[State] = field(default_factory=Counter)
    no_requests: int = 0
    settled: Settled = field(default_factory=Settled)


async def replay_letters(
    settings: Settings,
    selection: Selection,
    *,
    actor: str,
    progress: Progress = no_progress,
    reached: Reached = not_watched,
) -> ReplayReport:
    """Put the selected letters that are open back, in order, ids and bytes untouched. ``actor`` is who asked for it.

    Raises DeadLetterError (of which BusyError, OvertakenError, UnconfirmedError), TopicReadError, KafkaError,
    asyncpg.PostgresError and OSError. After any of them the same may be called again.
    """
    report = ReplayReport()
    async with exclusive(settings) as database:
        reached(Step.LOCKED)
        async with (
            requests_writer(settings) as writer,
            request_ends(settings) as ends,
            group_free_consumer(settings) as consumer,
        ):
            reached(Step.FENCED)
            report.settled = await settle(settings, database, consumer, ends, progress)
            reached(Step.SETTLED)
            replay = _Replay(settings, database, writer, ends, actor, reached)
            async for letters in read_letters(consumer, settings, selection, progress):
                wanted = _open_requests(settings, await with_actions(database, settings, letters), report)
                for chunk in chunks(wanted):
                    await replay.put_back(chunk)
                    report.replayed.update(letter.cause for letter in chunk)
    return report


def _open_requests(settings: Settings, found: Sequence[Known], report: ReplayReport) -> list[Letter]:
    wanted = []
    for known in found:
        if known.state is not State.OPEN:
            report.left[known.state] += 1
        elif is_request(known.letter, settings):
            wanted.append(known.letter)
        else:
            report.no_requests += 1
    return wanted


@dataclass(frozen=True, slots=True)
class _Replay:
    settings: Settings
    database: Connection
    writer: RequestsWriter
    ends: RequestEnds
    actor: str
    reached: Reached

    async def put_back(self, chunk: Sequence[Letter]) -> None:
        """One transaction's letters, all of one partition."""
        attempt = uuid4()
        topic, partition = self.settings.topic_name(DEAD_LETTERS), chunk[0].address.partition
        offsets = [letter.address.offset for letter in chunk]
        targets = [target_partition(letter, self.ends.partitions) for letter in chunk]
        ends = await self.ends.ends(set(targets))
        scan_from = [ends[target] for target in targets]
        await self.database.execute(INTEND_REPLAY, topic, partition, attempt, self.actor, offsets, targets, scan_from)
        self.reached(Step.INTENDED)
        requests = [(target, request_of(letter, attempt)) for target, letter in zip(targets, chunk, strict=True)]
        try:
            put = await self.writer.put(requests, lambda: self.reached(Step.SENT))
        except DeadLetterError as error:
            raise type(error)(f"letter {chunk[0].address} and up to {chunk[-1].address}: {error}") from error
        self.reached(Step.PUBLISHED)
        await self.database.execute(FINISH_REPLAY, topic, partition, attempt, offsets, put)
        self.reached(Step.NOTED)
