"""How far the ledger is, against what the topics hold and what was told: whether they belong together."""

from collections.abc import Collection, Mapping, Sequence

import msgspec
from aiokafka import AIOKafkaConsumer

from schemas.settings import Settings
from schemas.topics import TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from sinks.kafka.publisher import source_offset_of
from sinks.kafka.tails import Bounds, bounds_of, committed_reader, last_between, partitions_of
from sinks.ledger import statements
from sinks.ledger.transaction import has_rows
from sinks.postgres.pool import Connection


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One partition: the next request to apply, the last one told of (-1: none), and what the topics hold.

    ``is_untold``: no outcome is left of rows that no worker will tell of again.
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
    requested = settings.topic_name(TRANSFERS_REQUESTED)
    partitions = await partitions_of(consumer, requested)
    told, _ = await _told(settings, consumer, partitions)
    # What was told is applied, and what is applied was requested: each is read after what follows from it.
    rows = await database.fetch(statements.ALL_PROGRESS, requested)
    applied = dict.fromkeys(partitions, 0) | {row["partition"]: row["next_offset"] for row in rows}
    requests = {where.partition: b for where, b in (await bounds_of(consumer, requested, partitions)).items()}
    silent = {partition: applied[partition] for partition in partitions if told[partition] < 0 < applied[partition]}
    begins = {partition: requests[partition][0] for partition in silent}
    untold = await _untold(settings, consumer, database, silent, begins) if silent else set()
    return [
        Standing(partition=p, applied=applied[p], told=told[p], requests=requests[p], is_untold=p in untold)
        for p in partitions
    ]


async def _told(
    settings: Settings, consumer: AIOKafkaConsumer, partitions: Collection[int]
) -> tuple[dict[int, int], dict[int, int]]:
    """The last request told of, -1 where there is none, and where the outcomes end, by partition."""
    outcomes = await bounds_of(consumer, settings.topic_name(TRANSFERS_OUTCOMES), partitions)
    last = await last_between(consumer, outcomes)
    return (
        {where.partition: source_offset_of(last.get(where)) for where in outcomes},
        {where.partition: end for where, (_, end) in outcomes.items()},
    )


async def _untold(
    settings: Settings,
    consumer: AIOKafkaConsumer,
    database: Connection,
    applied: Mapping[int, int],
    begins: Mapping[int, int],
) -> set[int]:
    """Those of these partitions, of which nothing seemed to be told, that have lost outcomes.

    Whoever applied anything had taken the partition over, and left a marker there at least: without one, all that was
    there is gone. With one, workers tell of whatever requests are still on their topic.
    """
    # Once more: a worker may have begun since, and told.
    told, ends = await _told(settings, consumer, applied)
    below = {p: offset if ends[p] == 0 else begins[p] for p, offset in applied.items() if told[p] < 0}
    return {p for p, offset in below.items() if offset > 0 and await has_rows(database, [p], offset)}


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
    return fault, fault is None and any(standing.is_behind for standing in standings)
