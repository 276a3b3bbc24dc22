"""Where requests must be signed, the right to write to the topic moves no money."""

from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer
from builders import MemoryTopics, a_request, consumed, request_record
from live_api import app_client, token_headers
from payments import assert_all_agrees, funded_fleet
from pipeline_run import partition_of
from plain_topics import records_of
from pydantic import SecretStr
from stages import work
from workers import stop, wait_settled, worker

from schemas.headers import CAUSE, SIGNATURE
from schemas.settings import Settings
from schemas.signatures import RequestSigner, new_keys
from schemas.topics import DEAD_LETTERS, TRANSFERS_OUTCOMES, TRANSFERS_REQUESTED
from schemas.transfers import TransferRequest, decode_outcome, encode_request
from sinks.kafka.options import client_options
from streams.transfers import TransfersStage

SIGNING, VERIFYING = new_keys("api-1")
PARTNER, PARTNER_VERIFYING = new_keys("bank")
STRANGER, _ = new_keys("api-1")


def strict(settings: Settings, verify_keys: str = f"{VERIFYING},{PARTNER_VERIFYING}") -> Settings:
    return settings.model_copy(
        update={
            "require_signed_requests": True,
            "request_verify_keys": verify_keys,
            "request_signing_key": SecretStr(SIGNING),
        }
    )


def signature(settings: Settings, key: str, value: bytes) -> list[tuple[str, bytes]]:
    return [RequestSigner(key, settings.topic_name(TRANSFERS_REQUESTED)).header(value)]


async def test_only_what_is_signed_moves_money(
    settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    settings = strict(settings)
    async with worker(settings, tmp_path / "worker.log") as process:
        fleet = await funded_fleet(settings, connection, 2)  # `hfts load` signs
        payer, payee = fleet.wallets
        over_http = await pay_over_http(settings, connection, payer, payee)

        def payment(amount: str) -> tuple[str, bytes]:
            request = a_request(source_wallet_id=payer, destination_wallet_id=payee, amount=amount)
            return request.transfer_id, encode_request(request)

        good, good_value = payment("1.0000")
        _, forged = payment("2.0000")
        sent: list[tuple[bytes, list[tuple[str, bytes]]]] = [
            (good_value, signature(settings, PARTNER, good_value)),
            (good_value, signature(settings, PARTNER, good_value)),  # the same record again
            (good_value.replace(b'"1.0000"', b'"3.0000"'), signature(settings, PARTNER, good_value)),
            (forged, []),
            (forged, signature(settings, STRANGER, forged)),
            (forged, signature(settings, PARTNER, good_value)),
            (forged, [(SIGNATURE, b"eyJhbGciOiJub25lIiwia2lkIjoiYmFuayJ9.e30.")]),
        ]
        async with AIOKafkaProducer(**client_options(settings)) as producer:
            for value, headers in sent:
                await producer.send_and_wait(
                    settings.topic_name(TRANSFERS_REQUESTED), value, key=payer.encode(), headers=headers
                )
        await wait_settled(settings, ("transfers", "notifications", "audit", "deliveries"), process)
        assert await stop(process) == 0

    outcomes = [decode_outcome(r.value or b"") for r in await records_of(settings, TRANSFERS_OUTCOMES)]
    told = {o.transfer_id: (o.status, o.amount) for o in outcomes if o.source_wallet_id == payer}
    assert told == {over_http: ("COMPLETED", "5.0000"), good: ("COMPLETED", "1.0000")}
    dead = await records_of(settings, DEAD_LETTERS)
    assert Counter(dict(r.headers)[CAUSE] for r in dead) == {b"invalid_signature": 4, b"unsigned_request": 1}
    assert [r.value for r in dead] == [value for value, _ in sent[2:]], "the bytes are untouched"
    assert [dict(r.headers).get(SIGNATURE) for r in dead] == [dict(headers).get(SIGNATURE) for _, headers in sent[2:]]
    await assert_all_agrees(settings)


async def pay_over_http(settings: Settings, connection: asyncpg.Connection, payer: str, payee: str) -> str:
    owner = await connection.fetchval("select user_id::text from wallets where wallet_id = $1", payer)
    order = {"source_wallet_id": payer, "destination_wallet_id": payee, "amount": "5", "currency": "USD"}
    async with app_client(settings) as (app, client):
        accepted = await client.post("/v1/transfers", json=order, headers=token_headers(app, owner))
    assert accepted.status_code == 202, accepted.text
    return str(accepted.json()["transfer_id"])


async def run(settings: Settings, topics: MemoryTopics, batches: dict[int, Any]) -> None:
    """A worker that starts, works and ends."""
    stage = TransfersStage(settings, topics)
    await stage.start()
    try:
        await stage.resume_offsets(batches)
        for phase in await work(stage, batches):
            for output in phase:
                await topics.publish(output.topic, output.partition, output.groups)
    finally:
        await stage.stop()


async def test_what_was_applied_stays_applied_when_its_key_goes(
    database_settings: Settings, connection: asyncpg.Connection
) -> None:
    """A worker dies between commit and publishing, and the next one no longer knows the key."""
    before = strict(database_settings)
    after = strict(database_settings, verify_keys=VERIFYING)
    world, payee = await two_wallets(connection)
    request = a_request(source_wallet_id=world, destination_wallet_id=payee)
    partition = partition_of(world, before)
    value = encode_request(request)
    good = consumed(0, value, key=world.encode(), partition=partition, headers=signature(before, PARTNER, value))
    unsigned = an_unsigned_one(1, request, partition)
    batches = {partition: [good, unsigned]}

    lost = MemoryTopics()  # what the first worker published is lost
    await run(before, lost, batches)
    kept = MemoryTopics()
    await run(after, kept, batches)
    assert kept.records == lost.records
    [outcome] = kept.records[before.topic_name(TRANSFERS_OUTCOMES), partition]
    assert decode_outcome(outcome.value or b"").transfer_id == request.transfer_id
    [letter] = kept.records[before.topic_name(DEAD_LETTERS), partition]
    assert dict(letter.headers)[CAUSE] == b"unsigned_request"


def an_unsigned_one(offset: int, like: TransferRequest, partition: int) -> Any:
    other = msgspec.structs.replace(a_request(), source_wallet_id=like.source_wallet_id)
    return request_record(offset, other, partition=partition)


async def two_wallets(connection: asyncpg.Connection) -> tuple[str, str]:
    world = await connection.fetchval(
        "insert into wallets (kind, currency) values ('world', 'USD') returning wallet_id::text"
    )
    user = await connection.fetchval(
        "insert into users (email, password_hash) values ('ada@example.com', '!') returning user_id"
    )
    payee = await connection.fetchval(
        "insert into wallets (user_id, currency) values ($1, 'USD') returning wallet_id::text", user
    )
    return world, payee
