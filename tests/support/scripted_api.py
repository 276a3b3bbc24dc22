"""The world as an operation of the client's sees it, from a script: answers, events and a clock that sleeping moves."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from hfts_client.api import Api
from hfts_client.credentials import ANONYMOUS, Credentials
from hfts_client.effects import (
    END,
    Alone,
    Answer,
    Effect,
    Emit,
    Event,
    NextEvent,
    Open,
    Operation,
    Pull,
    Request,
    Send,
    Sleep,
    Stream,
)
from hfts_client.errors import HftsError
from hfts_client.retries import RetryPolicy

T = TypeVar("T")
Reply = Answer | HftsError | Callable[[Request], Answer]

ID = UUID("0190f5a3-1111-7000-8000-000000000001")
SOURCE = UUID("0190f5a2-6d7e-7c3b-9a51-2f60c1d4e8b7")
DESTINATION = UUID("0190f5a2-8b1c-7f4d-8e02-5a9b3c7d6e1f")
TIME = "2030-01-31T12:00:00.000000Z"
LOCATION = f"/v1/transfers/{ID}?receipt=AQGQ"

RECEIPT: dict[str, Any] = {
    "transfer_id": str(ID),
    "status": "PENDING",
    "topic": "transfers.requested",
    "partition": 3,
    "offset": 118,
    "accepted_at": TIME,
    "receipt": "AQGQ",
    "location": LOCATION,
}
PENDING = {"transfer_id": str(ID), "status": "PENDING"}
TRANSFER: dict[str, Any] = {
    "transfer_id": str(ID),
    "status": "COMPLETED",
    "reason": None,
    "source_wallet_id": str(SOURCE),
    "destination_wallet_id": str(DESTINATION),
    "amount": "12.5000",
    "currency": "EUR",
    "reference": "lunch",
    "metadata": {"order": "1815"},
    "source_balance": "87.5000",
    "source_version": 2,
    "destination_balance": None,
    "destination_version": None,
    "requested_at": TIME,
    "completed_at": TIME,
    "something_new": [1],
}
FIELDS: dict[str, Any] = {
    "source_wallet_id": SOURCE,
    "destination_wallet_id": str(DESTINATION).upper(),
    "amount": "12.50",
    "currency": "EUR",
}


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    """With this body as JSON; underscores in names of headers are hyphens."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def problem(status: int, code: str, **headers: str) -> Answer:
    """A refusal."""
    body = {"type": f"urn:hfts:problem:{code}", "status": status, "code": code, "detail": "Do this.", "request_id": "7"}
    return answer(status, body, **headers)


class World:
    """Plays a script. ``requests`` and ``sleeps`` are what was done."""

    def __init__(self, *replies: Reply, streams: Mapping[int, list[Event | HftsError]] | None = None) -> None:
        self._replies = deque(replies)
        self._streams = streams or {}
        self._events: deque[Event | HftsError] = deque()
        self.requests: list[Request] = []
        self.sleeps: list[float] = []
        self.now_s = 1_000.0

    def policy(self, **changes: Any) -> RetryPolicy:
        """Without chance: delays are as long as they may be."""
        return RetryPolicy(**{"clock": lambda: self.now_s, "chance": lambda: 1.0, **changes})

    def api(self, credentials: Credentials = ANONYMOUS, **changes: Any) -> Api:
        return Api(credentials, self.policy(**changes))

    def run(self, operation: Operation[T]) -> T:
        try:
            effect = next(operation)
            while True:
                try:
                    found = self._perform(effect)
                except HftsError as error:
                    effect = operation.throw(error)
                else:
                    effect = operation.send(found)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def items(self, stream: Stream[T]) -> Iterator[T]:
        try:
            effect = next(stream)
            while True:
                if isinstance(effect, Emit):
                    yield effect.item
                    effect = next(stream)
                    continue
                try:
                    found = self._perform(effect)
                except HftsError as error:
                    effect = stream.throw(error)
                else:
                    effect = stream.send(found)
        except StopIteration:
            return

    @property
    def is_played_out(self) -> bool:
        return not self._replies

    def _perform(self, effect: Effect) -> Any:
        match effect:
            case Send(request) | Open(request):
                self.requests.append(request)
                reply = self._replies.popleft()
                if isinstance(reply, HftsError):
                    raise reply
                self._events = deque(self._streams.get(len(self.requests), ()))
                return reply if isinstance(reply, Answer) else reply(request)
            case NextEvent():
                event = self._events.popleft() if self._events else None
                if isinstance(event, HftsError):
                    raise event
                return event
            case Sleep(seconds):
                self.sleeps.append(seconds)
                self.now_s += seconds
                return None
            case Pull(source):
                return next(source, END)
            case Alone(operation):
                return self.run(operation)
