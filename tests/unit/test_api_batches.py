"""Batches: each line is answered as a request of its own would be."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest

from ingest_api import batch_lines, batch_outbox, body_limits
from ingest_api.batch_lines import Line, LineReader
from ingest_api.batch_outbox import Outbox
from schemas.transfers import decode_request
from tests.unit.conftest import Api
from tests.unit.test_api_bad_input import INVALID, MALFORMED
from tests.unit.test_api_overload import counts

USER = str(uuid4())
OTHER = str(uuid4())
PATH = "/v1/transfers/batch"
NDJSON = "application/x-ndjson"


def line(source: str, **more: Any) -> dict[str, Any]:
    return {
        "source_wallet_id": source,
        "destination_wallet_id": str(uuid4()),
        "amount": "12.5",
        "currency": "USD",
        **more,
    }


async def post(api: Api, content: Any, user: str = USER, role: str = "user", **headers: str) -> Any:
    headers = api.headers(user, role, **{"Content-Type": NDJSON, **headers})
    return await api.client.post(PATH, content=content, headers=headers)


async def submit(api: Api, *lines: Any, user: str = USER, role: str = "user") -> list[Any]:
    """The results of these lines, given as objects or as bytes."""
    content = b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in lines)
    answer = await post(api, content, user, role)
    assert (answer.status_code, answer.headers["content-type"]) == (200, NDJSON), answer.text
    results = [json.loads(each) for each in answer.text.splitlines()]
    assert [each["line"] for each in results] == sorted(each["line"] for each in results)
    return results


def codes(results: list[Any]) -> list[str]:
    return [each.get("code") or each["status"] for each in results]


async def test_each_line_is_a_transfer(api: Api) -> None:
    source = api.wallet(USER)
    results = await submit(api, line(source, reference="rent", metadata={"month": "May"}), line(source.upper()))
    assert codes(results) == ["PENDING", "PENDING"]
    requests = [decode_request(value) for _, value in api.requests.records]
    assert [key.decode() for key, _ in api.requests.records] == [source, source]
    assert [request.transfer_id for request, _ in requests] == [each["transfer_id"] for each in results]
    assert [units for _, units in requests] == [125_000, 125_000]
    assert (requests[0][0].reference, requests[0][0].metadata) == ("rent", {"month": "May"})
    assert UUID(results[0]["transfer_id"]).version == 7
    for result in results:
        assert (await api.client.get(result["location"], headers=api.headers(USER))).json()["status"] == "PENDING"


async def test_a_bad_line_does_not_spoil_the_others(api: Api) -> None:
    source, others = api.wallet(USER), api.wallet(OTHER)
    results = await submit(
        api,
        line(source),
        b"{",
        line(source, amount="-1"),
        line(others),
        line(str(uuid4())),
        b"",
        b" \r",
        line(source),
        b'{"reference":"' + b"x" * body_limits.BODY_BYTES_MAX + b'"}',
        line(source, transfer_id=str(uuid4()), idempotency_key="1"),
        line(source),
    )
    assert codes(results) == [
        *("PENDING", "malformed_body", "invalid_request", "wallet_not_found", "wallet_not_found"),
        *("PENDING", "body_too_large", "invalid_request", "PENDING"),
    ]
    assert [each["line"] for each in results] == [1, 2, 3, 4, 5, 8, 9, 10, 11]
    assert results[2]["errors"][0]["field"] == "amount"
    assert results[3] | {"line": 0} == results[4] | {"line": 0}
    assert len(api.requests.records) == 3


@pytest.mark.parametrize("content", [raw for raw in MALFORMED.values() if b"\n" not in raw])
async def test_malformed_lines(api: Api, content: bytes) -> None:
    assert codes(await submit(api, content)) == ["malformed_body"]


@pytest.mark.parametrize(("sent", "field"), INVALID.values(), ids=INVALID.keys())
async def test_invalid_lines(api: Api, sent: Any, field: str) -> None:
    [result] = await submit(api, sent)
    assert result["code"] == "invalid_request"
    assert field in [error["field"] for error in result["errors"]]


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\xe9", "tab\there", 1, ["1"]])
async def test_a_strange_key_is_refused(api: Api, key: Any) -> None:
    [result] = await submit(api, line(api.wallet(USER), idempotency_key=key))
    assert (result["code"], result["errors"][0]["field"]) == ("invalid_request", "idempotency_key")


async def test_a_key_is_that_of_a_request_of_its_own(api: Api) -> None:
    sent = line(api.wallet(USER))
    single = await api.client.post(
        "/v1/transfers", json=sent, headers=api.headers(USER, **{"Idempotency-Key": "rent of May"})
    )
    results = await submit(
        api,
        {**sent, "idempotency_key": "rent of May", "amount": "12.5000"},
        {**sent, "idempotency_key": "rent of May", "amount": "13"},
        {**sent, "transfer_id": single.json()["transfer_id"].upper()},
    )
    assert codes(results) == ["PENDING", "idempotency_key_reused", "PENDING"]
    assert {results[0]["location"], results[2]["location"]} == {single.json()["location"]}
    assert results[0]["transfer_id"] == str(uuid5(UUID(USER), "rent of May"))
    assert len(api.requests.records) == 1


async def test_the_same_within_a_batch_is_sent_once(api: Api) -> None:
    sent = line(api.wallet(USER), idempotency_key="1")
    results = await submit(api, sent, sent, {**sent, "currency": "EUR"}, sent)
    assert codes(results) == ["PENDING", "PENDING", "idempotency_key_reused", "PENDING"]
    assert len({each["location"] for each in results[:2]}) == 1
    assert len(api.requests.records) == 1
    assert codes(await submit(api, sent)) == ["PENDING"]
    assert len(api.requests.records) == 1


async def test_owners_are_asked_for_together(api: Api) -> None:
    sources = [api.wallet(USER) for _ in range(3)]
    await submit(api, *(line(source) for source in sources * 5))
    assert api.wallets.statements == 1
    api.wallets.is_away = True
    results = await submit(api, line(sources[0]), line(api.wallet(USER)), line(sources[1]))
    assert codes(results) == ["PENDING", "database_unavailable", "PENDING"]
    assert codes(await submit(api, line(api.wallet(OTHER)), line(sources[0]), user=OTHER))[1] == "wallet_not_found"


async def test_an_admin_may_use_any_wallet_that_exists(api: Api) -> None:
    results = await submit(api, line(api.wallet(USER)), line(str(uuid4())), user=OTHER, role="admin")
    assert codes(results) == ["PENDING", "wallet_not_found"]


async def test_without_the_broker_there_is_no_success(api: Api) -> None:
    api.requests.is_away = True
    source = api.wallet(USER)
    results = await submit(api, line(source, idempotency_key="1"), b"{", line(source))
    assert codes(results) == ["broker_unavailable", "malformed_body", "broker_unavailable"]
    assert results[0]["transfer_id"] == str(uuid5(UUID(USER), "1"))
    api.requests.is_away = False
    assert codes(await submit(api, line(source, transfer_id=results[2]["transfer_id"]))) == ["PENDING"]


async def test_nothing_is_sent_behind_what_was_not_confirmed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_lines, "CHUNK_LINES_MAX", 2)
    source = api.wallet(USER)
    publish_all = api.requests.publish_all

    async def once(records: Any) -> Any:
        monkeypatch.setattr(api.requests, "publish_all", publish_all)
        return [*(await publish_all(records[:1])), None]

    monkeypatch.setattr(api.requests, "publish_all", once)
    results = await submit(api, *[line(source)] * 6)
    assert codes(results) == ["PENDING"] + ["broker_unavailable"] * 5
    assert len(api.requests.records) == 1


async def test_more_lines_than_a_batch_may_have(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LineReader.__init__, "__kwdefaults__", {"lines_max": 3, "line_bytes_max": 65_536})
    source = api.wallet(USER)
    results = await submit(api, *[line(source)] * 5)
    assert codes(results) == ["PENDING"] * 3 + ["body_too_large"]
    assert len(results) == 4


async def test_more_bytes_than_a_batch_may_have(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    source = json.dumps(line(api.wallet(USER))).encode() + b"\n"

    async def parts() -> AsyncIterator[bytes]:
        yield source
        for _ in range(20):
            yield b" " * 50_000 + b"\n"

    monkeypatch.setattr(body_limits, "BATCH_BYTES_MAX", 100_000)
    answer = await post(api, parts())
    assert codes([json.loads(each) for each in answer.text.splitlines()]) == ["PENDING", "body_too_large"]
    answer = await post(api, b" " * 100_001)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_nothing_to_do_and_another_kind_of_body(api: Api) -> None:
    for content in (b"", b"\n\n", b" "):
        answer = await post(api, content)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    answer = await post(api, b"{}", **{"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"], answer.headers["accept"]) == (
        *(415, "unsupported_media_type"),
        NDJSON,
    )


async def test_a_batch_counts_for_many_requests(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts(api), "_caller_max", 40)
    answer = await post(api, json.dumps(line(api.wallet(USER))).encode())
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    monkeypatch.setattr(counts(api), "_caller_max", 50)
    assert codes(await submit(api, line(api.wallet(USER)))) == ["PENDING"]
    monkeypatch.setattr(counts(api), "_count_max", 49)
    answer = await post(api, json.dumps(line(api.wallet(USER))).encode())
    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
    assert (counts(api)._count, counts(api)._of_caller) == (0, {})


def test_lines_are_the_same_however_they_come() -> None:
    body = b"one\n\n two\r\n" + b"x" * 11 + b"\nlast"
    expected = [Line(1, b"one"), Line(3, b" two\r"), Line(4, None), Line(5, b"last")]
    for step in (1, 2, 3, 7, 100):
        reader = LineReader(line_bytes_max=10)
        parts = [reader.feed(body[at : at + step]) for at in range(0, len(body), step)]
        assert [each for part in (*parts, reader.finish()) for each in part] == expected
        assert reader.count == 5


async def test_results_wait_for_a_client_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_outbox, "WAITING_BYTES_MAX", 10)
    reads, sent = asyncio.Event(), []

    async def send(message: Any) -> None:
        await reads.wait()
        sent.append(message)

    outbox = Outbox(send)
    assert outbox.is_empty
    await outbox.put(b"12345")
    await outbox.put(b"67890")
    third = asyncio.create_task(outbox.put(b"!"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not third.done()
    reads.set()
    await third
    await outbox.finish()
    await outbox.abandon()
    assert b"".join(message.get("body", b"") for message in sent) == b"1234567890!"
    assert [message.get("more_body", False) for message in sent][-1] is False


async def test_a_client_that_cannot_be_sent_to_ends_the_batch() -> None:
    async def send(message: Any) -> None:
        raise ConnectionResetError(message["type"])

    outbox = Outbox(send)
    await outbox.put(b"1")
    await asyncio.sleep(0)
    with pytest.raises(ConnectionResetError):
        await outbox.put(b"2")
    await outbox.abandon()
