"""What stands between the ledger and the topics."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, TopicPartition

from ops.recover.request_ids import id_of
from ops.recover.statements import COUNT_UNTOLD, LAST_ROW, LOST_LETTERS
from schemas.settings import Settings
from schemas.topics import AUDIT, DEAD_LETTERS, NOTIFICATIONS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED, Topic
from sinks.kafka.publisher import source_offset_of
from sinks.kafka.stretches import first_record
from sinks.kafka.tails import bounds_of, last_between
from sinks.ledger.statements import ALL_PROGRESS
from sinks.postgres.pool import Connection
from streams.standing import Standing, read_standings, renewing

STATEMENT_TIMEOUT_S = 3600.0

RETELL_ALL = -1
"""Noted of a partition whose outcomes are published anew, although workers could: to nobody's notice."""


@dataclass(frozen=True, slots=True)
class Findings:
    """All by partition. ``renewals`` are what an earlier run has begun: where the requests are to begin, ``RETELL_ALL``
    where these are whole and the outcomes are not, or 0."""

    standings: list[Standing]
    renewals: Mapping[int, int]
    untold: Mapping[int, int]
    """Rows whose outcome is gone, and which no worker will tell of."""
    undelivered_end: Mapping[int, int]
    """Where the notifications end, of partitions of which more was delivered."""
    lost_actions: Mapping[int, int]
    """How often something was done about dead letters that are gone."""
    letter_ends: Mapping[int, int]
    replaced: list[int] = field(default_factory=list)
    """Partitions of the requests that reach as far as was applied, and hold other requests than those."""
    followed_beyond: list[str] = field(default_factory=list)
    """Followers of the outcomes that have come further than these go, in words."""

    @property
    def behind(self) -> list[int]:
        """Partitions of which more was told than the ledger has."""
        return [standing.partition for standing in self.standings if standing.is_behind]

    @property
    def short(self) -> list[Standing]:
        """Partitions of the requests that end before what was applied."""
        return [standing for standing in self.standings if standing.is_short]

    @property
    def lost(self) -> dict[int, int]:
        """Where those partitions of the requests are to begin that are not what they were."""
        return {s.partition: s.applied for s in self.standings if s.is_short or s.partition in self.replaced}

    def lines(self) -> list[str]:
        """What is wrong, in words; none where nothing is."""
        found = list(self.followed_beyond)
        if self.renewals:
            found.append("an earlier run was cut off, and workers wait for its end")
        if self.behind:
            found.append(f"the ledger lacks outcomes that were told, of partitions {_listed(self.behind)}")
        found += [
            f"the requests of partition {s.partition} end at {s.requests[1]}, and were applied up to {s.applied}"
            for s in self.short
        ]
        if self.replaced:
            found.append(f"the requests of partitions {_listed(self.replaced)} are others than those that were applied")
        if self.untold:
            found.append(f"{sum(self.untold.values()):,} outcomes are gone, of partitions {_listed(self.untold)}")
        if self.undelivered_end:
            found.append(
                f"the notifications end before what was delivered, of partitions {_listed(self.undelivered_end)}"
            )
        if self.lost_actions:
            found.append(f"{sum(self.lost_actions.values()):,} dead letters that were replayed or discarded are gone")
        return found


async def look(settings: Settings, consumer: AIOKafkaConsumer, database: Connection) -> Findings:
    """Compare. Raises KafkaError and asyncpg's errors."""
    standings = await read_standings(settings, consumer, database)
    partitions = [standing.partition for standing in standings]
    delivered = await _progress(database, settings.topic_name(NOTIFICATIONS))
    notified = await _ends(settings, consumer, NOTIFICATIONS, partitions)
    letter_ends = await _ends(settings, consumer, DEAD_LETTERS, partitions)
    renewals = await _progress(database, renewing(settings))
    lost = await database.fetch(
        LOST_LETTERS, settings.topic_name(DEAD_LETTERS), list(letter_ends), list(letter_ends.values())
    )
    return Findings(
        standings=standings,
        renewals=renewals,
        untold=await _untold(database, standings, renewals),
        undelivered_end={p: notified[p] for p in partitions if delivered.get(p, 0) > notified[p]},
        lost_actions={row["partition"]: row["actions"] for row in lost},
        letter_ends=letter_ends,
        replaced=[
            s.partition for s in standings if s.is_untold and await _is_replaced(settings, consumer, database, s)
        ],
        followed_beyond=await _followed_beyond(settings, consumer, partitions),
    )


async def _is_replaced(
    settings: Settings, consumer: AIOKafkaConsumer, database: Connection, standing: Standing
) -> bool:
    """Whether the request that was applied last, of those that should be there, is another one or none."""
    begin, end = standing.requests
    row = await database.fetchrow(
        LAST_ROW, standing.partition, begin, min(end, standing.applied), timeout=STATEMENT_TIMEOUT_S
    )
    if row is None:
        return False
    where = TopicPartition(settings.topic_name(TRANSFERS_REQUESTED), standing.partition)
    consumer.assign([where])
    record = await first_record(consumer, where, (row["request_offset"], row["request_offset"] + 1))
    return record is None or id_of(record) != row["transfer_id"]


async def _untold(database: Connection, standings: list[Standing], renewals: Mapping[int, int]) -> dict[int, int]:
    rows = await database.fetch(
        COUNT_UNTOLD,
        [standing.partition for standing in standings],
        [standing.told for standing in standings],
        [standing.applied for standing in standings],
        [standing.requests[0] for standing in standings],
        [standing.requests[1] for standing in standings],
        [standing.is_untold or renewals.get(standing.partition) == RETELL_ALL for standing in standings],
        timeout=STATEMENT_TIMEOUT_S,
    )
    return {row["partition"]: row["rows"] for row in rows}


async def _followed_beyond(settings: Settings, consumer: AIOKafkaConsumer, partitions: list[int]) -> list[str]:
    tails = []
    for topic in (NOTIFICATIONS, AUDIT):
        bounds = await bounds_of(consumer, settings.topic_name(topic), partitions)
        tails.append(await last_between(consumer, bounds))
    ends = await _ends(settings, consumer, TRANSFERS_OUTCOMES, partitions)  # later, so that what was followed is below
    found = []
    for last in tails:
        for where, record in last.items():
            followed = source_offset_of(record)
            if followed >= ends[where.partition]:
                found.append(
                    f"{where.topic} has followed partition {where.partition} of the outcomes to {followed}, and that "
                    f"ends at {ends[where.partition]}"
                )
    return found


async def _progress(database: Connection, topic: str) -> dict[int, int]:
    return {row["partition"]: row["next_offset"] for row in await database.fetch(ALL_PROGRESS, topic)}


async def _ends(settings: Settings, consumer: AIOKafkaConsumer, topic: Topic, partitions: list[int]) -> dict[int, int]:
    bounds = await bounds_of(consumer, settings.topic_name(topic), partitions)
    return {where.partition: end for where, (_, end) in bounds.items()}


def _listed(partitions: Mapping[int, int] | list[int]) -> str:
    return ", ".join(map(str, sorted(partitions)))
