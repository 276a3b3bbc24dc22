"""What an operation asks of the world.

An operation is a generator: it yields these and is sent what came of them. So it is written once, does no I/O of its
own, and is run by a client that blocks as well as by one that awaits.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """A request. ``is_repeatable``: doing it twice is doing it once. ``target`` is the path, with its query."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes | None = field(default=None, repr=False)
    is_repeatable: bool = True
    more_time_s: float = 0.0
    """Beyond the client's timeout, for an answer that takes its time on purpose."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)

    @property
    def request_id(self) -> str | None:
        """The name of the request in the API's logs."""
        return self.headers.get("request-id") or self.headers.get("x-request-id")


@dataclass(frozen=True, slots=True)
class Event:
    """A server-sent event. Without data it only brings another ``event_id``."""

    event_id: str
    type: str
    data: str
    retry_s: float | None


@dataclass(frozen=True, slots=True)
class Send:
    """Answered by an Answer. Raises ConnectionFailedError."""

    request: Request


@dataclass(frozen=True, slots=True)
class Open:
    """Answered by an Answer, without its content if that is a stream of events. Raises ConnectionFailedError.

    It ends the stream that was open.
    """

    request: Request


@dataclass(frozen=True, slots=True)
class NextEvent:
    """Answered by the next Event of the stream, or None at its end. Raises ConnectionFailedError."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """Answered by nothing."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Pull:
    """Answered by the next item of what the caller iterates over, or END."""

    source: Any


@dataclass(frozen=True, slots=True)
class Alone:
    """Run an operation while no other such one runs. Answered by its result."""

    operation: "Operation[Any]"


@dataclass(frozen=True, slots=True)
class Emit(Generic[T]):
    """Give an item to whoever iterates. Answered by nothing."""

    item: T


class End:
    """The end of what is pulled."""


END = End()

Effect: TypeAlias = Send | Open | NextEvent | Sleep | Pull | Alone
Operation: TypeAlias = Generator[Effect, Any, T]
Stream: TypeAlias = Generator[Effect | Emit[T], Any, None]
