"""Delivers what is in the queue, beside the agent that fills it. Several processes may do so at once.

A try is counted and committed before anything is sent, and what became of it is noted afterwards. A process that ends
between the two leaves it open whether the message has arrived, and it is sent again: by no other way of ours is
anything sent twice.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

import asyncpg
import structlog

from schemas.crash_points import CrashPoint
from schemas.settings import Settings
from schemas.smtp_url import parse_smtp_url
from sinks.channels import Channel
from sinks.crash import reach
from sinks.delivery.mail_sender import MailSender
from sinks.delivery.queue import Message, Queue, Taken
from sinks.delivery.tries import TRY_S_MAX, Step, Verdict, after, failed
from sinks.delivery.webhook_sender import WebhookSender
from sinks.metrics import DELIVERIES, DELIVERY_LAG_SECONDS, DELIVERY_TRY_SECONDS
from streams.line import exit_on_fault

PLACES = {"email": 8, "webhook": 32}
"""Messages of each channel that are under way at once in a process."""

POLL_S = 1.0
HOUSEKEEPING_S = 30.0

STOP_S_MAX = 8.0
"""For tries under way when the process is told to end. One that is cut off is done again when its lease is over."""

_RESULTS = {"delivered": "delivered", "failed": "failed", "pending": "retried"}

_log = structlog.get_logger(__name__)


class Sender(Protocol):
    """Sends messages on one channel."""

    async def send(self, message: Message) -> Verdict:
        """Try once."""

    async def close(self) -> None:
        """Disconnect."""


class Lane:
    """Delivers on one channel: a bounded number of messages at once, the longest due first."""

    def __init__(
        self, channel: Channel, queue: Queue, sender: Sender, *, places: int, try_s_max: float = TRY_S_MAX
    ) -> None:
        self.channel = channel
        self._queue = queue
        self._sender = sender
        self._places = places
        self._try_s_max = try_s_max
        self._under_way: dict[asyncio.Task[None], Message] = {}
        self._running: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._ending = False

    def wake(self) -> None:
        """There may be something to do."""
        self._changed.set()

    async def run(self) -> None:
        """Deliver until told to end. Run it under exit_on_fault, in a task of its own."""
        self._running = asyncio.current_task()
        while not self._ending:
            self._changed.clear()
            looked_at = await self.take()
            if not looked_at:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), POLL_S)

    async def take(self) -> int:
        """Begin with what is due, as far as there are places; how many deliveries were looked at for it."""
        free = self._places - len(self._under_way)
        if not free:
            return 0
        found = [await self._queue.take(self.channel, free, self._in_hand())]
        if self.channel == "email" and free > len(found[0].messages):
            found.append(await self._queue.take_digest())
        for taken in found:
            if taken.messages:
                reach(CrashPoint.AFTER_CLAIM)
            self._count(taken)
            for message in taken.messages:
                task = asyncio.create_task(exit_on_fault(self._deliver(message)))
                self._under_way[task] = message
                task.add_done_callback(self._forget)
        return sum(taken.looked_at for taken in found)

    async def end(self) -> None:
        """Begin with nothing more, and let what is under way come to its end, for a bounded time."""
        self._ending = True
        self.wake()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S_MAX):
                if self._running is not None:  # what it is taking right now is ours, and under way next
                    await asyncio.wait([self._running])
                await self.idle()
        left = [*self._under_way, *filter(None, [self._running])]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._sender.close()

    async def idle(self) -> None:
        """Return when nothing is under way."""
        while self._under_way:
            await asyncio.wait(self._under_way)

    def _forget(self, task: asyncio.Task[None]) -> None:
        del self._under_way[task]
        self.wake()

    def _in_hand(self) -> Counter[UUID]:
        return Counter(message.user_id for message in self._under_way.values())

    async def _deliver(self, message: Message) -> None:
        with DELIVERY_TRY_SECONDS.labels(self.channel).time():
            verdict = await self._try(message)
        step = after(verdict, message.tries, random.random())  # noqa: S311 (spreads load)
        await self._queue.note(message, step)
        reach(CrashPoint.AFTER_NOTE)
        DELIVERIES.labels(self.channel, _RESULTS[step.status]).inc(len(message.deliveries))
        if step.status != "delivered":
            _tell(message, step)

    async def _try(self, message: Message) -> Verdict:
        try:
            async with asyncio.timeout(self._try_s_max):
                verdict = await self._sender.send(message)
        except TimeoutError:
            return failed("not done in time")
        except Exception as error:  # noqa: BLE001 (whatever it is: the queue goes on)
            _log.exception("delivery.fault", channel=self.channel, message_id=str(message.message_id))
            return failed(f"a fault of ours ({type(error).__name__})")
        if verdict.how == "accepted":
            reach(CrashPoint.AFTER_HANDOVER)
        return verdict

    def _count(self, taken: Taken) -> None:
        if taken.digested:
            DELIVERIES.labels(self.channel, "digested").inc(taken.digested)
        if taken.given_up:
            DELIVERIES.labels(self.channel, "failed").inc(taken.given_up)
            _log.error("deliveries.given_up", channel=self.channel, count=taken.given_up)


class Deliverer:
    """The lanes of a process: webhooks always, e-mail where there is a mail server."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool) -> None:
        self._queue = Queue(
            pool, emails_per_hour=settings.emails_per_hour, results_kept_s=settings.delivery_results_kept_s
        )
        self.lanes: Sequence[Lane] = [
            Lane("webhook", self._queue, WebhookSender(settings, pool), places=PLACES["webhook"])
        ]
        if settings.smtp_url is not None:
            sender = MailSender(parse_smtp_url(settings.smtp_url.get_secret_value()), settings.smtp_sender)
            self.lanes = [Lane("email", self._queue, sender, places=PLACES["email"]), *self.lanes]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to deliver."""
        self._tasks = [asyncio.create_task(exit_on_fault(lane.run())) for lane in self.lanes]
        self._tasks.append(asyncio.create_task(exit_on_fault(self._keep_house())))

    def wake(self) -> None:
        """Something was queued."""
        for lane in self.lanes:
            lane.wake()

    async def stop(self) -> None:
        """End after what is under way."""
        await asyncio.gather(*(lane.end() for lane in self.lanes))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _keep_house(self) -> None:
        while True:
            await self._queue.prune()
            for lane in self.lanes:
                DELIVERY_LAG_SECONDS.labels(lane.channel).set(await self._queue.lag_s(lane.channel))
            await asyncio.sleep(HOUSEKEEPING_S)


def _tell(message: Message, step: Step) -> None:
    """In the log, without a word of who is told."""
    first = message.deliveries[0]
    tell = _log.error if step.status == "failed" else _log.warning
    tell(
        "delivery.failed" if step.status == "failed" else "delivery.retried",
        channel=message.channel,
        transfer_id=str(first.transfer_id),
        recipient=first.recipient,
        count=len(message.deliveries),
        tries=message.tries,
        pause_s=round(step.pause_s, 1),
        error=step.why,
    )
