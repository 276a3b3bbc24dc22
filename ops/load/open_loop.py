"""An open loop: every request goes out at its time, however long the others take."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import aiohttp
from aiokafka.errors import KafkaError

from ops.load.http_sender import HttpError
from ops.load.kafka_sender import KafkaSender
from ops.load.outcomes import OutcomeWatcher
from ops.load.report import LoadReport
from ops.load.requests import KeyedRequest
from ops.load.schedule import Schedule, due_sends

UNDER_WAY_MAX = 20_000
"""More unanswered sends than this are not begun, but counted as the error ``overload``: memory stays bounded."""

SETTLE_TIMEOUT_S = 30.0
HEAD_START_S = 0.05


class OpenLoop:
    """Counts what happens to the sends of one load."""

    def __init__(self, report: LoadReport, watcher: OutcomeWatcher) -> None:
        self._report = report
        self._watcher = watcher
        self._errors: Counter[str] = Counter()
        self._under_way = 0

    def begin(self, transfer_id: str, intended_s: float) -> bool:
        """Whether there is room for this send; the watcher looks out for it from now on."""
        self._report.sent += 1
        if self._under_way >= UNDER_WAY_MAX:
            self._errors["overload"] += 1
            return False
        self._under_way += 1
        self._watcher.expect(transfer_id, intended_s)
        return True

    def end(self, transfer_id: str, error: str | None) -> None:
        """It was accepted, or it failed with this error."""
        self._under_way -= 1
        if error is None:
            self._report.accepted += 1
        else:
            self._errors[error] += 1
            self._watcher.give_up(transfer_id)

    async def finish(self, start_s: float) -> LoadReport:
        """Wait for the outcomes and complete the report."""
        self._report.took_s = time.monotonic() - start_s
        self._report.unanswered = await self._watcher.settle(SETTLE_TIMEOUT_S)
        self._report.errors = dict(self._errors)
        self._report.results = self._watcher.results
        self._report.latencies = self._watcher.latencies
        return self._report


async def load_kafka(
    report: LoadReport, watcher: OutcomeWatcher, sender: KafkaSender, make: Callable[[int], KeyedRequest]
) -> LoadReport:
    """Send ``rate * duration_s`` requests straight to Kafka. ``make`` is given each one's number."""
    loop = OpenLoop(report, watcher)
    schedule = _schedule(report)
    async for index, intended_s in due_sends(schedule):
        transfer_id, key, value = make(index)
        if loop.begin(transfer_id, intended_s):
            await _send_kafka(loop, sender, transfer_id, key.encode(), value)
    await sender.flush()
    return await loop.finish(schedule.start_s)


async def _send_kafka(loop: OpenLoop, sender: KafkaSender, transfer_id: str, key: bytes, value: bytes) -> None:
    def done(error: BaseException | None) -> None:
        loop.end(transfer_id, None if error is None else type(error).__name__)

    try:
        await sender.send(key, value, done)
    except KafkaError as error:
        loop.end(transfer_id, type(error).__name__)


async def load_http(
    report: LoadReport, watcher: OutcomeWatcher, make: Callable[[int], tuple[str, Callable[[], Awaitable[object]]]]
) -> LoadReport:
    """Send ``rate * duration_s`` requests over HTTP. ``make`` is given each one's number, and gives the transfer's id,
    which its client has made, and what sends it: raises HttpError, aiohttp.ClientError or TimeoutError."""
    loop = OpenLoop(report, watcher)
    schedule = _schedule(report)
    async with asyncio.TaskGroup() as tasks:
        async for index, intended_s in due_sends(schedule):
            transfer_id, send = make(index)
            if loop.begin(transfer_id, intended_s):
                tasks.create_task(_send_http(loop, transfer_id, send))
    return await loop.finish(schedule.start_s)


async def _send_http(loop: OpenLoop, transfer_id: str, send: Callable[[], Awaitable[object]]) -> None:
    error: str | None = None
    try:
        await send()
    except HttpError as failure:
        error = str(failure)
    except (aiohttp.ClientError, TimeoutError) as failure:
        error = type(failure).__name__
    loop.end(transfer_id, error)


def _schedule(report: LoadReport) -> Schedule:
    count = max(1, round(report.rate * report.duration_s))
    return Schedule(report.rate, count, time.monotonic() + HEAD_START_S)
