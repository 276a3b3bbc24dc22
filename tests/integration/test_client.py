"""The Python client against a site as a user has it: an API process, a worker, and servers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.partitioner import murmur2
from aiokafka.structs import TopicPartition
from api_calls import PASSWORD
from payers import wallet_with
from payment_site import ADMIN, PaymentSite, open_payment_site

from hfts_client import (
    AsyncClient,
    AuthenticationError,
    Client,
    ConflictError,
    IdempotencyKeyReusedError,
    InvalidRequestError,
    NewTransfer,
    NotFoundError,
    PermissionDeniedError,
)
from hfts_client.kafka import KafkaSubmitter
from ops.embedded.stack import Stack
from schemas.signatures import RequestVerifier, new_keys
from schemas.topics import TRANSFERS_REQUESTED
from sinks.kafka.options import client_options
from tests.conftest import cloned_database

SIGNING, VERIFYING = new_keys("bank")
AT_ONCE = 20
PAYMENTS = 200


@dataclass
class People:
    """An admin, and Ada, who has a thousand and pays to Bob's wallet."""

    site: PaymentSite
    admin: AsyncClient
    ada: AsyncClient
    ada_email: str
    ada_wallet: str
    bob_wallet: str


@pytest.fixture(scope="module")
async def people(stack: Stack, template: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[People]:
    async with contextlib.AsyncExitStack() as open_:
        enter = open_.enter_async_context
        settings = await enter(cloned_database(stack, template))
        site = await enter(open_payment_site(settings, tmp_path_factory.mktemp("site")))
        admin = await enter(AsyncClient(site.url, email=ADMIN, password=PASSWORD))
        clients = []
        for name in ("ada", "bob"):
            await admin.users.register(f"{name}@example.com", PASSWORD)
            clients.append(await enter(AsyncClient(site.url, email=f"{name}@example.com", password=PASSWORD)))
        ada, bob = clients
        wallets = await wallet_with(admin, ada, "1000"), await wallet_with(admin, bob, "0")
        yield People(site, admin, ada, "ada@example.com", *wallets)


def test_paying_and_reading(people: People) -> None:
    with Client(people.site.url, email=people.ada_email, password=PASSWORD) as client:
        me = client.users.me()
        before = client.wallets.retrieve(people.ada_wallet)
        assert (before.user_id, me.role) == (me.user_id, "user")
        assert client.wallets.list()[0].wallet_id == before.wallet_id
        paid = client.transfers.create(
            source_wallet_id=people.ada_wallet,
            destination_wallet_id=people.bob_wallet,
            amount=Decimal("12.50"),
            currency="EUR",
            reference="lunch",
            wait=60,
        )
        assert (paid.status, paid.amount, paid.reference) == ("COMPLETED", Decimal("12.5"), "lunch")
        assert paid.source_balance == before.balance - paid.amount
        assert client.transfers.retrieve(paid.transfer_id).status == "COMPLETED"
        newest = next(client.wallets.entries(people.ada_wallet))
        assert (newest.transfer_id, newest.amount) == (paid.transfer_id, -paid.amount)
        entries = list(client.wallets.entries(people.ada_wallet, page_size=1))
        assert [entry.version for entry in entries] == list(range(before.version + 1, 0, -1))
        refused = client.transfers.create(
            source_wallet_id=people.ada_wallet,
            destination_wallet_id=people.bob_wallet,
            amount=1_000_000,
            currency="EUR",
            wait=60,
        )
        assert (refused.status, refused.reason) == ("FAILED", "insufficient_funds")
        client.log_out()


async def test_refusals_are_typed(people: People) -> None:
    ada = people.ada
    order: dict[str, Any] = {
        "source_wallet_id": people.ada_wallet,
        "destination_wallet_id": people.bob_wallet,
        "amount": "1",
        "currency": "EUR",
        "idempotency_key": str(uuid4()),
    }
    with pytest.raises(ConflictError) as conflict:
        await ada.wallets.create("EUR")
    assert (conflict.value.code, conflict.value.status) == ("wallet_exists", 409)
    assert conflict.value.request_id
    with pytest.raises(NotFoundError):
        await ada.transfers.create(**{**order, "source_wallet_id": uuid4()})
    with pytest.raises(InvalidRequestError) as invalid:
        await ada.wallets.create("euro")
    assert [error.field for error in invalid.value.errors] == ["currency"]
    async with AsyncClient(people.site.url, email=people.ada_email, password="wrong") as mistaken:
        with pytest.raises(AuthenticationError):
            await mistaken.users.me()
    receipts = [await ada.transfers.create(**order) for _ in range(2)]
    assert receipts[0].transfer_id == receipts[1].transfer_id
    with pytest.raises(IdempotencyKeyReusedError):
        await ada.transfers.create(**{**order, "amount": "2"})
    assert (await ada.transfers.wait(receipts[0], seconds=60)).status == "COMPLETED"


async def test_a_program_with_an_api_key(people: People) -> None:
    program = await people.admin.users.create_service("till@example.com")
    made = await people.admin.users.create_api_key(
        program.user_id, name="till", scopes=["wallets:write", "wallets:read"]
    )
    async with AsyncClient(people.site.url, token=made.key) as till:
        wallet = await till.wallets.create("EUR")
        assert (await till.wallets.retrieve(wallet.wallet_id)).user_id == program.user_id
        with pytest.raises(PermissionDeniedError):
            await till.transfers.create(
                source_wallet_id=wallet.wallet_id,
                destination_wallet_id=people.ada_wallet,
                amount=1,
                currency="EUR",
            )
        for change, status in (("freeze", "frozen"), ("unfreeze", "active"), ("close", "closed"), ("reopen", "active")):
            assert (await getattr(people.admin.wallets, change)(wallet.wallet_id)).status == status
        await people.admin.users.revoke_api_key(program.user_id, made.key_id)
        [key] = await people.admin.users.list_api_keys(program.user_id)
        assert (key.key_id, key.name, key.revoked_at is None) == (made.key_id, "till", False)


async def test_a_batch_of_more_than_one_request(people: People) -> None:
    def orders(count: int) -> list[NewTransfer]:
        sources = [str(uuid4()) if number % 500 == 7 else people.ada_wallet for number in range(count)]
        return [
            NewTransfer(
                source_wallet_id=source, destination_wallet_id=people.bob_wallet, amount="0.0001", currency="EUR"
            )
            for source in sources
        ]

    before = (await people.ada.wallets.retrieve(people.ada_wallet)).balance
    results = [result async for result in people.ada.transfers.batch(orders(1_200))]
    refused = [result.index for result in results if result.error is not None]
    assert [result.index for result in results] == list(range(1_200))
    assert refused == [7, 507, 1_007]
    assert {result.error.code for result in results if result.error is not None} == {"wallet_not_found"}
    last = results[-1].accepted
    assert last is not None
    assert (await people.ada.transfers.wait(last, seconds=60)).status == "COMPLETED"
    assert (await people.ada.wallets.retrieve(people.ada_wallet)).balance == before - Decimal("0.1197")


async def test_straight_to_kafka_under_the_right_key(people: People) -> None:
    settings = people.site.settings
    topic = settings.topic_name(TRANSFERS_REQUESTED)
    submitter = KafkaSubmitter(settings.kafka_bootstrap_servers, topic=topic, signing_key=SIGNING)
    async with submitter:
        sent = await submitter.submit(
            source_wallet_id=people.ada_wallet, destination_wallet_id=people.bob_wallet, amount="1", currency="EUR"
        )
    assert sent.partition == (murmur2(people.ada_wallet.encode()) & 0x7FFFFFFF) % settings.topic_partitions
    async with AIOKafkaConsumer(**client_options(settings)) as consumer:
        where = TopicPartition(topic, sent.partition)
        consumer.assign([where])
        consumer.seek(where, sent.offset)
        record = await asyncio.wait_for(consumer.getone(), 30)
    assert record.key == people.ada_wallet.encode()
    RequestVerifier(VERIFYING, topic).check(record.headers, record.value)
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(NotFoundError):  # nobody has a receipt of it
                found = await people.ada.transfers.retrieve(sent.transfer_id)
                break
            await asyncio.sleep(0.05)
    assert found.status == "COMPLETED"


async def test_an_api_that_is_killed_in_the_middle_costs_nobody_anything_twice(people: People) -> None:
    site, ada = people.site, people.ada
    before = await ada.wallets.retrieve(people.ada_wallet)
    gate, answered = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(0)

    async def pay() -> UUID:
        async with gate:
            receipt = await ada.transfers.create(
                source_wallet_id=people.ada_wallet, destination_wallet_id=people.bob_wallet, amount="1", currency="EUR"
            )
        answered.release()
        paid = await ada.transfers.wait(receipt, seconds=60)
        assert paid.status == "COMPLETED"
        return paid.transfer_id

    async with asyncio.TaskGroup() as group:
        paying = [group.create_task(pay()) for _ in range(PAYMENTS)]
        for _ in range(AT_ONCE):
            await answered.acquire()
        await site.kill_api()
        await site.start_api()
    assert len({task.result() for task in paying}) == PAYMENTS
    after = await ada.wallets.retrieve(people.ada_wallet)
    assert after.balance == before.balance - PAYMENTS
    assert after.version == before.version + PAYMENTS


async def test_events_go_on_behind_what_was_told_when_the_api_is_killed(people: People) -> None:
    ada = people.ada

    async def pay() -> UUID:
        paid = await ada.transfers.create(
            source_wallet_id=people.ada_wallet,
            destination_wallet_id=people.bob_wallet,
            amount="0.01",
            currency="EUR",
            wait=60,
        )
        return paid.transfer_id

    async with contextlib.aclosing(ada.transfers.events()) as events:
        first = asyncio.ensure_future(anext(events))
        sent = [await pay()]
        while not (await asyncio.wait({first}, timeout=0.5))[0]:
            sent.append(await pay())  # until it listens
        told = [await first]
        sent = sent[sent.index(told[0].transfer.transfer_id) :]
        await people.site.kill_api()
        await people.site.start_api()
        sent += [await pay() for _ in range(5)]
        while len(told) < len(sent):
            told.append(await asyncio.wait_for(anext(events), 60))
    assert [event.transfer.transfer_id for event in told] == sent
    assert {event.type for event in told} == {"transfer.completed"}
    assert told[0].transfer.source_balance is not None
    with (
        Client(people.site.url, email=people.ada_email, password=PASSWORD) as client,
        contextlib.closing(client.transfers.events(after=told[0].event_id)) as again,
    ):
        assert [next(again).transfer.transfer_id for _ in sent[1:]] == sent[1:]


async def test_from_a_hold_to_a_reversal(people: People) -> None:
    admin, ada = people.admin, people.ada
    before = await ada.wallets.retrieve(people.ada_wallet)
    held = await ada.transfers.wait(
        await ada.holds.create(
            source_wallet_id=people.ada_wallet,
            amount=40,
            currency="EUR",
            expires_at=datetime.now(UTC) + timedelta(days=1),
        )
    )
    assert (held.status, held.kind) == ("COMPLETED", "hold")
    wallet = await ada.wallets.retrieve(people.ada_wallet)
    assert (wallet.balance, wallet.held) == (before.balance - 40, Decimal(40))
    captured = await ada.transfers.wait(
        await ada.holds.capture(
            held.transfer_id, destination_wallet_id=people.bob_wallet, amount="25.50", reference="room 12"
        )
    )
    assert (captured.status, captured.kind, captured.parent_id) == ("COMPLETED", "capture", held.transfer_id)
    voided = await ada.transfers.wait(await ada.holds.void(held.transfer_id))
    assert (voided.status, voided.amount) == ("COMPLETED", Decimal("14.50"))
    hold = await ada.holds.retrieve(held.transfer_id)
    assert (hold.status, hold.captured, hold.remaining) == ("captured", Decimal("25.5"), Decimal(0))
    assert {draw.kind for draw in hold.draws} == {"capture", "void"}
    assert [each.hold_id async for each in ada.holds.list(people.ada_wallet)] == [held.transfer_id]
    assert [each async for each in ada.holds.list(people.ada_wallet, only_open=True)] == []
    sent_back = await admin.transfers.wait(await admin.transfers.reverse(captured.transfer_id, amount=5))
    assert (sent_back.status, sent_back.amount, sent_back.parent_id) == ("COMPLETED", Decimal(5), captured.transfer_id)
    rest = await admin.transfers.wait(await admin.transfers.reverse_by_reference(people.bob_wallet, "room 12"))
    assert (rest.status, rest.amount, rest.reference) == ("COMPLETED", Decimal("20.5"), "room 12")
    limited = await admin.wallets.set_limits(people.ada_wallet, transfer_max=10)
    assert (limited.transfer_max, limited.day_max) == (Decimal(10), None)
    verdict = await ada.transfers.dry_run(
        source_wallet_id=people.ada_wallet, destination_wallet_id=people.bob_wallet, amount=11, currency="EUR"
    )
    assert (verdict.verdict, verdict.reason) == ("FAILED", "limit_exceeded")
    await admin.wallets.set_limits(people.ada_wallet)


async def test_lists_by_filters_and_past_balances(people: People) -> None:
    ada, run = people.ada, str(uuid4())
    before = await ada.wallets.retrieve(people.ada_wallet)
    sent = []
    for number in range(5):
        paid = await ada.transfers.create(
            source_wallet_id=people.ada_wallet,
            destination_wallet_id=people.bob_wallet,
            amount=number + 1,
            currency="EUR",
            reference=f"{run} {number % 2}",
            metadata={"a run": run},
            wait=60,
        )
        sent.append(paid.transfer_id)
    of_run = ada.transfers.list(wallet_id=people.ada_wallet, page_size=2, metadata={"a run": run})
    assert [each.transfer_id async for each in of_run] == sent[::-1]
    odd = ada.transfers.list(reference=f"{run} 1", status="COMPLETED", amount_max=100)
    assert [each.transfer_id async for each in odd] == [sent[3], sent[1]]
    since = datetime.now(UTC) - timedelta(hours=1)
    large = ada.wallets.entries(
        people.ada_wallet, page_size=2, amount_min=3, metadata={"a run": run}, completed_from=since
    )
    assert [each.version - before.version async for each in large] == [5, 4, 3]
    statement = await ada.wallets.statement(people.ada_wallet, start=since)
    assert statement.start == since
    assert statement.opening.balance + sum(each.amount for each in statement.entries) == statement.closing.balance
    assert statement.closing.version == before.version + 5
    assert (await ada.wallets.pending(people.ada_wallet)).pending == 0
    past = await ada.wallets.balance(people.ada_wallet, version=before.version)
    assert (past.balance, past.version) == (before.balance, before.version)
    assert (await ada.wallets.balance(people.ada_wallet, at=datetime.now(UTC))).balance == before.balance - 15
