"""One transfer through the whole pipeline as traces: from its HTTP request to its notifications, on real servers."""

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import asyncpg
import httpx2
import jsonschema_rs
import pytest
from lines import run_agent
from live_api import app_client, token_headers
from opentelemetry.sdk.trace import ReadableSpan
from pipeline_run import ANNA, BEN, WORLD, partition_of
from plain_topics import put_records, records_of
from spans import Told, is_child, is_linked, traced, traceparent_of_span, untraced
from stages import work

from schemas.asyncapi import MESSAGES
from schemas.headers import REQUEST_ID, TRACEPARENT
from schemas.message_schemas import headers_schema, value_schemas
from schemas.settings import Settings
from schemas.topics import (
    ALL_TOPICS,
    AUDIT,
    DEAD_LETTERS,
    NOTIFICATIONS,
    TRANSFERS_OUTCOMES,
    TRANSFERS_REQUESTED,
    Topic,
)
from sinks.kafka.publisher import KafkaPublisher
from sinks.kafka.records import Consumed, Record
from streams.checkpointing import write_checkpoints
from streams.transfers import TransfersStage

AGENTS = ("transfers", "notifications", "audit", "deliveries")
CLIENTS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PRODUCERS = b"00-" + b"c" * 32 + b"-" + b"d" * 16 + b"-01"
SHORT, LONG = {"amount": "4"}, {"amount": "5", "reference": None}


@pytest.fixture
async def people(connection: asyncpg.Connection) -> Mapping[str, str]:
    """Anna and Ben with a wallet each, and the world's; their ids by name."""
    ids = {}
    for name, wallet in (("anna", ANNA), ("ben", BEN)):
        ids[name] = await connection.fetchval(
            "insert into users (email, password_hash) values ($1, 'x') returning user_id::text", f"{name}@example.com"
        )
        await connection.execute(
            "insert into wallets (wallet_id, user_id, currency) values ($1, $2, 'USD')", wallet, ids[name]
        )
    await connection.execute("insert into wallets (wallet_id, kind, currency) values ($1, 'world', 'USD')", WORLD)
    return ids


class Api:
    """Requests by Anna and by an admin."""

    def __init__(self, app: Any, client: httpx2.AsyncClient, people: Mapping[str, str]) -> None:
        self._app = app
        self._client = client
        self._people = people

    async def deposit(self, **headers: str) -> Any:
        body = {"wallet_id": ANNA, "amount": "100", "currency": "USD"}
        return await self._post("/v1/deposits", body, token_headers(self._app, self._people["ben"], "admin"), headers)

    async def pay(self, more: Mapping[str, Any] = SHORT, **headers: str) -> Any:
        body = {"source_wallet_id": ANNA, "destination_wallet_id": BEN, "currency": "USD", **more}
        return await self._post("/v1/transfers", body, token_headers(self._app, self._people["anna"]), headers)

    async def pay_in_a_batch(self, **headers: str) -> None:
        line = {"source_wallet_id": ANNA, "destination_wallet_id": BEN, "amount": "1", "currency": "USD"}
        answer = await self._client.post(
            "/v1/transfers/batch",
            content=(json.dumps(line) + "\n") * 2,
            headers={
                **token_headers(self._app, self._people["anna"]),
                **headers,
                "Content-Type": "application/x-ndjson",
            },
        )
        assert answer.text.count('"PENDING"') == 2, answer.text

    async def _post(self, path: str, body: Any, bearer: dict[str, str], headers: dict[str, str]) -> Any:
        answer = await self._client.post(path, json=body, headers={**bearer, **headers})
        assert answer.status_code == 202, answer.text
        return answer.json()


@pytest.fixture
async def told(settings: Settings) -> AsyncIterator[Told]:
    """Name it before the API: the app is made after tracing was switched on, as in its process."""
    with traced(settings) as found:
        yield found


@pytest.fixture
async def off() -> AsyncIterator[None]:
    with untraced():
        yield


@pytest.fixture
async def api(settings: Settings, people: Mapping[str, str]) -> AsyncIterator[Api]:
    async with app_client(settings) as (app, client):
        yield Api(app, client, people)


async def pipeline(settings: Settings) -> None:
    for agent in AGENTS:
        await run_agent(settings, agent)


async def carried(settings: Settings, topic: Topic) -> list[bytes | None]:
    """What each record of Anna's partition carries, in their order."""
    partition = partition_of(ANNA, settings)
    return [traceparent_in(r) for r in await records_of(settings, topic) if r.partition == partition]


def traceparent_in(record: Consumed) -> bytes | None:
    return dict(record.headers).get(TRACEPARENT)


def of_agent(told: Told, settings: Settings, topic: Topic, agent: str) -> list[ReadableSpan]:
    """Its batches."""
    group = f"{settings.topic_prefix}hfts-{agent}"
    return [
        span
        for span in told.spans(f"process {settings.topic_name(topic)}")
        if (span.attributes or {})["messaging.consumer.group.name"] == group
    ]


async def test_a_transfer_is_one_connected_trace(told: Told, settings: Settings, api: Api) -> None:
    await api.deposit()
    await run_agent(settings, "transfers")
    told.clear()
    receipt = await api.pay(traceparent=CLIENTS)
    poison = Record(ANNA.encode(), b"\xff", [(TRACEPARENT, PRODUCERS)])
    partition = receipt["partition"]
    await put_records(settings, settings.topic_name(TRANSFERS_REQUESTED), partition, [poison])
    await pipeline(settings)

    served = told.span("POST /v1/transfers")
    assert served.parent is not None
    assert f"00-{served.parent.trace_id:032x}-{served.parent.span_id:016x}-01" == CLIENTS
    assert (served.attributes or {})["hfts.transfer_id"] == receipt["transfer_id"]

    published = told.span(f"send {settings.topic_name(TRANSFERS_REQUESTED)}")
    assert is_child(published, served)
    assert (published.attributes or {})["messaging.kafka.offset"] == receipt["offset"]

    # The deposit's batch may come again, where it shares no partition; it is not the payment's.
    [applied] = [s for s in of_agent(told, settings, TRANSFERS_REQUESTED, "transfers") if is_linked(s, published)]
    assert {f"{link.context.trace_id:032x}" for link in applied.links} >= {CLIENTS[3:35], "c" * 32}
    steps = {span.name for span in told.all() if is_child(span, applied)}
    outcomes, letters = settings.topic_name(TRANSFERS_OUTCOMES), settings.topic_name(DEAD_LETTERS)
    assert steps == {"decide", "COMMIT transfers", f"send {outcomes}", f"send {letters}"}

    request = traceparent_of_span(published)
    assert request in await carried(settings, TRANSFERS_REQUESTED)
    assert request in await carried(settings, TRANSFERS_OUTCOMES)
    assert [record for record in await carried(settings, NOTIFICATIONS) if record == request] == [request] * 2
    assert request in await carried(settings, AUDIT)
    assert await carried(settings, DEAD_LETTERS) == [PRODUCERS]

    for topic, agent, then in (
        (TRANSFERS_OUTCOMES, "notifications", f"send {settings.topic_name(NOTIFICATIONS)}"),
        (TRANSFERS_OUTCOMES, "audit", f"send {settings.topic_name(AUDIT)}"),
        (NOTIFICATIONS, "deliveries", "COMMIT stream_progress"),
    ):
        [followed] = [span for span in of_agent(told, settings, topic, agent) if is_linked(span, published)]
        assert any(span.name == then and is_child(span, followed) for span in told.all()), agent
    assert all(span.status.is_ok or span.status.is_unset for span in told.all())


async def test_every_way_of_http_is_traced(told: Told, settings: Settings, api: Api) -> None:
    await api.deposit()
    await api.pay(SHORT)
    await api.pay(LONG)
    await api.pay_in_a_batch()
    sent = told.spans(f"send {settings.topic_name(TRANSFERS_REQUESTED)}")
    served = [
        told.span("POST /v1/deposits"),
        *told.spans("POST /v1/transfers"),
        told.span("POST /v1/transfers/batch"),
    ]
    assert [is_child(*pair) for pair in zip(sent, served, strict=True)] == [True] * 4
    found = [traceparent_in(record) for record in await records_of(settings, TRANSFERS_REQUESTED)]
    ours = [traceparent_of_span(span) for span in sent]
    assert sorted(map(str, found)) == sorted(map(str, [*ours, ours[-1]]))


@pytest.mark.usefixtures("off")
async def test_off_a_clients_trace_reaches_the_notification(settings: Settings, api: Api) -> None:
    await api.deposit(traceparent=CLIENTS)
    await run_agent(settings, "transfers")
    await api.pay(SHORT, traceparent=CLIENTS.replace("b7-", "b1-"))
    await api.pay(LONG, traceparent=CLIENTS.replace("b7-", "b2-"))
    await api.pay(SHORT)
    await api.pay_in_a_batch(traceparent=CLIENTS.replace("b7-", "b3-"))
    await pipeline(settings)
    one, two, three = (CLIENTS.replace("b7-", f"b{n}-").encode() for n in (1, 2, 3))
    asked = [one, two, None, three, three]
    assert (await carried(settings, TRANSFERS_REQUESTED))[-5:] == asked
    assert (await carried(settings, TRANSFERS_OUTCOMES))[-5:] == asked
    assert (await carried(settings, AUDIT))[-5:] == asked
    assert (await carried(settings, NOTIFICATIONS))[-10:] == [each for each in asked for _ in range(2)]


@pytest.mark.usefixtures("off")
async def test_what_stands_on_the_topics_is_as_described(settings: Settings, api: Api) -> None:
    """Also the client's own request id, on every way that it can come."""
    headers = {"traceparent": CLIENTS, "Request-Id": "order-1815"}
    await api.deposit(**headers)
    await run_agent(settings, "transfers")
    await api.pay(SHORT, **headers)
    await api.pay({"amount": "1000", "reference": "too much"}, **headers)
    await api.pay_in_a_batch(**headers)
    await api.pay(LONG)
    poison = Record(ANNA.encode(), b"\xff", [(REQUEST_ID, b"order-1816")])
    await put_records(settings, settings.topic_name(TRANSFERS_REQUESTED), partition_of(ANNA, settings), [poison])
    await pipeline(settings)
    assert await write_checkpoints(settings) == 1
    messages = [message for message in MESSAGES if message.topic in ALL_TOPICS]
    found = {message.name: await records_of(settings, message.topic) for message in messages}
    assert {name: len(records) for name, records in found.items()} == {
        "transfer-request": 7,
        "transfer-outcome": 6,
        "notification": 10,
        "audit-record": 6,
        "audit-checkpoint": 1,
        "dead-letter": 1,
    }
    schemas = value_schemas()
    for message in messages:
        for record in found[message.name]:
            sent = {name: (value or b"").decode() for name, value in record.headers}
            jsonschema_rs.validate(headers_schema(*message.headers), sent)
            if message.name in schemas and record.value != poison.value:
                jsonschema_rs.validate(schemas[message.name], json.loads(record.value or b""))
    ids = [dict(record.headers).get(REQUEST_ID) for record in found["transfer-request"]]
    assert sorted(map(str, ids)) == sorted(map(str, [*[b"order-1815"] * 5, None, b"order-1816"]))
    (letter,) = found["dead-letter"]
    assert dict(letter.headers)[REQUEST_ID] == b"order-1816"


@pytest.mark.usefixtures("off")
async def test_what_is_published_after_a_crash_carries_the_same_trace(settings: Settings, api: Api) -> None:
    """The outcomes are made from stored rows then, which know of no trace."""
    await api.deposit()
    await run_agent(settings, "transfers")
    await api.pay(traceparent=CLIENTS)
    await commit_only(settings)
    assert (await carried(settings, TRANSFERS_OUTCOMES))[-1:] != [CLIENTS.encode()]
    await run_agent(settings, "transfers")
    assert (await carried(settings, TRANSFERS_OUTCOMES))[-1] == CLIENTS.encode()


async def commit_only(settings: Settings) -> None:
    """A worker that dies before it publishes what it has applied."""
    partition = partition_of(ANNA, settings)
    publisher = KafkaPublisher(settings, f"{settings.topic_prefix}hfts-transfers")
    stage = TransfersStage(settings, publisher)
    await publisher.start()
    await stage.start()
    try:
        begin = (await stage.resume_offsets([partition]))[partition]
        waiting = await records_of(settings, TRANSFERS_REQUESTED)
        await work(stage, {partition: [r for r in waiting if r.partition == partition and r.offset >= begin]})
    finally:
        await stage.stop()
        await publisher.stop()
