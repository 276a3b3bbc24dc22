"""The transfers stage: requests in; ledger; outcomes and dead letters out."""

from collections.abc import Iterable, Sequence

import msgspec
import structlog

from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from sinks.kafka.publisher import Publisher
from sinks.kafka.records import Consumed
from sinks.kafka.tails import last_source_offset
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

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.input_topic = settings.topic_name(TRANSFERS_REQUESTED)
        self._outcomes_topic = settings.topic_name(TRANSFERS_OUTCOMES)
        self._dead_letters_topic = settings.topic_name(DEAD_LETTERS)
        self._positions: Positions[Position] = Positions()
        self._publisher = Publisher(settings)

    async def start(self) -> None:
        """Connect to PostgreSQL and Kafka."""
        self._pool = await create_pool(self._settings, size_max=2)
        self._ledger = Ledger(self._pool, self.input_topic, decide)
        await self._publisher.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._publisher.stop()
        self._pool.terminate()

    async def resume_offset(self, partition: int) -> int:
        """Behind the last outcome published, and never beyond what has been applied."""
        position = await self._position(partition)
        return min(position.last_outcome + 1, position.applied)

    def forget(self, partitions: Iterable[int]) -> None:
        """Drop what is known of partitions that are no longer ours."""
        self._positions.forget(partitions)

    async def process(self, partition: int, records: Sequence[Consumed]) -> None:
        """Apply and publish; what was applied before is only published, what was published before is neither.

        Raises ProgressMovedError when another worker has taken the partition over.
        """
        position = await self._position(partition)
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

    async def _position(self, partition: int) -> Position:
        return self._positions.get(partition) or self._positions.keep(partition, await self._load_position(partition))

    async def _load_position(self, partition: int) -> Position:
        applied = await self._ledger.progress(partition)
        position = Position(
            applied,
            await last_source_offset(self._settings, self._outcomes_topic, partition),
            await last_source_offset(self._settings, self._dead_letters_topic, partition),
        )
        if position.last_outcome >= applied:
            _log.error("ledger.behind_outcomes", partition=partition, applied=applied, outcome=position.last_outcome)
        return position


def _refused_letters(applied: Applied, records: Sequence[Consumed]) -> list[DeadLetter]:
    if not applied.refused:
        return []
    by_offset = {record.offset: record for record in records}
    return [DeadLetter(by_offset[r.order.offset], r.cause, r.detail) for r in applied.refused]
