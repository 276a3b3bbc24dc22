"""How far the ledger is, against what the topics hold and what was told: whether they belong together."""

from collections.abc import Sequence

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from sinks.kafka.publisher import source_offset_of
from sinks.kafka.tails import Bounds, bounds_of, committed_reader, last_between
from sinks.ledger import statements
from sinks.postgres.pool import Connection


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One partition: the next request to apply, the last one told of (-1: none), and what the topics hold.

    ``is_untold``: no outcome is left of its rows. Of a young partition none is there either, but a worker that took it
    over has left a marker at least.
    """

    partition: int
    applied: int
    told: int
    requests: Bounds
    is_untold: bool = False

    @property
    def is_behind(self) -> bool:
        """Outcomes were told that the ledger does not have: it was restored."""
        return self.told >= self.applied

    @property
    def is_short(self) -> bool:
        """The topic ends before what was applied of it. What comes in there would be taken for applied."""
        return self.applied > self.requests[1]


def fault_of(standings: Sequence[Standing], *, unfinished: bool) -> str | None:
    """Why no worker may go on, and what to do; None where nothing is in the way but a ledger that is behind."""
    if unfinished:
        return "hfts recover was cut off: run it again"
    for standing in standings:
        if standing.is_short:
            return (
                f"partition {standing.partition} of the requests ends at {standing.requests[1]}, and the ledger has "
                f"applied it up to {standing.applied}: Kafka has lost records, or this is another topic of that name. "
                "Run hfts recover"
            )
        if standing.is_untold:
            return (
                f"partition {standing.partition} has no outcomes any more, and the ledger has their rows: Kafka has "
                "lost them. Run hfts recover"
            )
    return None


async def read_standings(settings: Settings, consumer: AIOKafkaConsumer, database: Connection) -> list[Standing]:
    """All partitions as they stand. Raises KafkaError and asyncpg's errors."""
    partitions = range(settings.topic_partitions)
    requested = settings.topic_name(TRANSFERS_REQUESTED)
    outcomes = await bounds_of(consumer, settings.topic_name(TRANSFERS_OUTCOMES), partitions)
    last = await last_between(consumer, outcomes)
    told = {where.partition: source_offset_of(last.get(where)) for where in outcomes}
    # What was told is applied, and what is applied was requested: each is read after what follows from it.
    rows = await database.fetch(statements.ALL_PROGRESS, requested)
    applied: dict[int, int] = {row["partition"]: row["next_offset"] for row in rows}
    requests = await bounds_of(consumer, requested, partitions)
    standings = []
    for where, bounds in requests.items():
        partition = where.partition
        outcomes_end = outcomes[TopicPartition(settings.topic_name(TRANSFERS_OUTCOMES), partition)][1]
        suspicious = told[partition] < 0 < applied.get(partition, 0) and (outcomes_end == 0 or bounds[0] > 0)
        standings.append(
            Standing(
                partition=partition,
                applied=applied.get(partition, 0),
                told=told[partition],
                requests=bounds,
                is_untold=suspicious and await database.fetchval(statements.HAS_ROWS, [partition]),
            )
        )
    return standings


async def is_unfinished(settings: Settings, database: Connection) -> bool:
    """Whether ``hfts recover`` has begun to renew the topic of requests and not come to its end."""
    rows = await database.fetch(statements.ALL_PROGRESS, renewing(settings))
    return bool(rows)


def renewing(settings: Settings) -> str:
    """The name under which ``hfts recover`` notes in the progress what it has begun. No topic can have it."""
    return f"renewing:{settings.topic_name(TRANSFERS_REQUESTED)}"


async def standing_fault(settings: Settings, database: Connection) -> tuple[str | None, bool]:
    """Why no worker may go on, and whether the ledger must catch up first."""
    async with committed_reader(settings) as consumer:
        standings = await read_standings(settings, consumer, database)
    fault = fault_of(standings, unfinished=await is_unfinished(settings, database))
    return fault, any(standing.is_behind for standing in standings)
