"""The transfers stage: requests in; ledger; outcomes and dead letters out."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

import msgspec
import structlog

from schemas.crash_points import CrashPoint
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from sinks.crash import reach
from sinks.errors import LedgerBehindError, ShorterTopicError
from sinks.kafka.publisher import Publisher, last_source_offsets
from sinks.kafka.records import Consumed, Record
from sinks.ledger.ledger import Ledger
from sinks.ledger.rules import decide
from sinks.ledger.speculation import Decision, SpeculativeLedger
from sinks.ledger.types import Applied, Batch, Order, Refused, Transfer
from sinks.postgres.history import OneHistory
from sinks.postgres.pool import create_pool
from streams.metrics import BATCH_SECONDS
from streams.outcomes import outcome_record
from streams.requests import DeadLetter, dead_letter_record, read_requests
from streams.signed_requests import Forged, forged_requests, letters_of, request_verifier, without
from streams.stage import Commit, Output, Outputs, Positions, refuse_shorter
from streams.traces import Traces, traces_of
from streams.transfer_counts import count_committed, count_dead_letters, count_told

LETTERS_LOGGED_MAX = 10
"""All of them stand on the dead-letter topic; a log line is to be read."""

_log = structlog.get_logger(__name__)


class Position(msgspec.Struct):
    """How far a partition has come: the next offset to decide, and the offsets behind the last records published."""

    decided: int
    last_outcome: int
    last_dead_letter: int


class _Work(msgspec.Struct):
    """Batches between their decision and their commit. ``old`` orders were applied before a restart or a step back."""

    batches: Mapping[int, Sequence[Consumed]]
    positions: Mapping[int, Position]
    old: list[Order]
    decision: Decision
    forged: Forged
    dead: list[DeadLetter]
    traces: Traces

    def came_ms(self, partition: int, transfers: Sequence[Transfer]) -> list[int]:
        """The timestamps of the requests that these transfers of a partition were made of, of the old ones none."""
        for batch in self.decision.batches:
            if batch.partition == partition:
                # Some 0.1 µs for each, and many come by here.
                new = {t.request_offset for t in transfers if t.request_offset >= batch.first_offset}
                return [record.timestamp for record in self.batches[partition] if record.offset in new]
        return []


class TransfersStage:
    """Applies each request once and publishes what became of it once.

    The order of effects: commit, dead letters, outcomes. So whatever stands before the last outcome of a
    partition has been published, and reading on behind it misses nothing.
    """

    agent = "transfers"

    def __init__(self, settings: Settings, publisher: Publisher) -> None:
        self._settings = settings
        self.input_topic = settings.topic_name(TRANSFERS_REQUESTED)
        self._outcomes_topic = settings.topic_name(TRANSFERS_OUTCOMES)
        self._dead_letters_topic = settings.topic_name(DEAD_LETTERS)
        self._positions = Positions(self._load_positions)
        self._publisher = publisher
        self._verifier = request_verifier(settings)

    async def start(self) -> None:
        """Connect to PostgreSQL."""
        self._pool = await create_pool(self._settings, size_max=2, on_connect=OneHistory())
        self._ledger = SpeculativeLedger(Ledger(self._pool, self.input_topic, decide))

    async def stop(self) -> None:
        """Disconnect."""
        self._pool.terminate()

    async def resume_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        """Behind the last outcome published, and never beyond what has been applied."""
        positions = await self._positions.loaded(partitions)
        return {p: min(position.last_outcome + 1, position.decided) for p, position in positions.items()}

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop what is known of partitions that are no longer ours."""
        self._positions.forget(partitions)

    async def prepare(self, batches: Mapping[int, Sequence[Consumed]]) -> Commit:
        """Decide what is new, all partitions together, while what was decided before is still being written."""
        positions = self._positions.of(batches)
        with BATCH_SECONDS.labels(self.agent, "decode").time():
            orders: list[Order] = []
            dead: list[DeadLetter] = []
            for records in batches.values():
                read, unreadable = read_requests(records)
                orders += read
                dead += unreadable
            forged = await self._forged(orders, batches)
        reach(CrashPoint.AFTER_DECODE)
        with BATCH_SECONDS.labels(self.agent, "decide").time():
            old = [order for order in orders if order.offset < positions[order.partition].decided]
            new = _new_batches(batches, without(forged, orders), positions)
            for batch in new:
                positions[batch.partition].decided = batch.next_offset
            work = _Work(batches, positions, old, await self._ledger.decide(new), forged, dead, traces_of(batches))
        return partial(self._commit, work)

    async def _commit(self, work: "_Work") -> Outputs:
        """Write what was decided, in one transaction; what was applied before, look up.

        What was published before is left out of the outputs. Raises ProgressMovedError when another worker has taken
        a partition over.
        """
        with BATCH_SECONDS.labels(self.agent, "commit").time():
            replayed = await self._ledger.replay(work.old) if work.old else Applied([], [])
            applied = await self._ledger.commit(work.decision)
        reach(CrashPoint.AFTER_COMMIT)
        count_committed(applied.transfers)
        # First, since of two letters for the same record the first one counts.
        dead = [*letters_of(work.forged, replayed.transfers), *work.dead]
        dead += _refused_letters([*replayed.refused, *applied.refused], work.batches)
        return self._outputs(work, [*replayed.transfers, *applied.transfers], dead)

    async def _forged(self, orders: Sequence[Order], batches: Mapping[int, Sequence[Consumed]]) -> Forged:
        if self._verifier is None:
            return {}
        # In a thread: what was decided before can be published meanwhile.
        return await asyncio.to_thread(forged_requests, self._verifier, orders, batches)

    def _outputs(self, work: "_Work", transfers: Sequence[Transfer], dead: Sequence[DeadLetter]) -> Outputs:
        positions = work.positions
        letters: defaultdict[int, list[DeadLetter]] = defaultdict(list)
        for letter in sorted(dead, key=lambda letter: letter.record.offset):
            position = positions[letter.record.partition]
            if letter.record.offset > position.last_dead_letter:
                position.last_dead_letter = letter.record.offset
                letters[letter.record.partition].append(letter)
        told: defaultdict[int, list[Transfer]] = defaultdict(list)
        for transfer in transfers:
            position = positions[transfer.request_partition]
            if transfer.request_offset > position.last_outcome:
                position.last_outcome = transfer.request_offset
                told[transfer.request_partition].append(transfer)
        if letters:
            _log.warning("requests.dead_lettered", **_told_of(letters))
        return (
            [self._dead_letters(partition, some) for partition, some in letters.items()],
            [self._outcomes(partition, some, work) for partition, some in told.items()],
        )

    def _dead_letters(self, partition: int, letters: Sequence[DeadLetter]) -> Output:
        causes = [letter.cause for letter in letters]
        records = _alone(map(dead_letter_record, letters))
        return Output(self._dead_letters_topic, partition, records, partial(count_dead_letters, causes))

    def _outcomes(self, partition: int, transfers: Sequence[Transfer], work: "_Work") -> Output:
        came_ms = work.came_ms(partition, transfers)
        return Output(
            self._outcomes_topic,
            partition,
            _alone(_outcome_records(transfers, work.traces)),
            partial(count_told, came_ms),
        )

    async def _load_positions(self, partitions: list[int]) -> dict[int, Position]:
        await self._refuse_lost_outcomes(partitions)
        await self._publisher.take_over([self._outcomes_topic, self._dead_letters_topic], partitions)
        applied = await self._ledger.progress(partitions)
        outcomes, letters, _ = await asyncio.gather(
            last_source_offsets(self._publisher, self._outcomes_topic, partitions),
            last_source_offsets(self._publisher, self._dead_letters_topic, partitions),
            refuse_shorter(self._publisher, self.input_topic, applied),
        )
        behind = [partition for partition in partitions if outcomes[partition] >= applied[partition]]
        if behind:
            raise LedgerBehindError(f"outcomes were told that the ledger does not have, of partitions {behind}")
        return {p: Position(applied[p], outcomes[p], letters[p]) for p in partitions}

    async def _refuse_lost_outcomes(self, partitions: list[int]) -> None:
        """Whoever has applied anything had taken the partition over, and left a marker there at least. We do so only
        afterwards: it would look as if nothing were lost."""
        applied = await self._ledger.progress(partitions)
        ends = await self._publisher.end_offsets(self._outcomes_topic, partitions)  # later: its marker came before
        lost = [partition for partition in partitions if ends[partition] == 0 < applied[partition]]
        if lost and await self._ledger.has_rows(lost, max(applied[partition] for partition in lost)):
            raise ShorterTopicError(f"the outcomes of partitions {lost} are gone. Run hfts recover")


def _new_batches(
    batches: Mapping[int, Sequence[Consumed]], orders: Sequence[Order], positions: Mapping[int, Position]
) -> list[Batch]:
    """A batch for each partition that has records beyond what is applied, be they orders or not."""
    by_partition: defaultdict[int, list[Order]] = defaultdict(list)
    for order in orders:
        if order.offset >= positions[order.partition].decided:
            by_partition[order.partition].append(order)
    return [
        Batch(
            partition=partition,
            first_offset=positions[partition].decided,
            next_offset=records[-1].offset + 1,
            orders=by_partition[partition],
        )
        for partition, records in batches.items()
        if records[-1].offset >= positions[partition].decided
    ]


def _refused_letters(refused: Sequence[Refused], batches: Mapping[int, Sequence[Consumed]]) -> list[DeadLetter]:
    if not refused:
        return []
    records = {(partition, record.offset): record for partition, those in batches.items() for record in those}
    return [DeadLetter(records[r.order.partition, r.order.offset], r.cause, r.detail) for r in refused]


def _outcome_records(transfers: Iterable[Transfer], traces: Traces) -> Iterator[Record]:
    if not traces:
        return map(outcome_record, transfers)
    return (outcome_record(t, traces.get((t.request_partition, t.request_offset))) for t in transfers)


def _told_of(letters: Mapping[int, Sequence[DeadLetter]]) -> dict[str, object]:
    """What the log says of letters: how many, by their cause, and where the first of them stand."""
    every = [letter for some in letters.values() for letter in some]
    return {
        "records": len(every),
        "causes": dict(Counter(str(letter.cause) for letter in every)),
        "first": [f"{each.record.partition}:{each.record.offset}" for each in every[:LETTERS_LOGGED_MAX]],
    }


def _alone(records: Iterable[Record]) -> Iterator[tuple[Record]]:
    """Each record a group of its own."""
    return ((record,) for record in records)
