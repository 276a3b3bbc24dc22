"""Outcomes on their way to streams of events: matched with those who watch, in order, and held within bounds."""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog

from ingest_api.event_ids import event_id
from ingest_api.tokens import Caller
from ingest_api.told import row_of
from ingest_api.visibility import visible_part
from ingest_api.watched_wallets import WatchedWallets
from schemas.http import Transfer
from schemas.outcome_ids import DESTINATION_WALLET_ID, SOURCE_WALLET_ID
from schemas.transfers import decode_outcome
from sinks.errors import DatabaseAwayError
from sinks.kafka.records import Consumed

QUEUE_RECORDS_MAX = 20_000
"""Outcomes that wait to be matched. More only come together while the database does not answer."""

BUFFER_BYTES_MAX = 256 * 1024
"""What waits for one client to read it; a single event may be larger."""

_log = structlog.get_logger(__name__)


class Subscription:
    """One stream. ``floor``: the next offset of each partition that its client has not been told of."""

    def __init__(self, caller: Caller, floor: list[int], *, sees_all: bool) -> None:
        self.caller = caller
        self.sees_all = sees_all
        self.floor = floor
        self.has_ended = False
        """Nothing more comes, and what waits is not worth sending: the client asks again from where it is."""
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._changed = asyncio.Event()

    def put(self, event: bytes) -> None:
        """Let this be sent, unless the client is too far behind."""
        if self._waiting and self._waiting_bytes + len(event) > BUFFER_BYTES_MAX:
            _log.info("events.client_too_slow", caller=self.caller.user_id)
            self.end()
        if event and not self.has_ended:
            self._waiting.append(event)
            self._waiting_bytes += len(event)
            self._changed.set()

    def end(self) -> None:
        """Send nothing more."""
        self.has_ended = True
        self._waiting.clear()
        self._changed.set()

    async def take(self) -> bytes:
        """All that waits to be sent, as soon as there is something; b"" at the end."""
        while not self._waiting and not self.has_ended:
            self._changed.clear()
            await self._changed.wait()
        taken = b"".join(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0
        return taken


class EventFeed:
    """Tells subscriptions of what they may see. ``nexts``: of each partition, the next offset to be told."""

    def __init__(self, wallets: WatchedWallets) -> None:
        self.wallets = wallets
        self.nexts: list[int] = []
        self.is_live = False
        """Whether outcomes come. They do from `begin` to `lose`."""
        self._subscriptions: set[Subscription] = set()
        self._queue: deque[tuple[int, Sequence[Consumed]]] = deque()
        self._queued = 0
        self._changed = asyncio.Event()

    @contextmanager
    def subscribed(self, subscription: Subscription) -> Iterator[None]:
        """Tell it of everything from `nexts` on."""
        self._subscriptions.add(subscription)
        try:
            yield
        finally:
            self._subscriptions.discard(subscription)

    def begin(self, nexts: list[int]) -> None:
        """Outcomes come from these offsets on."""
        self.nexts = nexts
        self.is_live = True

    def lose(self) -> None:
        """No more outcomes come before the next `begin`, and some may be missed."""
        self.is_live = False
        self.end_all()

    def put(self, partition: int, records: Sequence[Consumed]) -> None:
        """These were published. They are told by `run`, or by nobody if nobody listens."""
        if not self._subscriptions and not self._queue:
            self.nexts[partition] = records[-1].offset + 1
            return
        self._queue.append((partition, records))
        self._queued += len(records)
        self._changed.set()
        if self._queued > QUEUE_RECORDS_MAX:
            _log.warning("events.database_too_slow", outcomes=self._queued)
            self.end_all()

    def end_all(self) -> None:
        """End every stream. Their clients come again, and are told what they missed."""
        for subscription in self._subscriptions:
            subscription.end()
        self._subscriptions.clear()
        for partition, records in self._queue:
            self.nexts[partition] = records[-1].offset + 1
        self._queue.clear()
        self._queued = 0

    async def run(self) -> None:
        """Tell what comes, until cancelled."""
        while True:
            self._changed.clear()
            while self._queue:
                try:
                    await self._tell_next()
                except DatabaseAwayError as error:
                    _log.warning("events.database_away", error=str(error))
                    self.end_all()
                except Exception:  # noqa: BLE001 (whatever it is, clients come again)
                    _log.exception("events.fault")
                    self.end_all()
                await asyncio.sleep(0)  # others first
            await self._changed.wait()

    async def _tell_next(self) -> None:
        _, records = self._queue[0]
        await self.wallets.learn(records)
        if self._queue and self._queue[0][1] is records:  # and not all streams have ended meanwhile
            partition, _ = self._queue.popleft()
            self._queued -= len(records)
            self._tell(partition, records)

    def _tell(self, partition: int, records: Sequence[Consumed]) -> None:
        user_of = self.wallets.user_of
        for_all = [each for each in self._subscriptions if each.sees_all]
        for record in records:
            value = record.value or b""
            source, destination = user_of(value[SOURCE_WALLET_ID]), user_of(value[DESTINATION_WALLET_ID])
            if source is None and destination is None and not for_all:
                continue
            self.nexts[partition] = record.offset + 1
            for each in self._subscriptions:
                is_told = each.sees_all or each.caller.user_id in (source, destination)
                if is_told and record.offset >= each.floor[partition]:
                    each.put(event_of(self.wallets, each, record, self.nexts))
        self.nexts[partition] = records[-1].offset + 1


def event_of(wallets: WatchedWallets, subscription: Subscription, record: Consumed, nexts: Sequence[int]) -> bytes:
    """What this stream is told of an outcome; b"" where its caller may not know of it.

    ``nexts``: what comes next, behind the outcome.
    """
    value = record.value or b""
    outcome = decode_outcome(value)
    row = row_of(outcome, wallets.user_of(value[SOURCE_WALLET_ID]), wallets.user_of(value[DESTINATION_WALLET_ID]))
    visible = visible_part(subscription.caller, row)
    if visible is None:
        return b""
    data = Transfer.model_validate(visible).model_dump_json()
    kind = visible.status.lower()
    return f"{id_line(subscription, nexts)}event: transfer.{kind}\ndata: {data}\n\n".encode()


def id_line(subscription: Subscription, nexts: Sequence[int]) -> str:
    """The line with the id of an event behind which these offsets come next."""
    # A client may know more than this process has read yet.
    return f"id: {event_id([max(pair) for pair in zip(nexts, subscription.floor, strict=True)])}\n"
