"""What the API tells its log of requests: of those that went wrong, each line with the request's id."""

import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import structlog
from structlog.contextvars import get_contextvars, merge_contextvars
from structlog.testing import capture_logs

from ingest_api import envelope, waits
from ingest_api.log_budget import LogBudget
from sinks.errors import DatabaseAwayError
from tests.unit.conftest import Api

USER = str(uuid4())


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    with capture_logs(processors=[merge_contextvars]) as lines:
        yield lines


def order(source: str) -> dict[str, Any]:
    return {"source_wallet_id": source, "destination_wallet_id": str(uuid4()), "amount": "1", "currency": "USD"}


async def test_what_goes_well_is_counted_and_not_told(api: Api, logs: list[Any]) -> None:
    for body in (order(api.wallet(USER)), order(str(uuid4())), {}):
        await api.client.post("/v1/transfers", json=body, headers=api.headers(USER))
    await api.client.get("/v1/me")
    assert logs == []


async def test_every_line_within_a_request_has_its_id(api: Api, logs: list[Any]) -> None:
    api.users.fault = DatabaseAwayError("away")
    answer = await api.client.get("/v1/me?password=x", headers=api.headers(USER, **{"X-Request-Id": "abc-1"}))
    assert answer.status_code == 503
    api.users.fault = RuntimeError("unforeseen")
    await api.client.get("/v1/me", headers=api.headers(USER, **{"X-Request-Id": "abc-2"}))
    assert [(line["event"], line["log_level"], line["request_id"]) for line in logs] == [
        ("database_unavailable", "warning", "abc-1"),
        ("http.request", "warning", "abc-1"),
        ("http.fault", "error", "abc-2"),
        ("http.request", "warning", "abc-2"),
    ]
    told = {name: value for name, value in logs[1].items() if name != "took_ms"}
    assert told == {
        "event": "http.request",
        "log_level": "warning",
        "request_id": "abc-1",
        "method": "GET",
        "path": "/v1/me",
        "route": "/v1/me",
        "status": 503,
        "left_out": 0,
    }
    assert "request_id" not in get_contextvars()


async def test_a_transfer_that_kafka_did_not_confirm_is_named(api: Api, logs: list[Any]) -> None:
    api.requests.is_away = True
    answer = await api.client.post("/v1/transfers", json=order(api.wallet(USER)), headers=api.headers(USER))
    assert [line["event"] for line in logs] == ["transfer.unconfirmed", "http.request"]
    assert logs[0]["transfer_id"] == answer.json()["transfer_id"]
    assert [line["request_id"] for line in logs] == [answer.headers["x-request-id"]] * 2
    assert logs[1]["route"] == "/v1/transfers", "also on the short way"


async def test_one_that_wanted_to_wait_is_not(api: Api, logs: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "SLOW_S", 0.0)
    for bound in ("WAITS_MAX", "CALLER_MAX"):
        monkeypatch.setattr(waits, bound, 0)
    headers = api.headers(USER, Prefer="wait=1")
    accepted = await api.client.post("/v1/transfers", json=order(api.wallet(USER)), headers=headers)
    assert (await api.client.get(accepted.headers["location"], headers=headers)).status_code == 200
    assert logs == []


async def test_a_slow_request_is_told_of(api: Api, logs: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "SLOW_S", 0.0)
    await api.client.get("/healthz")
    [line] = logs
    assert (line["event"], line["status"], line["route"]) == ("http.request", 200, "/healthz")
    assert line["took_ms"] >= 0


async def test_with_debug_logging_every_request_is_told_of(
    api: Api, logs: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger=envelope.__name__)
    await api.client.get("/nowhere")
    [line] = logs
    assert (line["log_level"], line["path"], line["route"], line["status"]) == ("debug", "/nowhere", None, 404)


async def test_a_flood_of_failures_does_not_flood_the_log(api: Api, logs: list[Any]) -> None:
    api.users.fault = RuntimeError("unforeseen")
    for _ in range(3 * envelope.LINES_A_SECOND):
        await api.client.get("/v1/me", headers=api.headers(USER))
    told = [line for line in logs if line["event"] == "http.request"]
    # A second may have passed in between, but not three.
    assert envelope.LINES_A_SECOND <= len(told) < 3 * envelope.LINES_A_SECOND


def test_a_budget_lets_some_through_and_counts_the_others() -> None:
    now_s = 100.0
    budget = LogBudget(2, lambda: now_s)
    assert [budget.take() for _ in range(5)] == [0, 0, None, None, None]
    now_s = 100.9
    assert budget.take() is None
    now_s = 101.0
    assert [budget.take() for _ in range(3)] == [4, 0, None]
    now_s = 500.0
    assert budget.take() == 1


async def test_what_was_bound_around_a_request_stays(api: Api) -> None:
    with structlog.contextvars.bound_contextvars(request_id="outer"):
        await api.client.get("/healthz")
        assert get_contextvars()["request_id"] == "outer"
