"""Batches on real servers."""

import json
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import OutOfOrderSequenceNumber

from ops.topic_reader import group_free_consumer
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED
from schemas.transfers import decode_request
from sinks.kafka import requests
from sinks.kafka.requests import RequestPublisher

LINES = 1_200


def line(source: str, **more: Any) -> dict[str, Any]:
    destination = str(uuid4())
    return {"source_wallet_id": source, "destination_wallet_id": destination, "amount": "1", "currency": "USD", **more}


async def submit(live_api: Any, person: Any, lines: list[dict[str, Any]]) -> list[Any]:
    content = "\n".join(json.dumps(each) for each in lines)
    headers = {**person.headers, "Content-Type": "application/x-ndjson"}
    answer = await live_api.client.post("/v1/transfers/batch", content=content, headers=headers)
    assert answer.status_code == 200, answer.text
    return [json.loads(each) for each in answer.text.splitlines()]


async def records_of(settings: Settings) -> list[Any]:
    """Every request on the topic, in order within each partition, with its key, partition and offset."""
    topic = settings.topic_name(TRANSFERS_REQUESTED)
    found: list[Any] = []
    async with group_free_consumer(settings) as consumer:
        partitions = [TopicPartition(topic, number) for number in range(settings.topic_partitions)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        for where in partitions:
            await consumer.seek_to_beginning(where)
        for where in partitions:
            while await consumer.position(where) < ends[where]:
                found += (await consumer.getmany(where, timeout_ms=200)).get(where, [])
    return found


async def test_a_batch_stands_on_the_topic_in_its_order(live_api: Any) -> None:
    ada = await live_api.person("ada")
    sources = [await live_api.wallet(ada, currency) for currency in ("USD", "EUR", "CHF", "JPY")]
    lines = [line(sources[number % 4], idempotency_key=f"payment {number}") for number in range(LINES)]
    results = await submit(live_api, ada, lines)
    assert [each["line"] for each in results] == list(range(1, LINES + 1))
    assert {each["status"] for each in results} == {"PENDING"}
    records = await records_of(live_api.settings)
    assert len(records) == LINES
    receipts = live_api.app.state.services.receipts
    at = {(record.partition, record.offset): record for record in records}
    for sent, result in zip(lines, results, strict=True):
        receipt = receipts.read(result["location"].partition("receipt=")[2])
        record = at[receipt.partition, receipt.offset]
        request, _ = decode_request(record.value)
        assert record.key.decode() == request.source_wallet_id == sent["source_wallet_id"]
        assert (request.transfer_id, request.destination_wallet_id) == (
            result["transfer_id"],
            sent["destination_wallet_id"],
        )
    for source in sources:
        sent_in_order = [
            each["transfer_id"] for each, sent in zip(results, lines, strict=True) if source in sent.values()
        ]
        stored = [decode_request(record.value)[0] for record in records if record.key == source.encode()]
        assert [request.transfer_id for request in stored] == sent_in_order
    single = await live_api.post("/v1/transfers", line(sources[0]), ada)
    assert single.json()["partition"] == receipts.read(results[0]["location"].partition("receipt=")[2]).partition


async def test_only_out_of_ones_own_wallets(live_api: Any) -> None:
    ada, bob, root = [await live_api.person(*who) for who in (("ada",), ("bob",), ("root", "admin"))]
    lines = [line(await live_api.wallet(ada)), line(await live_api.wallet(bob)), line(str(uuid4()))]
    found = {}
    for name, person in (("ada", ada), ("bob", bob), ("root", root)):
        results = await submit(live_api, person, lines)
        found[name] = [each.get("code") or each["status"] for each in results]
    assert found == {
        "ada": ["PENDING", "wallet_not_found", "wallet_not_found"],
        "bob": ["wallet_not_found", "PENDING", "wallet_not_found"],
        "root": ["PENDING", "PENDING", "wallet_not_found"],
    }


async def test_records_of_a_batch_that_no_broker_confirms(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "CONFIRM_TIMEOUT_S", 0.2)
    records = [(str(uuid4()).encode(), b"1") for _ in range(5)]
    publisher = RequestPublisher(settings)
    assert await publisher.publish_all(records) == [None] * 5  # it has not begun to connect
    monkeypatch.undo()
    await publisher.start()
    try:
        assert None not in await publisher.publish_all(records)
        dead = publisher._producer

        async def fail(*_: object, **__: object) -> None:
            raise OutOfOrderSequenceNumber

        monkeypatch.setattr(dead, "send_batch", fail)
        assert await publisher.publish_all(records) == [None] * 5
        assert None not in await publisher.publish_all(records)
        assert publisher._producer is not dead
        monkeypatch.setattr(requests, "PENDING_MAX", 4)
        assert await publisher.publish_all(records) == [None] * 5
    finally:
        await publisher.stop()


async def test_more_than_a_record_batch_holds(settings: Settings) -> None:
    publisher = RequestPublisher(settings)
    await publisher.start()
    try:
        positions = await publisher.publish_all([(b"key", b"x" * 60_000) for _ in range(20)])
        assert [position.offset for position in positions if position] == list(range(20))
    finally:
        await publisher.stop()
