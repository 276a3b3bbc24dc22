"""Holds, reversals, limits, dry runs, lists, statements, and wallets that freeze and close."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from scripted_api import DESTINATION, FIELDS, ID, RECEIPT, SOURCE, TIME, TRANSFER, World, answer, problem

from hfts_client import BadAnswerError, ConnectionFailedError, Receipt, Wallet
from hfts_client.api import Api
from hfts_client.effects import Operation
from hfts_client.operations import accounts, histories, holds, submitting, wallets

HOLD: dict[str, Any] = {
    "hold_id": str(ID),
    "status": "open",
    "reason": None,
    "source_wallet_id": str(SOURCE),
    "hold_wallet_id": str(DESTINATION),
    "amount": "10.0000",
    "captured": "4.0000",
    "voided": "0.0000",
    "remaining": "6.0000",
    "currency": "EUR",
    "reference": None,
    "metadata": None,
    "expires_at": None,
    "requested_at": TIME,
    "completed_at": TIME,
    "version": 3,
}
DRAW = {
    "transfer_id": str(ID),
    "kind": "capture",
    "status": "COMPLETED",
    "reason": None,
    "amount": "4.0000",
    "destination_wallet_id": str(DESTINATION),
    "completed_at": TIME,
}
WALLET = {
    "wallet_id": str(SOURCE),
    "user_id": None,
    "kind": "user",
    "currency": "EUR",
    "balance": "5.0000",
    "version": 4,
    "status": "active",
    "created_at": TIME,
    "updated_at": TIME,
    "held": "6.0000",
    "transfer_max": "2.0000",
    "day_max": None,
}
NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)

Submit = Callable[[Api], Operation[Receipt]]


def hold(api: Api) -> Operation[Receipt]:
    return holds.create(api, source_wallet_id=SOURCE, amount=10, currency="EUR", expires_at=NOON)


def capture(api: Api) -> Operation[Receipt]:
    return holds.capture(api, ID, destination_wallet_id=DESTINATION, amount=Decimal("4.00"), reference="lunch")


def void(api: Api) -> Operation[Receipt]:
    return holds.void(api, ID, metadata={"order": "1"})


def reverse(api: Api) -> Operation[Receipt]:
    return holds.reverse(api, ID, amount="1.5")


def reverse_lunch(api: Api) -> Operation[Receipt]:
    return holds.reverse_by_reference(api, SOURCE, "lunch")


@pytest.mark.parametrize(
    ("submit", "path", "body"),
    [
        (
            hold,
            "/v1/holds",
            {
                "source_wallet_id": str(SOURCE),
                "amount": "10",
                "currency": "EUR",
                "expires_at": "2030-01-31T12:00:00+00:00",
            },
        ),
        (
            capture,
            f"/v1/holds/{ID}/capture",
            {"destination_wallet_id": str(DESTINATION), "amount": "4", "reference": "lunch"},
        ),
        (void, f"/v1/holds/{ID}/void", {"metadata": {"order": "1"}}),
        (reverse, f"/v1/transfers/{ID}/reversals", {"amount": "1.5"}),
        (reverse_lunch, "/v1/reversals", {"wallet_id": str(SOURCE), "reference": "lunch"}),
    ],
)
def test_what_is_submitted_is_safe_to_repeat(submit: Submit, path: str, body: dict[str, Any]) -> None:
    world = World(ConnectionFailedError("reset"), problem(504, ""), answer(202, RECEIPT))
    assert world.run(submit(world.api())).transfer_id == ID
    assert len({request.headers["Idempotency-Key"] for request in world.requests}) == 1
    assert [(request.method, request.target) for request in world.requests] == [("POST", path)] * 3
    assert json.loads(world.requests[0].content or b"") == body


ASKED: list[Callable[..., Any]] = [
    submitting.dry_run,
    partial(submitting.deposit, wait=None, wallet_id=SOURCE, amount=1, currency="EUR"),
    partial(holds.capture, hold_id=ID, destination_wallet_id=DESTINATION),
    partial(holds.void, hold_id=ID),
    partial(holds.reverse, transfer_id=ID),
    partial(holds.reverse_by_reference, wallet_id=SOURCE, reference="lunch"),
    histories.list_all,
    partial(wallets.entries, wallet_id=SOURCE),
]


@pytest.mark.parametrize("ask", ASKED)
def test_a_name_that_is_misspelt_does_not_go_unnoticed(ask: Callable[..., Any]) -> None:
    world = World()
    with pytest.raises(TypeError, match="amuont"):
        next(ask(world.api(), amuont=1))
    assert world.requests == []


def test_a_time_names_its_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        World().run(wallets.balance(World().api(), SOURCE, at=NOON.replace(tzinfo=None)))


def test_a_hold_and_what_has_drawn_on_it() -> None:
    world = World(answer(200, {**HOLD, "draws": [DRAW]}, request_id="9"))
    found = world.run(holds.retrieve(world.api(), ID))
    assert (found.remaining, found.draws[0].amount, found.request_id) == (Decimal(6), Decimal(4), "9")
    assert world.requests[0].target == f"/v1/holds/{ID}"


def test_holds_come_page_by_page() -> None:
    world = World(
        answer(200, {"data": [HOLD, {**HOLD, "version": 2}], "has_more": True}),
        answer(200, {"data": [], "has_more": True, "next_cursor": 9}),
        answer(200, {"data": [{**HOLD, "version": 1}], "has_more": False, "next_cursor": 1}),
    )
    found = world.items(holds.list_all(world.api(), SOURCE, only_open=True, page_size=2))
    assert [each.version for each in found] == [3, 2, 1]
    path = f"/v1/holds?wallet_id={SOURCE}&limit=2&open=true"
    paths = [path, f"{path}&starting_after=2", f"{path}&starting_after=9"]
    assert [request.target for request in world.requests] == paths


def test_a_page_without_transfers_may_have_more_behind_it() -> None:
    def page(count: int, cursor: str, *, has_more: bool) -> Any:
        return answer(200, {"data": [TRANSFER] * count, "has_more": has_more, "next_cursor": cursor})

    world = World(page(2, "a", has_more=True), page(0, "b", has_more=True), page(1, "c", has_more=False))
    filters: Any = {
        "amount_min": 1,
        "amount_max": "9.5",
        "completed_from": NOON,
        "completed_before": NOON,
        "requested_from": NOON,
        "requested_before": NOON,
        "reference": "a&b",
        "metadata": {"order": "1"},
    }
    found = world.items(histories.list_all(world.api(), wallet_id=SOURCE, status="COMPLETED", **filters))
    assert len(list(found)) == 3
    moment = "2030-01-31T12%3A00%3A00%2B00%3A00"
    query = (
        f"wallet_id={SOURCE}&status=COMPLETED&amount%5Bgte%5D=1&amount%5Blte%5D=9.5&completed_at%5Bgte%5D={moment}"
        f"&completed_at%5Blt%5D={moment}&requested_at%5Bgte%5D={moment}&requested_at%5Blt%5D={moment}"
        "&reference=a%26b&metadata%5Border%5D=1"
    )
    assert [request.target for request in world.requests] == [
        f"/v1/transfers?limit=100&{query}",
        f"/v1/transfers?limit=100&starting_after=a&{query}",
        f"/v1/transfers?limit=100&starting_after=b&{query}",
    ]


def test_entries_go_on_behind_the_cursor_of_their_page() -> None:
    world = World(
        answer(200, {"data": [], "has_more": True, "next_cursor": 70}),
        answer(200, {"data": [], "has_more": False, "next_cursor": 1}),
    )
    assert list(world.items(wallets.entries(world.api(), SOURCE, reference="lunch"))) == []
    assert [request.target.partition("?")[2] for request in world.requests] == [
        "limit=100&reference=lunch",
        "limit=100&starting_after=70&reference=lunch",
    ]


def test_a_dry_run_a_balance_and_limits() -> None:
    verdict = {
        "verdict": "FAILED",
        "reason": "limit_exceeded",
        "detail": "d",
        **dict.fromkeys(("source_balance", "destination_balance")),
    }
    balance = {
        "wallet_id": str(SOURCE),
        "currency": "EUR",
        "balance": "5.0000",
        "version": 4,
        "at": TIME,
        "completed_at": None,
    }
    world = World(answer(200, verdict), answer(200, balance), ConnectionFailedError("reset"), answer(200, WALLET))
    assert world.run(submitting.dry_run(world.api(), **FIELDS)).reason == "limit_exceeded"
    assert world.run(wallets.balance(world.api(), SOURCE, at=NOON)).balance == 5
    found = world.run(wallets.set_limits(world.api(), SOURCE, transfer_max=2))
    assert (found.held, found.transfer_max, found.day_max) == (Decimal(6), Decimal(2), None)
    assert [(request.method, request.target) for request in world.requests[:3]] == [
        ("POST", "/v1/transfers?dry_run=true"),
        ("GET", f"/v1/wallets/{SOURCE}/balance?at=2030-01-31T12%3A00%3A00%2B00%3A00"),
        ("PUT", f"/v1/wallets/{SOURCE}/limits"),
    ]
    assert json.loads(world.requests[2].content or b"") == {"transfer_max": "2", "day_max": None}


@pytest.mark.parametrize("change", [wallets.freeze, wallets.unfreeze, wallets.close, wallets.reopen])
def test_a_change_of_a_wallet_may_be_repeated(change: Callable[[Api, str], Operation[Wallet]]) -> None:
    world = World(ConnectionFailedError("reset"), problem(504, ""), answer(200, WALLET))
    assert world.run(change(world.api(), str(SOURCE))).status == "active"
    path = f"/v1/wallets/{SOURCE}/{change.__name__}"
    assert [(request.method, request.target, request.content) for request in world.requests] == [
        ("POST", path, None)
    ] * 3


def test_a_statement() -> None:
    entry = {
        "transfer_id": str(ID),
        "version": 2,
        "amount": "-12.5000",
        "balance": "87.5000",
        "currency": "EUR",
        "counterparty_wallet_id": str(DESTINATION),
        "reference": None,
        "completed_at": TIME,
    }
    statement = {
        "wallet_id": str(SOURCE),
        "currency": "EUR",
        "from": None,
        "to": TIME,
        "opening": {"balance": "100.0000", "version": 1},
        "entries": [entry],
        "closing": {"balance": "87.5000", "version": 2},
    }
    world = World(answer(200, statement), answer(200, {**statement, "from": TIME}))
    found = world.run(wallets.statement(world.api(), SOURCE))
    assert (found.start, found.end) == (None, NOON)
    assert found.opening.balance + found.entries[0].amount == found.closing.balance == Decimal("87.5")
    assert world.run(wallets.statement(world.api(), SOURCE, start=NOON, end=NOON)).start == NOON
    noon = "2030-01-31T12%3A00%3A00%2B00%3A00"
    path = f"/v1/wallets/{SOURCE}/statement?format=json"
    assert [request.target for request in world.requests] == [path, f"{path}&from={noon}&to={noon}"]


def test_a_statement_that_is_broken_off_is_none() -> None:
    world = World(answer(200, b'{"wallet_id": "'))
    with pytest.raises(BadAnswerError):
        world.run(wallets.statement(world.api(), SOURCE))


def test_what_is_pending() -> None:
    pending = {"wallet_id": str(SOURCE), "pending": 2, "is_all": True, "partition": 3, "from_offset": 1, "to_offset": 9}
    world = World(answer(200, pending))
    assert world.run(wallets.pending(world.api(), SOURCE)).pending == 2
    assert world.requests[0].target == f"/v1/wallets/{SOURCE}/pending"


def test_keys_are_listed_without_their_secrets() -> None:
    key = {"key_id": str(ID), "user_id": str(SOURCE), "name": "shop", "scopes": ["transfers:read"], "created_at": TIME}
    row = {**key, **dict.fromkeys(("expires_at", "last_used_at", "revoked_at"))}
    world = World(answer(200, {"data": [row]}))
    [found] = world.run(accounts.list_api_keys(world.api(), SOURCE))
    assert (found.key_id, found.name, found.revoked_at) == (ID, "shop", None)
    assert world.requests[0].target == f"/v1/users/{SOURCE}/api-keys"
