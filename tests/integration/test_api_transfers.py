import asyncio
from typing import Any
from uuid import UUID, uuid4

from aiokafka import AIOKafkaConsumer
from aiokafka.partitioner import murmur2
from live_api import LiveApi, Person

from schemas.topics import TRANSFERS_REQUESTED
from schemas.transfers import decode_request
from sinks.kafka.options import client_options

INSERT_ROW = """
insert into transfers (transfer_id, source_wallet_id, destination_wallet_id, amount, currency, status, reason,
    source_balance, source_version, destination_balance, destination_version, requested_at, completed_at,
    metadata, request_partition, request_offset)
values ($1, $2, $3, 1, 'USD', $4, $5, $6, $7, $6, $7, now(), now(), '{"a": "b"}', $8, $9)
"""


async def submit(live_api: LiveApi, person: Person, source: str, destination: str, **headers: str) -> dict[str, Any]:
    body = {"source_wallet_id": source, "destination_wallet_id": destination, "amount": "1", "currency": "USD"}
    answer = await live_api.post("/v1/transfers", body, person, **headers)
    assert answer.status_code == 202, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


async def apply(live_api: LiveApi, receipt: dict[str, Any], next_offset: int) -> None:
    await live_api.connection.execute(
        "insert into stream_progress (topic, partition, next_offset) values ($1, $2, $3)"
        " on conflict (topic, partition) do update set next_offset = excluded.next_offset",
        receipt["topic"],
        receipt["partition"],
        next_offset,
    )


async def decide(live_api: LiveApi, receipt: dict[str, Any], source: str, destination: str, reason: str | None) -> None:
    await live_api.connection.execute(
        INSERT_ROW,
        UUID(receipt["transfer_id"]),
        UUID(source),
        UUID(destination),
        "FAILED" if reason else "COMPLETED",
        reason,
        None if reason else 5,
        None if reason else 1,
        receipt["partition"],
        receipt["offset"],
    )


async def test_a_receipt_names_the_record(live_api: LiveApi) -> None:
    ada = await live_api.person("ada")
    source = await live_api.wallet(ada)
    receipt = await submit(live_api, ada, source, str(uuid4()), **{"Idempotency-Key": "1"})
    assert receipt == await submit(live_api, ada, source, str(uuid4()), **{"Idempotency-Key": "2"}) | {
        name: receipt[name] for name in ("transfer_id", "offset", "receipt", "location", "accepted_at")
    }
    topic = live_api.settings.topic_name(TRANSFERS_REQUESTED)
    assert receipt["topic"] == topic
    async with AIOKafkaConsumer(topic, **client_options(live_api.settings), auto_offset_reset="earliest") as consumer:
        record = await asyncio.wait_for(consumer.getone(), 30)
    assert (record.partition, record.offset) == (receipt["partition"], receipt["offset"])
    assert record.key == source.encode()
    assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % live_api.settings.topic_partitions
    request, units = decode_request(record.value)
    assert (request.transfer_id, request.source_wallet_id, units) == (receipt["transfer_id"], source, 10_000)


async def test_from_pending_to_completed(live_api: LiveApi) -> None:
    ada, bob = await live_api.person("ada"), await live_api.person("bob")
    root = await live_api.person("root", "admin")
    source, destination = await live_api.wallet(ada), await live_api.wallet(bob)
    receipt = await submit(live_api, ada, source, destination)
    location, bare = receipt["location"], f"/v1/transfers/{receipt['transfer_id']}"
    assert (await live_api.get(location)).status_code == 401
    for person in (ada, root):
        for path in (location, bare):
            answer = await live_api.get(path, person)
            assert (answer.status_code, answer.json()["status"]) == (200, "PENDING")
    assert (await live_api.get(location, bob)).status_code == 404
    await apply(live_api, receipt, receipt["offset"])
    assert (await live_api.get(location, ada)).json()["status"] == "PENDING"
    await decide(live_api, receipt, source, destination, None)
    await apply(live_api, receipt, receipt["offset"] + 1)
    seen = (await live_api.get(location, ada)).json()
    assert (seen["status"], seen["amount"], seen["metadata"]) == ("COMPLETED", "1.0000", {"a": "b"})
    assert (seen["source_balance"], seen["destination_balance"]) == ("5.0000", None)
    seen = (await live_api.get(bare, bob)).json()
    assert (seen["source_balance"], seen["destination_balance"]) == (None, "5.0000")
    seen = (await live_api.get(bare, root)).json()
    assert (seen["source_version"], seen["destination_version"]) == (1, 1)


async def test_from_pending_to_failed(live_api: LiveApi) -> None:
    ada, bob = await live_api.person("ada"), await live_api.person("bob")
    source, destination = await live_api.wallet(ada), await live_api.wallet(bob)
    receipt = await submit(live_api, ada, source, destination)
    await decide(live_api, receipt, source, destination, "insufficient_funds")
    seen = (await live_api.get(receipt["location"], ada)).json()
    assert (seen["status"], seen["reason"], seen["source_balance"]) == ("FAILED", "insufficient_funds", None)
    assert (await live_api.get(receipt["location"], bob)).status_code == 404


async def test_passed_and_without_a_row_it_was_rejected(live_api: LiveApi) -> None:
    ada = await live_api.person("ada")
    receipt = await submit(live_api, ada, await live_api.wallet(ada), str(uuid4()))
    await apply(live_api, receipt, receipt["offset"] + 1)
    answer = await live_api.get(receipt["location"], ada)
    assert (answer.status_code, answer.json()["code"]) == (409, "transfer_rejected")


async def test_a_transfer_nobody_sent(live_api: LiveApi) -> None:
    ada = await live_api.person("ada")
    answer = await live_api.get(f"/v1/transfers/{uuid4()}", ada)
    assert (answer.status_code, answer.json()["code"]) == (404, "transfer_not_found")


async def test_who_may_submit(live_api: LiveApi) -> None:
    ada, bob = await live_api.person("ada"), await live_api.person("bob")
    root = await live_api.person("root", "admin")
    body = {
        "source_wallet_id": await live_api.wallet(ada),
        "destination_wallet_id": str(uuid4()),
        "amount": "1",
        "currency": "USD",
    }
    statuses = [(await live_api.post("/v1/transfers", body, person)).status_code for person in (None, bob, ada, root)]
    assert statuses == [401, 404, 202, 202]


async def test_who_may_deposit(live_api: LiveApi) -> None:
    ada, root = await live_api.person("ada"), await live_api.person("root", "admin")
    wallet = await live_api.wallet(ada)
    body = {"wallet_id": wallet, "amount": "100.5", "currency": "USD", "reference": "opening"}
    statuses = [(await live_api.post("/v1/deposits", body, person)).status_code for person in (None, ada, root)]
    assert statuses == [401, 403, 202]
    unknown = await live_api.post("/v1/deposits", {**body, "wallet_id": str(uuid4())}, root)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "wallet_not_found")


async def test_a_deposit_makes_the_world_wallet_it_needs(live_api: LiveApi) -> None:
    ada, root = await live_api.person("ada"), await live_api.person("root", "admin")
    wallet = await live_api.wallet(ada)
    body = {"wallet_id": wallet, "amount": "1", "currency": "JPY"}
    answers = [await live_api.post("/v1/deposits", body, root, **{"Idempotency-Key": "d"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert (
        await live_api.connection.fetchval("select count(*) from wallets where kind = 'world' and currency = 'JPY'")
        == 1
    )


async def test_many_at_once_each_have_a_place_of_their_own(live_api: LiveApi) -> None:
    ada = await live_api.person("ada")
    source = await live_api.wallet(ada)
    receipts = await asyncio.gather(*(submit(live_api, ada, source, str(uuid4())) for _ in range(50)))
    assert {receipt["offset"] for receipt in receipts} == set(range(50))
    assert len({receipt["partition"] for receipt in receipts}) == 1
