"""The transfers stage: requests in; ledger; outcomes and dead letters out."""

from collections.abc import Iterable, Sequence

import msgspec
import structlog

from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from sinks.kafka.publisher import Publisher, last_source_offsets
from sinks.kafka.records import Consumed
from sinks.ledger.ledger import Ledger
from sinks.ledger.types import Applied, Batch
from sinks.postgres.pool import create_pool
from streams.outcomes import outcome_record
from streams.requests import DeadLetter, dead_letter_record, read_requests
from streams.rules import decide
from streams.stage import Positions

_log = structlog.get_logger(__name__)


class Position(msgspec.Struct):
    """How far a partition has come: the next offset to apply, and the offsets behind the last records published."""

    applied: int
    last_outcome: int
    last_dead_letter: int


class TransfersStage:
    """Applies each request once and publishes what became of it once.

    The order of effects in a batch: commit, dead letters, outcomes. So whatever stands before the last outcome of a
    partition has been published, and reading on behind it misses nothing.
    """

    def __init__(self, settings: Settings, publisher: Publisher) -> None:
        self._settings = settings
        self.input_topic = settings.topic_name(TRANSFERS_REQUESTED)
        self._outcomes_topic = settings.topic_name(TRANSFERS_OUTCOMES)
        self._dead_letters_topic = settings.topic_name(DEAD_LETTERS)
        self._positions = Positions(self._load_positions)
        self._publisher = publisher

    async def start(self) -> None:
        """Connect to PostgreSQL and Kafka."""
        self._pool = await create_pool(self._settings, size_max=2)
        self._ledger = Ledger(self._pool, self.input_topic, decide)
        await self._publisher.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._publisher.stop()
        self._pool.terminate()

    async def resume_offsets(self, partitions: Iterable[int]) -> dict[int, int]:
        """Behind the last outcome published, and never beyond what has been applied."""
        positions = await self._positions.of(partitions)
        return {p: min(position.last_outcome + 1, position.applied) for p, position in positions.items()}

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop what is known of partitions that are no longer ours."""
        self._positions.forget(partitions)

    async def process(self, partition: int, records: Sequence[Consumed]) -> None:
        """Apply and publish; what was applied before is only published, what was published before is neither.

        Raises ProgressMovedError when another worker has taken the partition over.
        """
        position = await self._positions.get(partition)
        orders, dead = read_requests(records)
        old = [order for order in orders if order.offset < position.applied]
        if old:
            await self._publish(position, partition, records, dead, await self._ledger.replay(partition, old))
        next_offset = records[-1].offset + 1
        if next_offset > position.applied:
            new = orders[len(old) :]
            batch = Batch(partition=partition, first_offset=position.applied, next_offset=next_offset, orders=new)
            applied = await self._ledger.apply_batch(batch)
            position.applied = next_offset
            await self._publish(position, partition, records, dead, applied)
        elif not old:
            await self._publish(position, partition, records, dead, Applied([], []))

    async def _publish(
        self,
        position: Position,
        partition: int,
        records: Sequence[Consumed],
        dead: Sequence[DeadLetter],
        applied: Applied,
    ) -> None:
        # Letters beyond what is applied wait for their batch's commit.
        letters = [
            letter
            for letter in [*dead, *_refused_letters(applied, records)]
            if position.last_dead_letter < letter.record.offset < position.applied
        ]
        if letters:
            letters.sort(key=lambda letter: letter.record.offset)
            _log.warning("requests.dead_lettered", partition=partition, records=len(letters))
            await self._publisher.publish(
                self._dead_letters_topic, partition, ((dead_letter_record(letter),) for letter in letters)
            )
            position.last_dead_letter = letters[-1].record.offset
        transfers = [t for t in applied.transfers if t.request_offset > position.last_outcome]
        if transfers:
            await self._publisher.publish(
                self._outcomes_topic, partition, ((outcome_record(transfer),) for transfer in transfers)
            )
            position.last_outcome = transfers[-1].request_offset

    async def _load_positions(self, partitions: list[int]) -> dict[int, Position]:
        applied = {partition: await self._ledger.progress(partition) for partition in partitions}
        outcomes = await last_source_offsets(self._publisher, self._outcomes_topic, partitions)
        letters = await last_source_offsets(self._publisher, self._dead_letters_topic, partitions)
        for partition in partitions:
            if outcomes[partition] >= applied[partition]:
                # The ledger was restored from a backup older than the topics: it applies these requests again, and
                # what is told of them already is not told twice.
                _log.error(
                    "ledger.behind_outcomes",
                    partition=partition,
                    applied=applied[partition],
                    outcome=outcomes[partition],
                )
        return {p: Position(applied[p], outcomes[p], letters[p]) for p in partitions}


def _refused_letters(applied: Applied, records: Sequence[Consumed]) -> list[DeadLetter]:
    if not applied.refused:
        return []
    by_offset = {record.offset: record for record in records}
    return [DeadLetter(by_offset[r.order.offset], r.cause, r.detail) for r in applied.refused]
