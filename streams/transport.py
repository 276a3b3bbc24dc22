"""A Faust transport that delivers record batches: one event a partition fetch instead of one a record.

Faust spends some 70 µs on each event it delivers. Here an event's value is the list of aiokafka's records, at most
``broker_max_poll_records`` of them, all of one partition; its offset is the last one's. It is registered under the
``faust.transports`` entry point group as ``batches``, so that ``broker="batches://host:9092"`` loads it.
"""

import asyncio
import logging
import os
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple, Protocol, cast

import structlog
import uvloop
from aiokafka import AIOKafkaConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from faust.types.tuples import Message

from sinks.kafka.reading import patch_reading

RESUME_TIMEOUT_S = 60.0
"""Below the 90 s of Faust's ``broker_request_timeout``."""

EXIT_SOFTWARE = 70
"""The exit status for an internal fault, as in BSD's sysexits.h."""

_log = structlog.get_logger(__name__)


class FetchWait(NamedTuple):
    """A broker answers a fetch once it has so many bytes, and at the latest after so long."""

    bytes_min: int
    wait_ms_max: int


class ResumingApp(Protocol):
    """What this transport asks of its app."""

    fetch_wait: FetchWait

    async def resume_offsets(self, assignment: set[TP]) -> Mapping[TP, int]:
        """Where to read on in the partitions just assigned."""


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Reads only what is committed, so that a request taken back with its producer's transaction stays undone, and
    headers of any name."""

    logger = logging.getLogger("faust.transport")  # Faust's own remarks are not ours

    def __init__(self, consumer: "Consumer", **kwargs: Any) -> None:
        super().__init__(consumer, thread_loop=uvloop.new_event_loop(), **kwargs)
        self._close_thread_loop_on_stop = True

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        patch_reading()
        consumer = super()._create_worker_consumer(transport)
        # Faust has no settings for these. They are read when the consumer starts.
        wait = cast("ResumingApp", self.app).fetch_wait
        consumer._fetch_min_bytes, consumer._fetch_max_wait_ms = wait  # noqa: SLF001
        consumer._isolation_level = "read_committed"  # noqa: SLF001 (Faust has a setting only with its own transactions)
        return consumer

    def close(self) -> None:
        """Do nothing: the thread leaves the group at its end.

        Faust calls this for a rebalance that comes while the app stops, and hangs up without leaving: the group would
        wait for our session to run out.
        """

    async def seek_assigned(self, offsets: Mapping[TP, int]) -> dict[TP, int]:
        """Read on at these offsets where the partitions are still ours; returns where."""
        sought: dict[TP, int] = await self.call_thread(self._seek_assigned, offsets)
        return sought

    async def _seek_assigned(self, offsets: Mapping[TP, int]) -> dict[TP, int]:
        # In the consumer's own thread and in one go: no other thread may wake what waits in there, and no rebalance
        # can come between the look and the seek.
        sought = {tp: offset for tp, offset in offsets.items() if tp in self.assignment()}
        for tp, offset in sought.items():
            self.seek(tp, offset)
        return sought


class Consumer(driver.Consumer):
    """Delivers batches and commits the offset after the last one acknowledged without a hole before it."""

    logger = ConsumerThread.logger

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self._delivered: defaultdict[TP, deque[int]] = defaultdict(deque)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:  # noqa: ASYNC109 (Faust's name)
        """Yield a message for each partition of a fetch."""
        records, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            await self.perform_seek()
            return
        for tp, batch in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            if batch and (active is None or tp in active):
                self._delivered[tp].append(batch[-1].offset)
                yield tp, self._batch_message(tp, batch)

    def _batch_message(self, tp: TP, batch: list[object]) -> ConsumerMessage:
        message = self._to_message(tp, batch[-1])
        message.key = None
        message.value = batch  # type: ignore[assignment]  # a list where Faust expects bytes
        message.headers = None
        return message

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Go where the app says it left off; to the committed offset only for partitions it says nothing of.

        A committed offset is a hint: it moves later than the work, and can be reset by hand. Faust gives up in
        silence, and keeps the partitions, when this takes longer than its request timeout: so the process ends
        before, and its supervisor starts another.
        """
        try:
            async with asyncio.timeout(RESUME_TIMEOUT_S):
                return await self._seek_to_resume_offsets()
        except Exception:  # noqa: BLE001 (whatever it is)
            _log.exception("resume.failed")
            os._exit(EXIT_SOFTWARE)

    async def _seek_to_resume_offsets(self) -> Mapping[TP, int]:
        if not self.assignment():
            return {}
        positions = dict(await super().seek_to_committed())
        resume = await cast("ResumingApp", self.app).resume_offsets(self.assignment())
        # What was delivered before is delivered again.
        for bookkeeping in (self._delivered, self._acked, self._acked_index):
            bookkeeping.clear()
        resume = await cast("ConsumerThread", self._thread).seek_assigned(resume)
        ahead = {tp: offset for tp, offset in resume.items() if offset > (positions.get(tp) or 0)}
        if ahead:
            # A worker before us did this and could not say so any more. Without new records nobody else would.
            await self._commit(ahead)
        return {**positions, **resume}

    def _new_consumer_thread(self) -> "ConsumerThread":
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust takes a partition without records for one that hangs. Lag is read from outside."""

    def on_buffer_full(self, tp: TP) -> None:
        """Do nothing: a full buffer blocks the fetching loop, which is pressure enough.

        Faust would take the partition out of the fetch, and sleep a second once all of them are out.
        """

    def on_buffer_drop(self, tp: TP) -> None:
        """Do nothing, see on_buffer_full."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: offsets between two batches were no records, and ``_new_offset`` does not look at them."""

    def _new_offset(self, tp: TP) -> int | None:
        # Faust counts offsets one by one and, across a gap, the delivered one as seen before it is acknowledged.
        acked = self._acked[tp]
        index = self._acked_index[tp]
        delivered = self._delivered[tp]
        offset: int | None = None
        while delivered and delivered[0] in index:
            offset = delivered.popleft()
        if offset is None:
            return None
        acked[:] = [other for other in acked if other > offset]
        index.intersection_update(acked)
        return offset + 1


class Transport(driver.Transport):
    """Faust's aiokafka transport with our consumer."""

    Consumer = Consumer
    driver_version = driver.Transport.driver_version + " in record batches"
