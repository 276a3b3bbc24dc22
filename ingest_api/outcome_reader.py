"""Everything that wants to know of outcomes as they are published, behind one reading of their topics."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from aiokafka import TopicPartition

from ingest_api.event_feed import EventFeed
from ingest_api.owners import WalletOwners
from ingest_api.stream_limits import StreamLimits
from ingest_api.waits import Waits
from ingest_api.watched_wallets import WatchedWallets
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, TRANSFERS_OUTCOMES
from sinks.directory.wallets import Wallets
from sinks.kafka.live_tail import Ends, LiveTail
from sinks.kafka.past_outcomes import PastOutcomes
from sinks.kafka.records import Consumed

STREAMS_MAX = 256
CALLER_STREAMS_MAX = 8
CATCH_UPS_MAX = 8
"""Streams that read what their clients have missed, over a connection to Kafka each. The others wait for their turn."""

STOP_TIMEOUT_S = 5.0


class Following(Protocol):
    """What reads the topics."""

    async def follow(self, timeout_s: float) -> bool:
        """Whether all records are told from now on; waits so long for it."""


class OutcomeReader:
    """Tells waits and streams."""

    def __init__(self, outcomes_topic: str, waits: Waits, events: EventFeed, streams: StreamLimits) -> None:
        self._outcomes_topic = outcomes_topic
        self._waits = waits
        self._events = events
        self._streams = streams

    @property
    def is_wanted(self) -> bool:
        """Whether anybody waits or has a stream open."""
        return bool(self._waits) or self._streams.count > 0

    def begin(self, ends: Ends) -> None:
        """All records are told from now on."""
        nexts = {where.partition: end for where, end in ends.items() if where.topic == self._outcomes_topic}
        self._events.begin([nexts[partition] for partition in sorted(nexts)])

    def take(self, where: TopicPartition, records: Sequence[Consumed]) -> None:
        """These were published."""
        if where.topic == self._outcomes_topic:
            self._waits.tell_outcomes(records)
            self._events.put(where.partition, records)
        else:
            self._waits.tell_letters(records)

    def lose(self) -> None:
        """Records may be missed from now on."""
        self._waits.end_all()
        self._events.lose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What routes use of it."""

    waits: Waits
    events: EventFeed
    streams: StreamLimits
    following: Following
    past: PastOutcomes
    catching_up: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CATCH_UPS_MAX))


@asynccontextmanager
async def open_outcomes(settings: Settings, wallets: Wallets, owners: WalletOwners) -> AsyncIterator[Outcomes]:
    """Ready to follow as soon as somebody wants to know. Kafka need not be up."""
    topic, letters = settings.topic_name(TRANSFERS_OUTCOMES), settings.topic_name(DEAD_LETTERS)
    waits, events = Waits(), EventFeed(WatchedWallets(wallets, owners))
    streams = StreamLimits(count_max=STREAMS_MAX, caller_max=CALLER_STREAMS_MAX)
    tail = LiveTail(settings, (topic, letters), OutcomeReader(topic, waits, events, streams))
    following = asyncio.create_task(tail.run(), name="outcomes")
    telling = asyncio.create_task(events.run(), name="events")
    try:
        yield Outcomes(waits=waits, events=events, streams=streams, following=tail, past=PastOutcomes(settings))
    finally:
        waits.close()
        events.lose()
        tail.stop()
        telling.cancel()
        # aiokafka leaves connections open when it is cancelled, so it gets the time to end by itself.
        await asyncio.wait({following}, timeout=STOP_TIMEOUT_S)
        following.cancel()
        for task in (following, telling):
            with suppress(asyncio.CancelledError):
                await task
