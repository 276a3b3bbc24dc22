from datetime import UTC, datetime
from typing import Any

import pytest
from scripted_api import ID, World, answer, problem

from hfts_client import (
    ApiError,
    AuthenticationError,
    BadAnswerError,
    ConflictError,
    ConnectionFailedError,
    IdempotencyKeyReusedError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerFaultError,
    TimedOutError,
    TransferRejectedError,
    UnavailableError,
)
from hfts_client.answers import error_of, read, retry_after_s
from hfts_client.calling import call
from hfts_client.credentials import ANONYMOUS
from hfts_client.effects import Request
from hfts_client.models import Wallet
from hfts_client.retries import Attempts, may_repeat

GET = Request("GET", "/v1/me")
ONCE = Request("POST", "/v1/users", is_repeatable=False)
LOST = ConnectionFailedError("reset")
UNREACHED = ConnectionFailedError("refused", was_sent=False)


@pytest.mark.parametrize(
    ("failure", "if_repeatable", "if_not"),
    [
        (UNREACHED, True, True),
        (LOST, True, False),
        (TimedOutError("late"), True, False),
        *((status, True, True) for status in (429, 503)),
        *((status, True, False) for status in (408, 502, 504)),
        *((status, False, False) for status in (400, 401, 403, 404, 409, 413, 415, 422, 500, 501)),
    ],
)
def test_what_is_sent_again(failure: ConnectionFailedError | int, *, if_repeatable: bool, if_not: bool) -> None:
    error = failure if isinstance(failure, ConnectionFailedError) else error_of(problem(failure, "any"))
    assert may_repeat(error, is_repeatable=True) == if_repeatable
    assert may_repeat(error, is_repeatable=False) == if_not


def test_delays_grow_up_to_a_limit_and_end_with_the_time() -> None:
    world = World()
    attempts = Attempts(world.policy(total_s=30))
    delays = []
    while (delay_s := attempts.next_delay_s()) is not None:
        delays.append(delay_s)
        world.now_s += delay_s
    assert delays == [0.25, 0.5, 1, 2, 4, 8, 8]


@pytest.mark.parametrize(("chance", "delay_s"), [(0.0, 0.125), (0.5, 0.1875), (1.0, 0.25)])
def test_clients_do_not_come_back_together(chance: float, delay_s: float) -> None:
    assert Attempts(World().policy(chance=lambda: chance)).next_delay_s() == delay_s


def test_retry_after_is_the_least() -> None:
    assert Attempts(World().policy(chance=lambda: 0.0)).next_delay_s(5) == 5
    assert Attempts(World().policy()).next_delay_s(0) == 0.25
    assert Attempts(World().policy(total_s=4)).next_delay_s(5) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("17", 17.0),
        ("Thu, 31 Jan 2030 12:00:30 GMT", 30.0),
        ("Thu, 31 Jan 2030 12:00:30 -0000", 30.0),
        ("Thu, 31 Jan 2030 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("²", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after_s(value, lambda: datetime(2030, 1, 31, 12, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "malformed_body", InvalidRequestError),
        (401, "unauthenticated", AuthenticationError),
        (403, "forbidden", PermissionDeniedError),
        (404, "wallet_not_found", NotFoundError),
        (409, "wallet_exists", ConflictError),
        (409, "transfer_rejected", TransferRejectedError),
        (413, "body_too_large", InvalidRequestError),
        (418, "new_one", ApiError),
        (422, "invalid_request", InvalidRequestError),
        (422, "idempotency_key_reused", IdempotencyKeyReusedError),
        (429, "too_many_requests", RateLimitedError),
        (500, "internal_error", ServerFaultError),
        (502, "", UnavailableError),
        (503, "broker_unavailable", UnavailableError),
    ],
)
def test_each_refusal_has_its_exception(status: int, code: str, kind: type[ApiError]) -> None:
    error = error_of(problem(status, code, retry_after="3"))
    assert type(error) is kind
    assert (error.status, error.code, error.detail, error.request_id) == (status, code, "Do this.", "7")
    assert error.retry_after_s == 3


def test_a_refusal_names_the_fields_at_fault() -> None:
    errors = [{"field": "amount", "message": "must be above 0"}]
    body = {"status": 422, "code": "invalid_request", "detail": "Mend it.", "errors": errors}
    error = error_of(answer(422, body, request_id="9"))
    assert [(each.field, each.message) for each in error.errors] == [("amount", "must be above 0")]
    assert str(error) == "422 invalid_request: Mend it.; amount: must be above 0 (request 9)"


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b'{"status": "no"}'])
def test_a_refusal_that_a_proxy_has_made(body: bytes) -> None:
    error = error_of(answer(502, body, x_request_id="p"))
    assert (type(error), error.code, error.request_id) == (UnavailableError, "", "p")


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"wallet_id": 1}'])
def test_an_answer_that_cannot_be_read(body: bytes) -> None:
    with pytest.raises(BadAnswerError, match="status 200"):
        read(answer(200, body, request_id="9"), Wallet)


def test_tried_again_until_it_works() -> None:
    world = World(LOST, problem(503, "overloaded", retry_after="2"), problem(504, ""), answer(200, str(ID)))
    assert world.run(call(world.policy(), ANONYMOUS, GET)).status == 200
    assert world.sleeps == [0.25, 2.25, 1.0]
    assert world.requests == [GET] * 4


def test_and_no_longer_than_the_time_given() -> None:
    world = World(*(problem(503, "overloaded") for _ in range(20)))
    with pytest.raises(UnavailableError):
        world.run(call(world.policy(total_s=10), ANONYMOUS, GET))
    assert sum(world.sleeps) <= 10
    world = World(UNREACHED)
    with pytest.raises(ConnectionFailedError):
        world.run(call(world.policy(total_s=0), ANONYMOUS, GET))


@pytest.mark.parametrize("reply", [LOST, problem(502, ""), problem(504, "")])
def test_what_must_not_be_done_twice_is_not_sent_twice(reply: Any) -> None:
    world = World(reply)
    with pytest.raises((ConnectionFailedError, UnavailableError)):
        world.run(call(world.policy(), ANONYMOUS, ONCE))
    world = World(UNREACHED, problem(429, "too_many_requests"), answer(201))
    assert world.run(call(world.policy(), ANONYMOUS, ONCE)).status == 201
