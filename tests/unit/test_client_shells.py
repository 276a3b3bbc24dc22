"""Both clients over a transport that stands in for the network: the same tests for each."""

import asyncio
import contextlib
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import pytest
from scripted_api import FIELDS, ID, LOCATION, RECEIPT, SOURCE, TRANSFER

from hfts_client import (
    AsyncClient,
    BadAnswerError,
    Client,
    ConnectionFailedError,
    NewTransfer,
    NotFoundError,
    Receipt,
    RetryPolicy,
    TimedOutError,
)

Reply = Callable[[httpx2.Request], httpx2.Response]
AT_ONCE = RetryPolicy(total_s=5, delay_s_min=0)
ORDER = NewTransfer(**FIELDS)


class Chunks(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body in these pieces; its end may be a broken connection."""

    def __init__(self, *pieces: bytes, breaks: bool = False) -> None:
        self._pieces = pieces
        self._breaks = breaks
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces
        if self._breaks:
            raise httpx2.ReadError("reset")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


class Shell(ABC):
    """One of the two clients, called in the same way."""

    def __init__(self, reply: Reply, **options: Any) -> None:
        self.requests: list[httpx2.Request] = []

        def answer(request: httpx2.Request) -> httpx2.Response:
            self.requests.append(request)
            return reply(request)

        self._make(httpx2.MockTransport(answer), {"retry": AT_ONCE, **options})

    @abstractmethod
    def _make(self, transport: httpx2.MockTransport, options: dict[str, Any]) -> None: ...

    @abstractmethod
    async def get(self, method: str, *args: Any, **kwargs: Any) -> Any: ...

    @abstractmethod
    async def list(self, method: str, *args: Any, count: int = 1_000, **kwargs: Any) -> list[Any]: ...

    def find(self, client: Any, method: str) -> Any:
        for name in method.split("."):
            client = getattr(client, name)
        return client


class BlockingShell(Shell):
    def _make(self, transport: httpx2.MockTransport, options: dict[str, Any]) -> None:
        self.client = Client("http://api", http_client=httpx2.Client(transport=transport), **options)

    async def get(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return self.find(self.client, method)(*args, **kwargs)

    async def list(self, method: str, *args: Any, count: int = 1_000, **kwargs: Any) -> list[Any]:
        with contextlib.closing(self.find(self.client, method)(*args, **kwargs)) as items:
            return [item for _, item in zip(range(count), items, strict=False)]


class AwaitingShell(Shell):
    def _make(self, transport: httpx2.MockTransport, options: dict[str, Any]) -> None:
        self.client = AsyncClient("http://api", http_client=httpx2.AsyncClient(transport=transport), **options)

    async def get(self, method: str, *args: Any, **kwargs: Any) -> Any:
        return await self.find(self.client, method)(*args, **kwargs)

    async def list(self, method: str, *args: Any, count: int = 1_000, **kwargs: Any) -> list[Any]:
        found: list[Any] = []
        async with contextlib.aclosing(self.find(self.client, method)(*args, **kwargs)) as items:
            while len(found) < count and (item := await anext(items, None)) is not None:
                found.append(item)
        return found


@pytest.fixture(params=[BlockingShell, AwaitingShell])
def shell(request: pytest.FixtureRequest) -> type[Shell]:
    kind: type[Shell] = request.param
    return kind


def in_turn(*replies: httpx2.Response | Exception) -> Reply:
    left = iter(replies)

    def reply(_: httpx2.Request) -> httpx2.Response:
        found = next(left)
        if isinstance(found, Exception):
            raise found
        return found

    return reply


def told(event_id: str) -> bytes:
    return f"id: {event_id}\nevent: transfer.completed\ndata: {json.dumps(TRANSFER)}\n\n".encode()


def stream(body: Chunks) -> httpx2.Response:
    return httpx2.Response(200, headers={"Content-Type": "text/event-stream; charset=utf-8"}, stream=body)


async def test_a_request_names_its_sender_and_shows_the_token(shell: type[Shell]) -> None:
    api = shell(in_turn(httpx2.Response(202, json=RECEIPT, headers={"Request-Id": "9"})), token="secret")
    receipt = await api.get("transfers.create", **FIELDS)
    assert isinstance(receipt, Receipt)
    assert receipt.request_id == "9"
    (request,) = api.requests
    assert (request.method, str(request.url)) == ("POST", "http://api/v1/transfers")
    assert request.headers["Authorization"] == "Bearer secret"
    assert request.headers["User-Agent"].startswith("hfts-client/")
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("failure", "kind", "was_sent"),
    [
        (httpx2.ConnectError("refused"), ConnectionFailedError, False),
        (httpx2.ConnectTimeout("late"), TimedOutError, False),
        (httpx2.PoolTimeout("busy"), TimedOutError, False),
        (httpx2.ReadTimeout("late"), TimedOutError, True),
        (httpx2.ReadError("reset"), ConnectionFailedError, True),
        (httpx2.RemoteProtocolError("gone"), ConnectionFailedError, True),
    ],
)
async def test_what_breaks_is_named_and_tried_again(
    shell: type[Shell], failure: Exception, kind: type[ConnectionFailedError], *, was_sent: bool
) -> None:
    api = shell(in_turn(failure, httpx2.Response(503), httpx2.Response(200, json=TRANSFER)))
    assert (await api.get("transfers.create", wait=1, **FIELDS)).status == "COMPLETED"
    assert len({request.headers["Idempotency-Key"] for request in api.requests}) == 1
    with pytest.raises(kind) as raised:
        await shell(in_turn(failure), retry=RetryPolicy(total_s=-1)).get("transfers.retrieve", ID)
    assert type(raised.value) is kind
    assert raised.value.was_sent == was_sent


async def test_a_deposit_a_wait_and_a_refusal(shell: type[Shell]) -> None:
    missing = httpx2.Response(404, json={"status": 404, "code": "wallet_not_found", "detail": "Check it."})
    api = shell(in_turn(httpx2.Response(202, json=RECEIPT), httpx2.Response(200, json=TRANSFER), missing))
    receipt = await api.get("deposits.create", wallet_id=SOURCE, amount=1, currency="EUR")
    assert (await api.get("transfers.wait", receipt)).transfer_id == ID
    with pytest.raises(NotFoundError):
        await api.get("wallets.retrieve", SOURCE)
    assert [str(request.url) for request in api.requests][1:] == [
        f"http://api{LOCATION}",
        f"http://api/v1/wallets/{SOURCE}",
    ]


async def test_redirects_lead_nowhere(shell: type[Shell]) -> None:
    api = shell(in_turn(httpx2.Response(307, headers={"Location": "http://elsewhere/"})), token="secret")
    with pytest.raises(BadAnswerError):
        await api.get("transfers.retrieve", ID)
    assert len(api.requests) == 1


async def test_a_batch(shell: type[Shell]) -> None:
    result = {"line": 1, "transfer_id": str(ID), "status": "PENDING", "location": LOCATION}
    api = shell(in_turn(httpx2.Response(200, text=json.dumps(result) + "\n")))
    (found,) = await api.list("transfers.batch", [ORDER])
    assert found.accepted.transfer_id == ID
    assert json.loads(api.requests[0].content) == ORDER.line()


async def test_events_in_pieces_over_several_connections(shell: type[Shell]) -> None:
    text = b"retry: 0\nid: a\n\n: still here\n\n" + told("b").replace(b"\n", b"\r\n") + told("c")
    pieces = [text[start : start + 7] for start in range(0, len(text), 7)]
    first, second = Chunks(*pieces, told("never")[:-1], breaks=True), Chunks(told("d"))
    api = shell(in_turn(stream(first), httpx2.Response(503), stream(second)))
    found = await api.list("transfers.events", count=3)
    assert [event.event_id for event in found] == ["b", "c", "d"]
    assert (found[0].transfer.transfer_id, found[0].type) == (ID, "transfer.completed")
    assert [request.headers.get("Last-Event-ID") for request in api.requests] == [None, "c", "c"]
    assert (first.is_closed, second.is_closed) == (True, True)


async def test_events_from_something_else(shell: type[Shell]) -> None:
    api = shell(in_turn(httpx2.Response(200, text="hello")))
    with pytest.raises(BadAnswerError, match="events"):
        await api.list("transfers.events")


async def test_a_batch_that_comes_asynchronously() -> None:
    result = {"line": 1, "transfer_id": str(ID), "status": "PENDING", "location": LOCATION}
    api = AwaitingShell(in_turn(httpx2.Response(200, text=json.dumps(result) + "\n")))

    async def orders() -> AsyncIterator[NewTransfer]:
        yield ORDER

    (found,) = await api.list("transfers.batch", orders())
    assert found.transfer is ORDER


class Logins:
    """Answers all requests, and counts the logins."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/v1/auth/token":
            self.count += 1
            return httpx2.Response(200, json={"access_token": "a", "expires_in": 900, "refresh_token": "r"})
        return httpx2.Response(200, json=TRANSFER)


async def test_tasks_that_wait_for_a_token_share_one_login() -> None:
    logins = Logins()
    api = AwaitingShell(logins, email="ada@example.com", password="p")
    await asyncio.gather(*(api.get("transfers.retrieve", ID) for _ in range(10)))
    assert logins.count == 1
    await api.client.log_out()
    await api.get("transfers.retrieve", ID)
    assert logins.count == 2


def test_threads_that_wait_for_a_token_share_one_login() -> None:
    logins = Logins()
    api = BlockingShell(logins, email="ada@example.com", password="p")
    threads = [threading.Thread(target=api.client.transfers.retrieve, args=(ID,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (logins.count, len(api.requests)) == (1, 11)


async def test_own_connections_are_closed_and_given_ones_are_not() -> None:
    given, awaited = httpx2.Client(), httpx2.AsyncClient()
    with Client("http://api", http_client=given), Client("http://api") as own:
        pass
    async with AsyncClient("http://api", http_client=awaited), AsyncClient("http://api") as awaited_own:
        pass
    assert (given.is_closed, awaited.is_closed) == (False, False)
    given.close()
    await awaited.aclose()
    with pytest.raises(RuntimeError, match="closed"):
        own.transfers.retrieve(ID)
    with pytest.raises(RuntimeError, match="closed"):
        await awaited_own.transfers.retrieve(ID)


def test_an_iterator_that_is_left_lets_go_of_its_connection() -> None:
    body = Chunks(told("b"), told("c"))
    api = BlockingShell(in_turn(stream(body)))
    for event in api.client.transfers.events():
        assert event.event_id == "b"
        break
    assert body.is_closed
