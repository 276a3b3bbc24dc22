"""How far Kafka and PostgreSQL have come, each by its own account."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ops.doctor.facts import statements
from ops.doctor.facts.attempt import attempt
from ops.doctor.facts.database import DatabaseFacts
from ops.doctor.facts.kafka import KafkaFacts
from ops.doctor.finding import Unknown
from ops.topic_reader import Span, group_free_consumer, topic_spans
from schemas.headers import source_offset
from schemas.settings import Settings
from schemas.topics import NOTIFICATIONS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from sinks.kafka.tails import last_records
from sinks.postgres.pool import connect


@dataclass(frozen=True, slots=True)
class Standing:
    """``told`` has the offset of the request that the last outcome of each partition followed from, ``progress`` the
    next offset by topic and partition as the database has it, ``spans`` what the topics hold.

    They are read in this order. So while workers go on, what was told is never behind what is applied, nor that behind
    what is there.
    """

    told: Mapping[int, int]
    progress: Mapping[tuple[str, int], int]
    spans: Sequence[Span]


async def read_standing(settings: Settings | Unknown, database: DatabaseFacts, kafka: KafkaFacts) -> Standing | Unknown:
    """All three, within 5 s, where both servers can be asked."""
    if isinstance(settings, Unknown):
        return settings
    if isinstance(kafka.readable, Unknown):
        return kafka.readable
    if isinstance(database.migrations, Unknown):
        return database.migrations
    return await attempt(_read(kafka.inside(settings), kafka.readable))


async def _read(settings: Settings, readable: Mapping[str, int]) -> Standing:
    outcomes = settings.topic_name(TRANSFERS_OUTCOMES)
    last = await last_records(settings, outcomes, range(readable[outcomes]))
    told = {partition: source_offset(record.headers) for partition, record in last.items()}
    progress = await _read_progress(settings)
    async with group_free_consumer(settings) as consumer:
        spans = await topic_spans(consumer, dict(readable))
    return Standing({partition: offset for partition, offset in told.items() if offset is not None}, progress, spans)


async def _read_progress(settings: Settings) -> Mapping[tuple[str, int], int]:
    connection = await connect(settings)
    try:
        topics = [settings.topic_name(topic) for topic in (TRANSFERS_REQUESTED, NOTIFICATIONS)]
        rows = await connection.fetch(statements.PROGRESS, topics)
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
    finally:
        connection.terminate()
