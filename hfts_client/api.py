"""What every operation needs to know of the API it asks."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from hfts_client.answers import encoded
from hfts_client.calling import call
from hfts_client.credentials import Credentials
from hfts_client.effects import Answer, Operation, Request
from hfts_client.models import Id
from hfts_client.orders import id_text
from hfts_client.retries import Attempts, RetryPolicy

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Api:
    """Who asks, and for how long."""

    credentials: Credentials
    retry: RetryPolicy

    def call(
        self, request: Request, *, attempts: Attempts | None = None, opens_stream: bool = False
    ) -> Operation[Answer]:
        """The answer to a request in the caller's name. Raises ApiError and ConnectionFailedError."""
        return call(self.retry, self.credentials, request, attempts=attempts, opens_stream=opens_stream)

    def get(self, path: str) -> Operation[Answer]:
        """The answer to a GET."""
        return self.call(Request("GET", path))

    def send(self, method: str, path: str, body: Any, *, is_repeatable: bool = False) -> Operation[Answer]:
        """The answer to a request with a body of JSON."""
        return self.call(json_request(method, path, body, is_repeatable=is_repeatable))


def json_request(method: str, path: str, body: Any, *, is_repeatable: bool = False) -> Request:
    """A request with a body of JSON."""
    return Request(method, path, headers=JSON, content=encoded(body), is_repeatable=is_repeatable)


def with_headers(request: Request, headers: dict[str, str], more_time_s: float = 0.0) -> Request:
    """The same with more headers, and with more time for its answer."""
    return replace(request, headers={**request.headers, **headers}, more_time_s=more_time_s)


def target(path: str, **query: object) -> str:
    """A path with a query, without what is None."""
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def item_path(folder: str, item_id: Id, *more: str) -> str:
    """The path of one of many, by its id."""
    return "/".join((folder, quote(id_text(item_id)), *more))
