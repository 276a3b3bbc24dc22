import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from scripted_api import (
    DESTINATION,
    FIELDS,
    ID,
    LOCATION,
    PENDING,
    RECEIPT,
    SOURCE,
    TIME,
    TRANSFER,
    World,
    answer,
    problem,
)

from hfts_client import (
    ConnectionFailedError,
    InvalidRequestError,
    OutcomePendingError,
    Receipt,
    Transfer,
    TransferRejectedError,
    UnavailableError,
)
from hfts_client.api import Api
from hfts_client.effects import Operation, Request
from hfts_client.operations import accounts, submitting, wallets

LOST = ConnectionFailedError("reset")
WALLET = {
    "wallet_id": str(SOURCE),
    "user_id": None,
    "kind": "new kind",
    "currency": "EUR",
    "balance": "-87.5000",
    "version": 2,
    "status": "active",
    "created_at": TIME,
    "updated_at": TIME,
}


def sent(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request.content or b"")
    return body


def test_a_transfer_is_sent_as_the_api_wants_it() -> None:
    world = World(answer(202, RECEIPT, request_id="9"))
    receipt = world.run(submitting.create(world.api(), None, FIELDS))  # type: ignore[arg-type]
    assert isinstance(receipt, Receipt)
    assert (receipt.transfer_id, receipt.partition, receipt.offset, receipt.request_id) == (ID, 3, 118, "9")
    (request,) = world.requests
    assert sent(request) == {
        "source_wallet_id": str(SOURCE),
        "destination_wallet_id": str(DESTINATION),
        "amount": "12.50",
        "currency": "EUR",
    }
    assert "Prefer" not in request.headers
    assert len(request.headers["Idempotency-Key"]) == 36


@pytest.mark.parametrize(("chosen", "key"), [({"idempotency_key": "rent"}, "rent"), ({"transfer_id": ID}, None)])
def test_ones_own_key_or_id_is_kept(chosen: dict[str, Any], key: str | None) -> None:
    world = World(answer(202, RECEIPT))
    fields: Any = {**FIELDS, **chosen}
    world.run(submitting.create(world.api(), None, fields))
    (request,) = world.requests
    assert request.headers.get("Idempotency-Key") == key
    assert sent(request).get("transfer_id") == (str(ID) if key is None else None)


def deposit(api: Api) -> Operation[Transfer | Receipt]:
    return submitting.deposit(api, 5.0, wallet_id=SOURCE, amount=1, currency="EUR", reference="in")


def transfer(api: Api) -> Operation[Transfer | Receipt]:
    return submitting.create(api, 5.0, FIELDS)  # type: ignore[arg-type]


@pytest.mark.parametrize("submit", [deposit, transfer])
def test_every_try_has_the_same_key_and_body(submit: Callable[[Api], Operation[Transfer | Receipt]]) -> None:
    world = World(LOST, problem(503, "broker_unavailable"), problem(502, ""), answer(200, TRANSFER))
    assert isinstance(world.run(submit(world.api())), Transfer)
    assert len({(request.headers["Idempotency-Key"], request.content) for request in world.requests}) == 1


def test_the_outcome_at_once() -> None:
    world = World(answer(200, TRANSFER, request_id="9"))
    found = world.run(transfer(world.api()))
    assert isinstance(found, Transfer)
    assert (found.status, found.amount, found.source_balance) == ("COMPLETED", Decimal("12.5"), Decimal("87.5"))
    assert (found.metadata, found.destination_balance, found.request_id) == ({"order": "1815"}, None, "9")
    assert world.requests[0].headers["Prefer"] == "wait=5"
    assert world.requests[0].more_time_s == 5


def test_an_api_that_does_not_wait_is_asked_at_growing_intervals() -> None:
    world = World(answer(202, RECEIPT), *(answer(200, PENDING) for _ in range(3)), answer(200, TRANSFER))
    assert isinstance(world.run(transfer(world.api())), Transfer)
    assert world.sleeps == [0.05, 0.1, 0.2]
    assert {(request.method, request.target) for request in world.requests[1:]} == {("GET", LOCATION)}


def test_an_api_that_waits_is_asked_again_at_once_and_to_the_end() -> None:
    world = World()

    def wait(_: Request) -> Any:
        world.now_s += 2
        return answer(200, PENDING, preference_applied="wait=2")

    world = World(answer(202, RECEIPT), wait, wait, wait, answer(200, TRANSFER))
    with pytest.raises(OutcomePendingError) as raised:
        world.run(transfer(world.api()))
    assert [request.headers.get("Prefer") for request in world.requests[1:]] == ["wait=5", "wait=3", "wait=1"]
    assert world.sleeps == []
    assert raised.value.receipt is not None
    assert world.run(submitting.wait(world.api(), raised.value.receipt)).transfer_id == ID
    assert raised.value.location == LOCATION


def test_a_wait_that_is_over_before_it_begins_asks_once() -> None:
    world = World(answer(200, PENDING), answer(200, TRANSFER))
    with pytest.raises(OutcomePendingError):
        world.run(submitting.wait(world.api(), LOCATION, seconds=0))
    assert world.run(submitting.wait(world.api(), LOCATION, seconds=0)).status == "COMPLETED"
    assert "Prefer" not in world.requests[0].headers


def test_what_was_set_aside_has_no_outcome() -> None:
    world = World(problem(409, "transfer_rejected"))
    with pytest.raises(TransferRejectedError):
        world.run(submitting.wait(world.api(), LOCATION))


@pytest.mark.parametrize("location", ["https://elsewhere/v1/transfers/1", "//elsewhere", "/v1/me"])
def test_a_token_is_shown_to_nobody_else(location: str) -> None:
    with pytest.raises(ValueError, match="location"):
        World().run(submitting.wait(World().api(), location))


def test_a_failed_transfer_is_an_outcome() -> None:
    failed = {**TRANSFER, "status": "FAILED", "reason": "insufficient_funds", "source_balance": None}
    world = World(answer(200, failed))
    found = world.run(submitting.retrieve(world.api(), ID))
    assert (found.status, isinstance(found, Transfer) and found.reason) == ("FAILED", "insufficient_funds")


def test_a_transfer_that_is_wrong_is_not_sent_again() -> None:
    world = World(problem(422, "invalid_request"))
    with pytest.raises(InvalidRequestError):
        world.run(transfer(world.api()))


def test_entries_come_page_by_page_when_they_are_needed() -> None:
    def entry(version: int) -> dict[str, Any]:
        return {
            "transfer_id": str(ID),
            "version": version,
            "amount": "-1.0000",
            "balance": "5.0000",
            "currency": "EUR",
            "counterparty_wallet_id": str(DESTINATION),
            "reference": None,
            "completed_at": TIME,
        }

    def page(*versions: int, has_more: bool) -> Any:
        return answer(200, {"data": [entry(version) for version in versions], "has_more": has_more})

    world = World(
        page(5, 4, has_more=True),
        problem(503, "database_unavailable"),
        page(3, 2, has_more=True),
        page(1, has_more=False),
    )
    found = world.items(wallets.entries(world.api(), SOURCE, page_size=2))
    first = next(found)
    assert (first.version, first.amount, len(world.requests)) == (5, Decimal(-1), 1)
    assert [each.version for each in found] == [4, 3, 2, 1]
    path = f"/v1/wallets/{SOURCE}/entries?limit=2"
    assert [request.target for request in world.requests] == [
        path,
        f"{path}&starting_after=4",
        f"{path}&starting_after=4",
        f"{path}&starting_after=2",
    ]
    world = World(page(has_more=False))
    assert list(world.items(wallets.entries(world.api(), SOURCE, starting_after=7))) == []
    assert world.requests[0].target == f"/v1/wallets/{SOURCE}/entries?limit=100&starting_after=7"


def test_wallets() -> None:
    world = World(answer(201, WALLET), answer(201, WALLET), answer(200, WALLET), answer(200, {"data": [WALLET] * 2}))
    world.run(wallets.create(world.api(), "EUR"))
    found = world.run(wallets.create(world.api(), "EUR", user_id=ID))
    assert world.run(wallets.retrieve(world.api(), SOURCE)) == found
    assert world.run(wallets.list_all(world.api())) == [found, found]
    assert (found.balance, found.kind, found.user_id) == (Decimal("-87.5"), "new kind", None)
    assert [sent(request) for request in world.requests[:2]] == [
        {"currency": "EUR"},
        {"currency": "EUR", "user_id": str(ID)},
    ]


def test_a_key_of_a_program_is_shown_once() -> None:
    user = {"email": "ops@example.com", "status": "active", "role": "producer", "created_at": TIME, "updated_at": TIME}
    made = {"key_id": str(SOURCE), "name": "till", "scopes": ["transfers:write"], "key": "secret", "created_at": TIME}
    key = {**made, "user_id": str(ID), "expires_at": None, "last_used_at": None, "revoked_at": None}
    world = World(answer(201, {**user, "user_id": str(ID)}), answer(201, key), LOST, answer(204, b""))
    service = world.run(accounts.create_service(world.api(), "ops@example.com"))
    found = world.run(
        accounts.create_api_key(
            world.api(), service.user_id, name="till", scopes=["transfers:write"], expires_in_days=90
        )
    )
    world.run(accounts.revoke_api_key(world.api(), service.user_id, found.key_id))
    assert found.key == "secret"
    assert "secret" not in repr(found)
    keys = f"/v1/users/{ID}/api-keys"
    assert [(request.method, request.target) for request in world.requests] == [
        ("POST", "/v1/service-accounts"),
        ("POST", keys),
        *[("DELETE", f"{keys}/{SOURCE}")] * 2,
    ]
    assert sent(world.requests[1]) == {
        "name": "till",
        "scopes": ["transfers:write"],
        "expires_in_days": 90,
    }


def test_opening_is_not_repeated_when_it_may_have_been_done() -> None:
    world = World(problem(504, ""), LOST)
    with pytest.raises(UnavailableError):
        world.run(wallets.create(world.api(), "EUR"))
    with pytest.raises(ConnectionFailedError):
        world.run(accounts.register(world.api(), "ada@example.com", "rain on a tin roof"))
