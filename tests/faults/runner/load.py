"""An open loop over HTTP and Kafka at once: each request goes out at its time, and again under the same id until it is
acknowledged."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from random import Random

import aiohttp
from aiokafka.errors import KafkaError

from ops.load.http_sender import Api, HttpError, Submission
from ops.load.requests import make_request
from ops.load.schedule import Schedule, due_sends
from ops.load.wallets import Fleet
from schemas.money import UNITS_PER_ONE, format_units
from tests.faults.runner.book import Book, Payment
from tests.faults.runner.producer import Producer

UNDER_WAY_MAX = 20_000
"""More unanswered requests than this are not begun."""

REPEAT_DELAY_S = 0.5
TRIES_MAX = 240
COPIES = 0.02
"""This part of the requests is sent a second time after its acknowledgement, as a client does that has missed it."""

FUNDS_UNITS = 1_000 * UNITS_PER_ONE
UNITS_MAX = 20 * UNITS_PER_ONE


class Load:
    """Sends payments between the wallets of a fleet and writes everything down."""

    def __init__(self, book: Book, fleet: Fleet, apis: Sequence[Api], producer: Producer, random: Random) -> None:
        self.refusals: Counter[str] = Counter()
        """Answers that were no acknowledgement, by what they said."""
        self._book = book
        self._fleet = fleet
        self._apis = apis
        self._producer = producer
        self._random = random
        self._under_way = 0

    async def fund(self) -> None:
        """Give each wallet its money, over Kafka, as everything else; return when all of it is acknowledged."""
        payments = [Payment(self._fleet.world, wallet, FUNDS_UNITS) for wallet in self._fleet.wallets]
        await asyncio.gather(*(self._begin(payment, "kafka", copies=0.0) for payment in payments))

    async def run(self, rates: dict[str, float], stop: asyncio.Event) -> None:
        """So many requests a second each way, until told to stop; return when all have been answered or given up."""
        async with asyncio.TaskGroup() as group:
            for via, rate in rates.items():
                if rate > 0:
                    group.create_task(self._send_all(via, rate, stop, group))

    async def _send_all(self, via: str, rate: float, stop: asyncio.Event, group: asyncio.TaskGroup) -> None:
        schedule = Schedule(rate, 2**40, time.monotonic())
        async for _ in due_sends(schedule):
            if stop.is_set():
                return
            if self._under_way >= UNDER_WAY_MAX:
                self.refusals["not begun: too many unanswered"] += 1
                continue
            group.create_task(self._begin(self._payment(), via, COPIES))

    def _payment(self) -> Payment:
        source, destination = self._random.sample(self._fleet.wallets, 2)
        return Payment(source, destination, self._random.randint(1, UNITS_MAX))

    async def _begin(self, payment: Payment, via: str, copies: float) -> None:
        transfer_id, key, value = make_request(*payment, self._fleet.currency)
        self._book.ask(transfer_id, payment, via, time.monotonic())
        send: Callable[[], Awaitable[None]]
        if via == "http":
            amount = format_units(payment.units)
            submission = Submission(transfer_id, payment.source, payment.destination, amount, self._fleet.currency)
            send = lambda: self._over_http(submission)  # noqa: E731 (two short ways)
        else:
            send = lambda: self._producer.send(key.encode(), value)  # noqa: E731 (likewise)
        self._under_way += 1
        try:
            if await self._until_acknowledged(send):
                self._book.acknowledge(transfer_id, time.monotonic())
                if self._random.random() < copies:
                    await self._until_acknowledged(send)
        finally:
            self._under_way -= 1

    async def _until_acknowledged(self, send: Callable[[], Awaitable[None]]) -> bool:
        for _ in range(TRIES_MAX):
            try:
                await send()
            except (HttpError, KafkaError, aiohttp.ClientError, ValueError, TimeoutError) as error:
                self.refusals[_what(error)] += 1
                await asyncio.sleep(REPEAT_DELAY_S)
            else:
                return True
        return False

    async def _over_http(self, submission: Submission) -> None:
        api = self._random.choice(self._apis)
        await api.submit(api.admin, submission)


def _what(error: Exception) -> str:
    return str(error) if isinstance(error, HttpError) else type(error).__name__
