"""The limit on an account's requests, by its own clock and through the API."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from ingest_api.problems import RATE_HEADERS_KEY, ProblemError
from ingest_api.rate_limit import RateLimit
from tests.unit.conftest import Api

USER, OTHER = str(uuid4()), str(uuid4())


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def left(limit: RateLimit, user_id: str = USER) -> str:
    """The header of an admitted request."""
    scope: dict[str, Any] = {}
    limit.admit(scope, user_id)
    headers: dict[bytes, bytes] = dict(scope[RATE_HEADERS_KEY])
    return headers[b"ratelimit"].decode()


def test_all_at_once_and_then_one_by_one() -> None:
    clock = Clock()
    limit = RateLimit(6, clock)  # one in ten seconds
    assert [left(limit) for _ in range(6)] == [f'"account";r={5 - n};t={10 + 10 * n}' for n in range(6)]
    scope: dict[str, Any] = {}
    with pytest.raises(ProblemError) as caught:
        limit.admit(scope, USER)
    assert (caught.value.status_code, caught.value.headers) == (429, {"Retry-After": "10"})
    assert dict(scope[RATE_HEADERS_KEY]) == {
        b"ratelimit-policy": b'"account";q=6;w=60',
        b"ratelimit": b'"account";r=0;t=60',
    }
    clock.now_s += 10
    assert left(limit) == '"account";r=0;t=60'
    clock.now_s += 3_600
    assert left(limit) == '"account";r=5;t=10'


def test_what_is_refused_is_not_counted() -> None:
    clock = Clock()
    limit = RateLimit(1, clock)
    left(limit)
    for _ in range(100):
        with pytest.raises(ProblemError):
            left(limit)
    clock.now_s += 60
    assert left(limit) == '"account";r=0;t=60'


def test_each_account_has_its_own() -> None:
    limit = RateLimit(1, Clock())
    left(limit)
    assert left(limit, OTHER) == '"account";r=0;t=60'


@pytest.mark.parametrize("per_minute", [1, 7, 59, 600, 10_000_000])
def test_sums_of_floats_neither_give_nor_take(per_minute: int) -> None:
    clock = Clock()
    clock.now_s = 123_456.789
    limit = RateLimit(per_minute, clock)
    for _ in range(min(per_minute, 1_000)):
        left(limit)
    if per_minute <= 1_000:
        with pytest.raises(ProblemError):
            left(limit)


@pytest.fixture
async def limited(api: Api) -> AsyncIterator[Api]:
    services = api.app.state.services
    object.__setattr__(services, "rate_limit", RateLimit(2, Clock()))
    yield api
    object.__setattr__(services, "rate_limit", None)


@pytest.mark.parametrize("more", [{}, {"reference": None}], ids=["short way", "long way"])
async def test_submitted_transfers_are_counted_once_each(limited: Api, more: dict[str, Any]) -> None:
    body = {"destination_wallet_id": OTHER, "amount": "1", "currency": "USD", **more}
    body["source_wallet_id"] = limited.wallet(USER)
    answers = [await limited.client.post("/v1/transfers", json=body, headers=limited.headers(USER)) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert [answer.headers["ratelimit"][10:13] for answer in answers] == ["r=1", "r=0", "r=0"]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"account";q=2;w=60'}
    assert (answers[2].json()["code"], answers[2].headers["retry-after"]) == ("too_many_requests", "30")


async def test_every_route_behind_a_token_is_limited(limited: Api) -> None:
    for _ in range(2):
        await limited.client.post("/v1/transfers/batch", content=b"", headers=limited.headers(USER))
    answer = await limited.client.get("/v1/me", headers=limited.headers(USER))
    assert answer.status_code == 429
    assert "ratelimit" not in (await limited.client.get("/healthz")).headers


async def test_without_a_limit_no_header_speaks_of_it(api: Api) -> None:
    answer = await api.client.get("/v1/me", headers=api.headers(USER))
    assert "ratelimit" not in answer.headers
    assert "ratelimit-policy" not in answer.headers
