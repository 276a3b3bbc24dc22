"""Runs operations with calls that block."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import httpx2

from hfts_client.answers import is_event_stream
from hfts_client.api import Api
from hfts_client.effects import (
    END,
    Alone,
    Answer,
    Effect,
    Emit,
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
from hfts_client.wire import (
    address,
    answer_of,
    event_of,
    failure_of,
    headers_of,
    stream_timeout,
    timeout_of,
)

T = TypeVar("T")
P = ParamSpec("P")


class BlockingRunner:
    """Does what operations ask for, one effect after the other. May be used by several threads."""

    def __init__(self, http: httpx2.Client, base_url: str, timeout_s: float) -> None:
        self._http = http
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._alone = threading.Lock()

    def run(self, operation: Operation[T]) -> T:
        """The operation's result."""
        events = _Events()
        try:
            effect = next(operation)
            while True:
                try:
                    found = self._perform(effect, events)
                except HftsError as error:
                    effect = operation.throw(error)
                else:
                    effect = operation.send(found)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            operation.close()
            events.close()

    def iterate(self, stream: Stream[T]) -> Generator[T, None, None]:
        """The stream's items."""
        events = _Events()
        try:
            effect = next(stream)
            while True:
                if isinstance(effect, Emit):
                    yield effect.item
                    effect = next(stream)
                    continue
                try:
                    found = self._perform(effect, events)
                except HftsError as error:
                    effect = stream.throw(error)
                else:
                    effect = stream.send(found)
        except StopIteration:
            return
        finally:
            stream.close()
            events.close()

    def _perform(self, effect: Effect, events: "_Events") -> Any:
        match effect:
            case Send(request):
                return self._send(request)
            case Open(request):
                return self._open(request, events)
            case NextEvent():
                return events.next()
            case Sleep(seconds):
                return time.sleep(seconds)  # between two tries: who calls this client blocks, and waits for its answer
            case Pull(source):
                return next(source, END)
            case Alone(operation):
                with self._alone:
                    return self.run(operation)

    def _send(self, request: Request) -> Answer:
        try:
            response = self._http.request(
                request.method,
                address(self._base_url, request),
                headers=headers_of(request),
                content=request.content,
                timeout=timeout_of(request, self._timeout_s),
            )
        except httpx2.RequestError as error:
            raise failure_of(error) from error
        return answer_of(response, response.content)

    def _open(self, request: Request, events: "_Events") -> Answer:
        events.close()
        sent = self._http.build_request(
            request.method,
            address(self._base_url, request),
            headers=headers_of(request),
            timeout=stream_timeout(self._timeout_s),
        )
        try:
            response = self._http.send(sent, stream=True)
            answer = answer_of(response)
            if not is_event_stream(answer):
                return answer_of(response, response.read())
        except httpx2.RequestError as error:
            raise failure_of(error) from error
        events.use(response)
        return answer


class _Events:
    """The stream of events that is open, if one is."""

    def __init__(self) -> None:
        self._response: httpx2.Response | None = None
        self._events: Iterator[httpx2.ServerSentEvent] = iter(())

    def use(self, response: httpx2.Response) -> None:
        self._response = response
        self._events = iter(httpx2.EventSource(response))

    def next(self) -> Any:
        try:
            event = next(self._events, None)
        except httpx2.RequestError as error:
            raise failure_of(error) from error
        return None if event is None else event_of(event)

    def close(self) -> None:
        if self._response is not None:
            self._response.close()


class Resource:
    """Operations on one kind of thing."""

    def __init__(self, runner: BlockingRunner, api: Api) -> None:
        self.runner = runner
        self.api = api


def returning(operation: Callable[Concatenate[Api, P], Operation[T]]) -> Callable[Concatenate[Resource, P], T]:
    """The operation as a method that blocks until there is a result."""

    @wraps(operation)
    def method(resource: Resource, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return resource.runner.run(operation(resource.api, *args, **kwargs))

    return method


def iterating(
    operation: Callable[Concatenate[Api, P], Stream[T]],
) -> Callable[Concatenate[Resource, P], Generator[T, None, None]]:
    """The operation as a method that yields item after item."""

    @wraps(operation)
    def method(resource: Resource, /, *args: P.args, **kwargs: P.kwargs) -> Generator[T, None, None]:
        return resource.runner.iterate(operation(resource.api, *args, **kwargs))

    return method
