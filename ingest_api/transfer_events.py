"""One stream of a caller's outcomes: what its client has missed, then what comes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import structlog
from aiokafka.errors import KafkaError

from ingest_api.event_feed import Subscription, event_of, id_line
from ingest_api.event_ids import read_event_id
from ingest_api.outcome_reader import Outcomes
from ingest_api.problems import ProblemError, invalid_request
from ingest_api.tokens import Caller
from schemas.codes import ProblemCode
from schemas.outcome_ids import DESTINATION_WALLET_ID, SOURCE_WALLET_ID
from sinks.errors import SinkError
from sinks.kafka.past_outcomes import OpenPast
from sinks.kafka.records import Consumed

FOLLOW_TIMEOUT_S = 5.0
PAST_TIMEOUT_S = 10.0

HEARTBEAT_S = 15.0
"""Proxies cut connections off that say nothing for a minute or so."""

RETRY_MS = 2_000

_FAULTS = (KafkaError, SinkError, OSError, TimeoutError)
_log = structlog.get_logger(__name__)


@asynccontextmanager
async def transfer_events(
    outcomes: Outcomes, caller: Caller, after: str | None, *, sees_all: bool
) -> AsyncIterator[AsyncGenerator[bytes]]:
    """The events behind the id ``after``, or from now on.

    Raises ProblemError: 422 for an id that is none, 429 and 503 for too many streams, 503 without Kafka; and
    DatabaseAwayError.
    """
    feed = outcomes.events
    with outcomes.streams.one_more(caller.user_id):
        if not await outcomes.following.follow(FOLLOW_TIMEOUT_S):
            raise ProblemError(503, ProblemCode.BROKER_UNAVAILABLE)
        async with feed.wallets.watched_by(caller.user_id):
            if not feed.is_live:
                raise ProblemError(503, ProblemCode.BROKER_UNAVAILABLE)
            nexts = list(feed.nexts)
            try:
                floor = nexts if after is None else read_event_id(after, len(nexts))
            except ValueError as error:
                raise invalid_request(("after", str(error))) from None
            subscription = Subscription(caller, list(floor), sees_all=sees_all)
            with feed.subscribed(subscription):
                if any(next_ > told for next_, told in zip(floor, nexts, strict=True)):
                    await _require_offsets(outcomes, floor)
                yield _Stream(outcomes, subscription, nexts).events()


async def _require_offsets(outcomes: Outcomes, floor: list[int]) -> None:
    """Return if all these offsets exist, as another process may have told them. Raises ProblemError (422, 503)."""
    try:
        async with asyncio.timeout(PAST_TIMEOUT_S), outcomes.past.opened(len(floor)) as past:
            is_known = all(next_ <= end for next_, (_, end) in zip(floor, past.bounds, strict=True))
    except _FAULTS:
        raise ProblemError(503, ProblemCode.BROKER_UNAVAILABLE) from None
    if not is_known:
        raise invalid_request(("after", "is not the id of an event: there are fewer outcomes"))


class _Stream:
    """``told``: where the live outcomes begin, of each partition."""

    def __init__(self, outcomes: Outcomes, subscription: Subscription, told: list[int]) -> None:
        self._outcomes = outcomes
        self._subscription = subscription
        self._told = told

    async def events(self) -> AsyncGenerator[bytes]:
        subscription, feed = self._subscription, self._outcomes.events
        yield f"retry: {RETRY_MS}\n{id_line(subscription, subscription.floor)}\n".encode()
        if any(next_ < told for next_, told in zip(subscription.floor, self._told, strict=True)):
            try:
                async with (
                    self._outcomes.catching_up,
                    self._outcomes.past.opened(len(self._told)) as past,
                    aclosing(self._missed(past)) as missed,
                ):
                    async for part in missed:
                        yield part
            except _FAULTS as error:
                # The client comes again, with the id that it has come to.
                _log.warning("events.past_unreadable", error=f"{type(error).__name__}: {error}")
                return
        while not subscription.has_ended:
            try:
                part = await asyncio.wait_for(subscription.take(), HEARTBEAT_S)
            except TimeoutError:
                # With an id and without data this is no event, but the next one is asked for behind it.
                part = f": nothing new\n{id_line(subscription, feed.nexts)}\n".encode()
            if part:
                yield part

    async def _missed(self, past: OpenPast) -> AsyncGenerator[bytes]:
        """What is behind the floor, and not told live."""
        subscription, wallets = self._subscription, self._outcomes.events.wallets
        nexts = list(subscription.floor)
        said_s = _now_s()
        for partition, told in enumerate(self._told):
            async with aclosing(past.between(partition, nexts[partition], told)) as reading:
                async for records in reading:
                    await wallets.learn(records)
                    part = b"".join([self._event(record, nexts) for record in records])
                    if not part and _now_s() - said_s > HEARTBEAT_S:
                        part = f"{id_line(subscription, nexts)}\n".encode()
                    if part:
                        said_s = _now_s()
                        yield part
                    await asyncio.sleep(0)  # others first
            nexts[partition] = max(nexts[partition], told)
        yield f"{id_line(subscription, nexts)}\n".encode()

    def _event(self, record: Consumed, nexts: list[int]) -> bytes:
        """What is told of an old outcome, if anything. ``nexts`` is led behind it."""
        subscription, wallets, value = self._subscription, self._outcomes.events.wallets, record.value or b""
        nexts[record.partition] = record.offset + 1
        users = (wallets.user_of(value[SOURCE_WALLET_ID]), wallets.user_of(value[DESTINATION_WALLET_ID]))
        if not subscription.sees_all and subscription.caller.user_id not in users:
            return b""
        return event_of(wallets, subscription, record, nexts)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
