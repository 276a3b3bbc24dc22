"""Requests to the API as spans, on the short way and on FastAPI's own; and what is passed on when tracing is off."""

import json
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from spans import Told, context_of, traced, untraced

from schemas.headers import REQUEST_ID, TRACEPARENT
from schemas.settings import Settings
from sinks.kafka.positions import Position
from sinks.kafka.request_ids import with_request_id
from sinks.tracing import OwnHeaders, tracing
from tests.unit.conftest import Api

USER = str(uuid4())
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CLIENTS = f"00-{TRACE}-{PARENT}-01"


@pytest.mark.parametrize("way", ["short", "long", "batch"])
@pytest.mark.parametrize("name", ["Request-Id", "X-Request-Id"])
async def test_a_clients_request_id_is_carried_and_no_other(
    api: Api, monkeypatch: pytest.MonkeyPatch, way: str, name: str
) -> None:
    carried: list[OwnHeaders] = []
    publish = api.requests.publish

    async def publish_one(key: bytes, value: bytes) -> Position:
        carried.append(with_request_id([]))
        return await publish(key, value)

    monkeypatch.setattr(api.requests, "publish", publish_one)
    body = order(api, **({"reference": None} if way == "long" else {}))
    for headers in ({name: "abc-1"}, {}, {name: "not sane"}):
        if way == "batch":
            more = {"content-type": "application/x-ndjson", **headers}
            await api.client.post("/v1/transfers/batch", content=json.dumps(body), headers=api.headers(USER, **more))
        else:
            await api.client.post("/v1/transfers", json=body, headers=api.headers(USER, **headers))
    assert carried == [[(REQUEST_ID, b"abc-1")], [], []]


class Sent:
    """What would be sent, with the headers that a publisher gives it."""

    def __init__(self, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        self.headers: list[OwnHeaders] = []
        publish = api.requests.publish

        async def publish_one(key: bytes, value: bytes) -> Position:
            with tracing().sending("requests") as span:
                self.headers.append(span.headers())
            return await publish(key, value)

        async def publish_many(records: Sequence[tuple[bytes, bytes]]) -> list[Position | None]:
            with tracing().sending("requests", records=len(records)) as span:
                self.headers += [span.headers()] * len(records)
            return [await publish(*record) for record in records]

        monkeypatch.setattr(api.requests, "publish", publish_one)
        monkeypatch.setattr(api.requests, "publish_all", publish_many)

    def traceparents(self) -> list[str | None]:
        return [dict(headers).get(TRACEPARENT, b"").decode() or None for headers in self.headers]


@pytest.fixture
def told() -> Iterator[Told]:
    """Name it before the API: the app is made after tracing was switched on, as in its process."""
    with traced(Settings(_env_file=None, postgres_password="x", secret_key="x" * 32)) as found:
        yield found


@pytest.fixture
def off() -> Iterator[None]:
    with untraced():
        yield


def order(api: Api, **more: Any) -> dict[str, Any]:
    source, destination = api.wallet(USER), str(uuid4())
    return {"source_wallet_id": source, "destination_wallet_id": destination, "amount": "1", "currency": "USD", **more}


@pytest.mark.parametrize("way", ["short", "long"])
async def test_a_submitted_transfer_is_a_span_of_its_clients_trace(
    told: Told, api: Api, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    sent = Sent(api, monkeypatch)
    body = order(api, **({} if way == "short" else {"reference": None}))
    answer = await api.client.post(
        "/v1/transfers?secret=1", json=body, headers=api.headers(USER, traceparent=CLIENTS, **{"X-Request-Id": "abc"})
    )
    assert answer.status_code == 202, answer.text
    served = told.span("POST /v1/transfers")
    assert served.kind is SpanKind.SERVER
    assert served.parent is not None
    assert (f"{served.parent.trace_id:032x}", f"{served.parent.span_id:016x}") == (TRACE, PARENT)
    assert served.attributes is not None
    assert served.attributes["http.route"] == "/v1/transfers"
    assert served.attributes["http.response.status_code"] == 202
    assert served.attributes["hfts.request_id"] == "abc"
    assert served.attributes["hfts.transfer_id"] == answer.json()["transfer_id"]
    sending = told.span("send requests")
    assert sending.parent is not None
    assert sending.parent.span_id == context_of(served).span_id
    [carried] = sent.traceparents()
    assert carried is not None
    assert carried.startswith(f"00-{TRACE}-{context_of(sending).span_id:016x}-")


async def test_every_line_of_a_batch_carries_the_trace(told: Told, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sent(api, monkeypatch)
    answer = await post_batch(api, traceparent=CLIENTS)
    assert answer.status_code == 200
    span_id = context_of(told.span("send requests")).span_id
    assert [f"00-{TRACE}-{span_id:016x}" in (carried or "") for carried in sent.traceparents()] == [True] * 3
    assert told.span("POST /v1/transfers/batch").status.status_code is not StatusCode.ERROR


async def post_batch(api: Api, **headers: str) -> Any:
    wallet = order(api)
    lines = (str(wallet).replace("'", '"') + "\n") * 3
    return await api.client.post(
        "/v1/transfers/batch",
        content=lines,
        headers=api.headers(USER, **headers, **{"Content-Type": "application/x-ndjson"}),
    )


async def test_spans_hold_no_secret(told: Told, api: Api) -> None:
    form = {"grant_type": "password", "username": "ada@example.com", "password": "hunter2-secret"}
    await api.client.post("/v1/auth/token?password=query-secret", data=form, headers={"Authorization": "Bearer abc.d"})
    await api.client.get("/v1/transfers/x?receipt=AQGQ-secret", headers=api.headers(USER))
    api.users.fault = RuntimeError("fault-secret of ada@example.com")
    assert (await api.client.get("/v1/me", headers=api.headers(USER))).status_code == 500
    everything = "".join(span.to_json() for span in told.all())
    assert len(told.all()) == 3
    for secret in ("secret", "ada@", "Bearer", "eyJ"):
        assert secret not in everything
    assert told.span("GET /v1/me").status.status_code is StatusCode.ERROR


async def test_who_watches_the_process_is_not_traced(told: Told, api: Api) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await api.client.get(path)).status_code == 200
    assert told.all() == []


@pytest.mark.usefixtures("off")
@pytest.mark.parametrize("way", ["short", "long"])
async def test_off_the_clients_trace_is_passed_on(api: Api, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    sent = Sent(api, monkeypatch)
    for given in (CLIENTS, None, "nonsense", CLIENTS.replace("00-", "cc-", 1) + "-more"):
        headers = api.headers(USER) | ({} if given is None else {"traceparent": given})
        body = order(api, **({} if way == "short" else {"reference": None}))
        assert (await api.client.post("/v1/transfers", json=body, headers=headers)).status_code == 202
    assert sent.traceparents() == [CLIENTS, None, None, CLIENTS]


@pytest.mark.usefixtures("off")
async def test_off_every_line_of_a_batch_carries_the_clients_trace(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sent(api, monkeypatch)
    assert (await post_batch(api, traceparent=CLIENTS)).status_code == 200
    assert sent.traceparents() == [CLIENTS] * 3
    assert tracing().ids() == {}, "the next request has none of it"


@pytest.mark.usefixtures("off")
async def test_two_traces_are_none(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = Sent(api, monkeypatch)
    headers = [*api.headers(USER).items(), ("traceparent", CLIENTS), ("traceparent", CLIENTS.replace("b7-", "b8-"))]
    assert (await api.client.post("/v1/transfers", json=order(api), headers=headers)).status_code == 202
    assert sent.traceparents() == [None]
