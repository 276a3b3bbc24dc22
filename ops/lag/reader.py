"""Reads end offsets and committed offsets from Kafka, and the applied ones from PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError

from ops.lag.records_end import RecordsEnds
from ops.lag.report import LagReport, PartitionLag
from ops.topic_reader import Span, group_free_consumer, partition_counts, topic_spans
from schemas.settings import Settings
from schemas.topics import NOTIFICATIONS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED, Topic
from sinks.kafka.options import client_options
from sinks.kafka.tails import last_between
from sinks.ledger.statements import ALL_PROGRESS
from sinks.postgres.pool import Connection, connect

GROUPS: tuple[tuple[str, Topic], ...] = (
    ("transfers", TRANSFERS_REQUESTED),
    ("notifications", TRANSFERS_OUTCOMES),
    ("audit", TRANSFERS_OUTCOMES),
    ("deliveries", NOTIFICATIONS),
)
"""Each agent and the topic it consumes."""

LOADING_ATTEMPTS_MAX = 60
LOADING_DELAY_S = 0.5
_NOT_LOADED = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)


def group_name(settings: Settings, agent: str) -> str:
    """The consumer group of an agent on this cluster."""
    return settings.group_name(agent)


class LagReader:
    """Reads the lag again and again over the same connections."""

    def __init__(
        self, settings: Settings, admin: Any, consumer: AIOKafkaConsumer, database: Connection, counts: dict[str, int]
    ) -> None:
        self._settings = settings
        self._admin = admin
        self._consumer = consumer
        self._records_ends = RecordsEnds(partial(last_between, consumer))
        self._database = database
        self._counts = counts

    async def read(self) -> LagReport:
        """The lag of all groups now. The ends are read last, so that no lag comes out too small."""
        committed = {agent: await self._committed(agent) for agent, _ in GROUPS}
        applied = await applied_offsets(self._database, self._settings)
        spans = await topic_spans(self._consumer, self._counts)
        found = [
            self._partition_lag(agent, span, committed[agent], applied)
            for agent, topic in GROUPS
            for span in spans
            if span.topic == self._settings.topic_name(topic)
        ]
        lowest: dict[TopicPartition, int] = {}
        for lag in found:
            where = TopicPartition(lag.topic, lag.partition)
            lowest[where] = min(lag.reached, lowest.get(where, lag.reached))
        ends = await self._records_ends.find(spans, lowest)
        return LagReport([replace(lag, records_end=ends[TopicPartition(lag.topic, lag.partition)]) for lag in found])

    def _partition_lag(
        self, agent: str, span: Span, committed: dict[tuple[str, int], int], applied: dict[int, int]
    ) -> PartitionLag:
        return PartitionLag(
            group=group_name(self._settings, agent),
            topic=span.topic,
            partition=span.partition,
            begin=span.begin,
            end=span.end,
            records_end=span.end,
            committed=committed.get((span.topic, span.partition)),
            applied=applied.get(span.partition) if agent == "transfers" else None,
        )

    async def _committed(self, agent: str) -> dict[tuple[str, int], int]:
        return await committed_offsets(self._admin, group_name(self._settings, agent))


async def committed_offsets(admin: Any, group: str) -> dict[tuple[str, int], int]:
    """What a group has committed, by topic and partition."""
    for attempt in range(LOADING_ATTEMPTS_MAX):
        try:
            offsets = await admin.list_consumer_group_offsets(group)
            break
        except _NOT_LOADED:  # a broker that has just started answers for its groups only once it has loaded them
            if attempt == LOADING_ATTEMPTS_MAX - 1:
                raise
            await asyncio.sleep(LOADING_DELAY_S)
    return {(tp.topic, tp.partition): found.offset for tp, found in offsets.items() if found.offset >= 0}


async def applied_offsets(database: Connection, settings: Settings) -> dict[int, int]:
    """The next offset to apply, by partition of the request topic."""
    rows = await database.fetch(ALL_PROGRESS, settings.topic_name(TRANSFERS_REQUESTED))
    return {row["partition"]: row["next_offset"] for row in rows}


@asynccontextmanager
async def admin_client(settings: Settings) -> AsyncIterator[Any]:
    """A started admin client."""
    admin: Any = AIOKafkaAdminClient(**client_options(settings))
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def lag_reader(settings: Settings) -> AsyncIterator[LagReader]:
    """A reader with its connections. Raises TopicReadError, KafkaError, OSError or asyncpg.PostgresError."""
    topics = [settings.topic_name(topic) for topic in (TRANSFERS_REQUESTED, TRANSFERS_OUTCOMES, NOTIFICATIONS)]
    counts = await partition_counts(settings, topics)
    database = await connect(settings)
    try:
        async with admin_client(settings) as admin, group_free_consumer(settings) as consumer:
            yield LagReader(settings, admin, consumer, database, counts)
    finally:
        database.terminate()  # nothing is under way, and a server that hangs would not let us go
