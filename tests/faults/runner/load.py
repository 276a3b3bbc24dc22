"""An open loop over HTTP and Kafka at once: each request goes out at its time, and again under the same id until it is
acknowledged."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID, uuid4, uuid5

from aiokafka.errors import KafkaError

from hfts_client import (
    ApiError,
    AsyncClient,
    ConflictError,
    HftsError,
    IdempotencyKeyReusedError,
    NotFoundError,
)
from ops.load.schedule import Schedule, due_sends
from ops.load.wallets import Fleet
from schemas.money import UNITS_PER_ONE, format_units
from schemas.transfers import CAPTURE, VOID, TransferRequest, encode_request
from tests.faults.runner.book import Book, Payment
from tests.faults.runner.drawing import SHARE, UNITS_MAX, Drawing
from tests.faults.runner.producer import Producer

UNDER_WAY_MAX = 20_000
"""More unanswered requests than this are not begun."""

REPEAT_DELAY_S = 0.5
TRIES_MAX = 240
COPIES = 0.02
COPIES_OF_DRAWS = 0.2
"""This part of the requests is sent a second time after its acknowledgement, as a client does that has missed it."""

FUNDS_UNITS = 1_000 * UNITS_PER_ONE
Send = Callable[[], Awaitable[None]]


class Load:
    """Sends payments between the wallets of a fleet, holds and draws among them, and writes everything down.

    ``apis`` are clients of one account, ``user_id``, that may move all money; they send everything once.
    """

    def __init__(
        self,
        book: Book,
        fleet: Fleet,
        producer: Producer,
        apis: Sequence[AsyncClient],
        *,
        user_id: UUID,
        random: Random,
    ) -> None:
        self.refusals: Counter[str] = Counter()
        """Answers that were no acknowledgement, by what they said."""
        self._book = book
        self._fleet = fleet
        self._apis = apis
        self._user_id = user_id
        self._producer = producer
        self._random = random
        self._drawing = Drawing(book, fleet.wallets, random)
        self._under_way = 0

    async def fund(self) -> None:
        """Give each wallet its money, over Kafka, as everything else; return when all of it is acknowledged.

        And a hold, whatever comes of it: so that hold wallets are there, and whoever owns them is told of everything.
        """
        payments = [Payment(self._fleet.world, wallet, FUNDS_UNITS) for wallet in self._fleet.wallets]
        payments += [self._drawing.hold(wallet) for wallet in self._fleet.wallets]
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
            if self._random.random() < SHARE:
                payment = self._drawing.next(may_leave_open=via == "http")
                group.create_task(self._begin(payment, via, COPIES_OF_DRAWS))
            else:
                source, destination = self._random.sample(self._fleet.wallets, 2)
                payment = Payment(source, destination, self._random.randint(1, UNITS_MAX))
                group.create_task(self._begin(payment, via, COPIES))

    async def _begin(self, payment: Payment, via: str, copies: float) -> None:
        key = str(uuid4())
        transfer_id = str(uuid5(self._user_id, key)) if via == "http" and payment.kind is not None else key
        self._book.ask(transfer_id, payment, via, time.monotonic())
        send = self._over_http(key, payment) if via == "http" else self._over_kafka(transfer_id, payment)
        self._under_way += 1
        try:
            if await self._until_acknowledged(transfer_id, send):
                self._book.acknowledge(transfer_id, time.monotonic())
                self._drawing.note(transfer_id)
                if self._random.random() < copies:
                    await self._until_acknowledged(transfer_id, send)
        finally:
            self._under_way -= 1

    async def _until_acknowledged(self, transfer_id: str, send: Send) -> bool:
        for _ in range(TRIES_MAX):
            try:
                await send()
            except (NotFoundError, ConflictError) as error:  # nothing to draw on, or nothing is left of it
                self.refusals[_what(error)] += 1
                return False
            except IdempotencyKeyReusedError as error:
                self.refusals[_what(error)] += 1
                self._book.refused.add(transfer_id)
                return False
            except (HftsError, KafkaError, TimeoutError) as error:
                self.refusals[_what(error)] += 1
                await asyncio.sleep(REPEAT_DELAY_S)
            else:
                return True
        return False

    def _over_kafka(self, transfer_id: str, payment: Payment) -> Send:
        assert payment.units is not None, "only the API says how much is left"
        request = TransferRequest(
            transfer_id=transfer_id,
            source_wallet_id=payment.source,
            destination_wallet_id=payment.destination,
            amount=format_units(payment.units),
            currency=self._fleet.currency,
            requested_at=datetime.now(UTC),
            kind=payment.kind,
            parent_id=payment.parent,
            expires_at=payment.expires_at,
        )
        key, value = payment.source.encode(), encode_request(request)
        return lambda: self._producer.send(key, value)

    def _over_http(self, key: str, payment: Payment) -> Send:
        """``key`` is the id of an ordinary transfer, and the idempotency key of everything else."""
        source, destination, units, kind, parent, end = payment
        amount = None if units is None else format_units(units)
        money: dict[str, Any] = {"source_wallet_id": source, "amount": amount, "currency": self._fleet.currency}

        # How much an open amount came to is remembered, until it is applied, by the process that was asked.
        apis = self._apis if units is not None else [self._random.choice(self._apis)]

        async def send() -> None:
            api = self._random.choice(apis)
            if kind is None:
                await api.transfers.create(**money, destination_wallet_id=destination, transfer_id=key)
            elif parent is None:
                await api.holds.create(**money, expires_at=end, idempotency_key=key)
            elif kind == CAPTURE:
                await api.holds.capture(parent, destination_wallet_id=destination, amount=amount, idempotency_key=key)
            elif kind == VOID:
                await api.holds.void(parent, amount=amount, idempotency_key=key)
            else:
                await api.transfers.reverse(parent, amount=amount, idempotency_key=key)

        return send


def _what(error: Exception) -> str:
    return f"{error.status} {error.code}" if isinstance(error, ApiError) else type(error).__name__
