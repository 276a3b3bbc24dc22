"""Works batches off in order, three at a time: one is prepared, the one before committed, the one before published."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Protocol

import structlog
from structlog.contextvars import bind_contextvars

from schemas.crash_points import CrashPoint
from sinks.crash import reach
from sinks.kafka.publisher import Publisher
from sinks.kafka.records import Consumed, content_bytes
from sinks.tracing import BatchSpan, tracing
from streams.metrics import BATCH_RECORDS, BATCH_SECONDS
from streams.stage import Commit, Output, Outputs, Stage
from streams.transport import EXIT_SOFTWARE

_log = structlog.get_logger(__name__)


class Event(Protocol):
    """A Faust event that holds a record batch of one partition."""

    value: list[Consumed]
    message: Any

    def ack(self) -> bool:
        """Let its offset be committed."""


class Line:
    """Between an agent and its stage.

    Under little load, batches are small and each would cost a transaction: so all that wait are worked off together.
    """

    def __init__(self, stage: Stage, publisher: Publisher, *, records_max: int, bytes_max: int) -> None:
        self._stage = stage
        self._publisher = publisher
        self._records_max = records_max
        self._bytes_max = bytes_max
        self._waiting: list[Event] = []
        self._records_waiting = 0
        self._bytes_waiting = 0
        self._changed = asyncio.Condition()
        self._committing = asyncio.Lock()
        self._publishing = asyncio.Lock()
        self._finishing: set[asyncio.Task[None]] = set()

    async def put(self, event: Event) -> None:
        """Add a batch; wait while as many records, or as many bytes, as make a full one are waiting already."""
        async with self._changed:
            await self._changed.wait_for(self._has_room)
            self._waiting.append(event)
            self._records_waiting += len(event.value)
            self._bytes_waiting += content_bytes(event.value)
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return self._records_waiting < self._records_max and self._bytes_waiting < self._bytes_max

    async def run(self) -> None:
        """Work batches off until cancelled. Run it under exit_on_fault."""
        while True:
            events = await self._take()
            batches = _by_partition(events)
            BATCH_RECORDS.labels(self._stage.agent).observe(sum(map(len, batches.values())))
            # Every line of the log about them says so; the task that finishes them inherits it.
            bind_contextvars(agent=self._stage.agent, topic=self._stage.input_topic, **_places(batches))
            span = tracing().batch(self._stage.agent, self._stage.input_topic, batches)
            with span.step("decide"):
                commit = await self._stage.prepare(batches)
            # What comes in while the last one is still being committed makes the next batch.
            await self._committing.acquire()
            finishing = asyncio.create_task(exit_on_fault(self._finish(commit, events, span)))
            self._finishing.add(finishing)
            finishing.add_done_callback(self._finishing.discard)

    async def _finish(self, commit: Commit, events: Sequence[Event], span: BatchSpan) -> None:
        with span:
            outputs = await commit()
            await self._publishing.acquire()
            # Not before: at most one committed batch waits for the brokers.
            self._committing.release()
            await self._publish(outputs, events)
            self._publishing.release()

    async def _take(self) -> list[Event]:
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting)
            taken, self._waiting, self._records_waiting, self._bytes_waiting = self._waiting, [], 0, 0
            self._changed.notify_all()
            return taken

    async def _publish(self, outputs: Outputs, events: Sequence[Event]) -> None:
        reach(CrashPoint.BEFORE_PUBLISH)
        if any(outputs):
            with BATCH_SECONDS.labels(self._stage.agent, "publish").time():
                await publish_outputs(self._publisher, outputs)
        reach(CrashPoint.AFTER_PUBLISH)
        for event in events:
            event.ack()
        reach(CrashPoint.AFTER_ACK)


async def publish_outputs(publisher: Publisher, outputs: Outputs) -> None:
    """Publish phase after phase, the partitions of each at once."""
    for phase in outputs:
        if phase:
            with tracing().sending(phase[0].topic, partitions=[output.partition for output in phase]):
                await asyncio.gather(*(_publish_output(publisher, output) for output in phase))


async def _publish_output(publisher: Publisher, output: Output) -> None:
    await publisher.publish(output.topic, output.partition, output.groups)
    if output.published is not None:
        output.published()


def _by_partition(events: Sequence[Event]) -> dict[int, list[Consumed]]:
    batches: defaultdict[int, list[Consumed]] = defaultdict(list)
    for event in events:
        batch = batches[event.message.partition]
        # After a step back, what was queued before comes once more.
        last = batch[-1].offset if batch else -1
        batch.extend(event.value if event.value[0].offset > last else [r for r in event.value if r.offset > last])
    return batches


def _places(batches: Mapping[int, Sequence[Consumed]]) -> dict[str, list[int]]:
    """Where batches stand on their topic: the offsets are in the order of the partitions."""
    return {
        "partitions": list(batches),
        "first_offsets": [records[0].offset for records in batches.values()],
        "last_offsets": [records[-1].offset for records in batches.values()],
    }


async def exit_on_fault(work: Coroutine[Any, Any, None]) -> None:
    """Do the work, and end the process at once if it fails.

    Whether a batch that failed is in is open; a restart finds out. Faust would start the agent again instead, and
    acknowledge what it has buffered behind the failed event.
    """
    try:
        await work
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        _log.exception("agent.failed")  # nobody has cancelled us, but something that we waited for
        os._exit(EXIT_SOFTWARE)
    except Exception:  # noqa: BLE001 (whatever it is)
        _log.exception("agent.failed")
        os._exit(EXIT_SOFTWARE)
