"""Holds, reversals, limits and dry runs as HTTP has them, on fakes."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from ingest_api.routes import holds as holds_route
from schemas.holds import hold_wallet_id
from schemas.transfers import TransferRequest, decode_request
from sinks.directory.holds import DrawableRow, DrawRow
from sinks.directory.transfers import TransferRow
from sinks.errors import DatabaseAwayError
from tests.unit.conftest import Api

ADA, BEN, ROOT = (str(uuid4()) for _ in range(3))
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def sent(api: Api) -> TransferRequest:
    key, value = api.requests.records[-1]
    request, _ = decode_request(value)
    assert key == request.source_wallet_id.encode()
    return request


def drawable(api: Api, wallet_id: str, **changes: Any) -> str:
    """A hold of 10 of which 7 are left, or what the changes make of it."""
    values: dict[str, Any] = {
        "transfer_id": str(uuid4()),
        "kind": "hold",
        "status": "COMPLETED",
        "reason": None,
        "source_wallet_id": wallet_id,
        "destination_wallet_id": hold_wallet_id(wallet_id),
        "payer_wallet_id": wallet_id,
        "amount": "10.0000",
        "currency": "USD",
        "captured": "3.0000",
        "voided": "0.0000",
        "reversed": "0.0000",
        "remaining": "7.0000",
        "reference": None,
        "metadata": None,
        "expires_at": None,
        "requested_at": NOW,
        "completed_at": NOW,
        "is_expired": None,
        "destination_version": 4,
        "source_user_id": ADA,
        "destination_user_id": ADA,
    }
    row = DrawableRow(**(values | changes))
    api.holds.rows[row.transfer_id] = row
    return row.transfer_id


async def post(api: Api, path: str, body: Any, user: str = ADA, **headers: str) -> Any:
    return await api.client.post(path, json=body, headers=api.headers(user, **headers))


async def test_a_hold_goes_to_the_hold_wallet(api: Api) -> None:
    wallet = api.wallet(ADA)
    body = {"source_wallet_id": wallet, "amount": "5", "currency": "USD", "expires_at": "2030-01-01T02:00:00+02:00"}
    answer = await post(api, "/v1/holds", body, **{"Idempotency-Key": "1"})
    assert answer.status_code == 202
    request = sent(api)
    assert (request.kind, request.destination_wallet_id) == ("hold", hold_wallet_id(wallet))
    assert request.expires_at == datetime(2030, 1, 1, tzinfo=UTC)
    again = await post(api, "/v1/holds", body, **{"Idempotency-Key": "1"})
    assert again.json() == answer.json()
    other = await post(api, "/v1/holds", {**body, "expires_at": None}, **{"Idempotency-Key": "1"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert (await post(api, "/v1/holds", body, BEN)).json()["code"] == "wallet_not_found"
    both = await post(api, "/v1/holds", {**body, "transfer_id": str(uuid4())}, **{"Idempotency-Key": "1"})
    assert both.status_code == 422


@pytest.mark.parametrize("end", ["tomorrow", "2030-01-01T00:00:00", 5])
async def test_an_end_is_a_time_with_its_offset(api: Api, end: object) -> None:
    body = {"source_wallet_id": api.wallet(ADA), "amount": "5", "currency": "USD", "expires_at": end}
    answer = await post(api, "/v1/holds", body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "expires_at")


async def test_all_that_is_left_is_drawn_unless_said_otherwise(api: Api) -> None:
    wallet, payee = api.wallet(ADA), api.wallet(BEN)
    hold = drawable(api, wallet)
    assert (await post(api, f"/v1/holds/{hold}/capture", {"destination_wallet_id": payee})).status_code == 202
    request = sent(api)
    assert (request.kind, request.parent_id, request.amount) == ("capture", hold, "7.0000")
    assert (request.source_wallet_id, request.destination_wallet_id) == (hold_wallet_id(wallet), payee)
    assert (await post(api, f"/v1/holds/{hold}/void", {"amount": "2.5", "reference": "r"})).status_code == 202
    request = sent(api)
    assert (request.kind, request.amount, request.destination_wallet_id) == ("void", "2.5000", wallet)


async def test_a_retry_without_an_amount_is_the_same_draw(api: Api) -> None:
    """By then less is left, and whoever asked does not know how much it was."""
    wallet = api.wallet(ADA)
    hold = drawable(api, wallet)
    key = {"Idempotency-Key": "once"}
    first = await post(api, f"/v1/holds/{hold}/void", {}, **key)
    made = sent(api)
    columns = dict.fromkeys(TransferRow.__slots__)
    values: Any = {**columns, "transfer_id": made.transfer_id, "amount": "7.0000", "parent_id": hold}
    api.transfers.rows[made.transfer_id] = TransferRow(**values)
    drawable(api, wallet, transfer_id=hold, remaining="0.0000", voided="7.0000")
    assert (await post(api, f"/v1/holds/{hold}/void", {}, **key)).json() == first.json()
    answer = await post(api, f"/v1/holds/{hold}/void", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_left")


@pytest.mark.parametrize("is_confirmed", [True, False])
async def test_a_retry_without_an_amount_is_the_same_before_it_is_applied(api: Api, *, is_confirmed: bool) -> None:
    """Kafka may hold the request, confirmed or not, while another draw leaves less."""
    wallet, key = api.wallet(ADA), {"Idempotency-Key": "once"}
    hold = drawable(api, wallet)
    api.requests.is_away = not is_confirmed
    first = await post(api, f"/v1/holds/{hold}/void", {}, **key)
    assert first.status_code == (202 if is_confirmed else 503)
    api.requests.is_away = False
    drawable(api, wallet, transfer_id=hold, remaining="2.0000", captured="8.0000")
    again = await post(api, f"/v1/holds/{hold}/void", {}, **key)
    assert (again.status_code, sent(api).amount) == (202, "7.0000")
    assert again.json()["transfer_id"] == first.json()["transfer_id"]
    other = drawable(api, wallet, remaining="1.0000")
    assert (await post(api, f"/v1/holds/{other}/void", {}, **key)).json()["code"] == "idempotency_key_reused"
    assert (await post(api, f"/v1/holds/{hold}/void", {})).status_code == 202
    assert sent(api).amount == "2.0000"


@pytest.mark.parametrize(
    "changes", [{"kind": None}, {"kind": "capture"}, {"source_user_id": BEN}, {"status": "FAILED", "reason": "x"}]
)
async def test_what_is_no_hold_of_the_callers_is_not_there(api: Api, changes: dict[str, Any]) -> None:
    hold = drawable(api, api.wallet(ADA), **changes)
    for path, body in (("capture", {"destination_wallet_id": str(uuid4())}), ("void", {})):
        answer = await post(api, f"/v1/holds/{hold}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "hold_not_found")
    assert api.requests.records == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "open"),
        ({"is_expired": True, "expires_at": NOW}, "expired"),
        ({"remaining": "0.0000"}, "captured"),
        ({"remaining": "0.0000", "captured": "0.0000", "voided": "10.0000"}, "voided"),
        ({"status": "FAILED", "reason": "insufficient_funds", "destination_version": None}, "failed"),
    ],
)
async def test_a_hold_is_shown_with_what_became_of_it(api: Api, changes: dict[str, Any], status: str) -> None:
    wallet = api.wallet(ADA)
    hold = drawable(api, wallet, **changes)
    api.holds.tried[hold] = [
        DrawRow(transfer_id=str(uuid4()), kind="void", status="FAILED", reason="wallet_frozen", amount="1.0000",
                destination_wallet_id=wallet, completed_at=NOW)
    ]  # fmt: skip
    answer = await api.client.get(f"/v1/holds/{hold}", headers=api.headers(ADA))
    assert answer.json()["status"] == status
    assert answer.json()["draws"][0]["reason"] == "wallet_frozen"
    assert (await api.client.get(f"/v1/holds/{hold}", headers=api.headers(BEN))).status_code == 404
    assert (await api.client.get(f"/v1/holds/{hold}", headers=api.headers(ROOT, "admin"))).status_code == 200


async def test_holds_come_in_pages(api: Api) -> None:
    wallet = api.wallet(ADA)
    api.wallets.versions[hold_wallet_id(wallet)] = 9
    holds = [drawable(api, wallet, destination_version=9 - n) for n in range(3)]
    path = f"/v1/holds?wallet_id={wallet}&limit=2"
    page = (await api.client.get(path, headers=api.headers(ADA))).json()
    assert ([row["hold_id"] for row in page["data"]], page["has_more"]) == (holds[:2], True)
    assert page["next_cursor"] == page["data"][-1]["version"]
    path_on = f"{path}&starting_after={page['next_cursor']}"
    page = (await api.client.get(path_on, headers=api.headers(ADA))).json()
    assert ([row["hold_id"] for row in page["data"]], page["has_more"]) == (holds[2:], False)
    assert (await api.client.get(path, headers=api.headers(BEN))).status_code == 404
    nothing = (await api.client.get(f"/v1/holds?wallet_id={api.wallet(ADA)}", headers=api.headers(ADA))).json()
    assert nothing == {"data": [], "has_more": False, "next_cursor": 1}


async def test_a_page_of_open_holds_that_passes_over_many_ends_early(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds_route, "EXAMINED_MAX", 3)
    wallet = api.wallet(ADA)
    api.wallets.versions[hold_wallet_id(wallet)] = 8
    oldest, *_ = [
        drawable(api, wallet, destination_version=version, remaining="1.0000" if version == 1 else "0.0000")
        for version in range(1, 9)
    ]
    path, seen = f"/v1/holds?wallet_id={wallet}&open=true", list[tuple[list[str], int]]()
    query, has_more = "", True
    while has_more:
        page = (await api.client.get(f"{path}{query}", headers=api.headers(ADA))).json()
        seen.append(([row["hold_id"] for row in page["data"]], page["next_cursor"]))
        query, has_more = f"&starting_after={page['next_cursor']}", page["has_more"]
    assert seen == [([], 6), ([], 3), ([oldest], 1)]


async def test_who_received_money_sends_it_back(api: Api) -> None:
    payer, payee = api.wallet(ADA), api.wallet(BEN)
    received = {"kind": None, "destination_wallet_id": payee, "destination_user_id": BEN}
    payment = drawable(api, payer, **received)
    path = f"/v1/transfers/{payment}/reversals"
    assert (await post(api, path, {}, BEN)).status_code == 202
    request = sent(api)
    assert (request.kind, request.parent_id, request.amount) == ("reversal", payment, "7.0000")
    assert (request.source_wallet_id, request.destination_wallet_id) == (payee, payer)
    assert (await post(api, path, {}, ADA)).status_code == 403
    assert (await post(api, path, {}, str(uuid4()))).json()["code"] == "transfer_not_found"
    for changes, code in (
        ({"kind": "hold"}, "transfer_not_reversible"),
        ({"kind": "reversal"}, "transfer_not_reversible"),
        ({"status": "FAILED"}, "transfer_not_found"),  # who would have received it may not know of it
        ({"status": "FAILED", "source_user_id": BEN}, "transfer_not_reversible"),
    ):
        other = drawable(api, payer, **(received | changes))
        assert (await post(api, f"/v1/transfers/{other}/reversals", {}, BEN)).json()["code"] == code


async def test_a_capture_is_reversed_to_the_wallet_behind_the_hold(api: Api) -> None:
    payer, payee = api.wallet(ADA), api.wallet(BEN)
    capture = drawable(
        api,
        payer,
        kind="capture",
        source_wallet_id=hold_wallet_id(payer),
        destination_wallet_id=payee,
        destination_user_id=BEN,
        reference="order 7",
    )
    body = {"wallet_id": payee, "reference": "order 7", "amount": "1"}
    assert (await post(api, "/v1/reversals", body, BEN)).status_code == 202
    request = sent(api)
    assert (request.parent_id, request.destination_wallet_id, request.reference) == (capture, payer, "order 7")
    drawable(api, payer, destination_wallet_id=payee, reference="order 7")
    assert (await post(api, "/v1/reversals", body, BEN)).json()["code"] == "reference_not_unique"
    assert (await post(api, "/v1/reversals", {**body, "reference": "x"}, BEN)).json()["code"] == "transfer_not_found"


def order(api: Api) -> dict[str, str]:
    return {
        "source_wallet_id": api.wallet(ADA),
        "destination_wallet_id": api.wallet(BEN),
        "amount": "1",
        "currency": "USD",
    }


async def test_a_dry_run_sends_nothing_and_uses_no_key(api: Api) -> None:
    body = order(api)
    payer, payee = body["source_wallet_id"], body["destination_wallet_id"]
    api.ledger_wallets = [
        (payer, False, True, False, "USD", 25_000, 3, None),
        (payee, False, True, False, "USD", 0, 0, None),
    ]
    key = {"Idempotency-Key": "k"}
    answer = await post(api, "/v1/transfers?dry_run=true", body, **key)
    assert (answer.status_code, answer.json()["verdict"]) == (200, "COMPLETED")
    assert (answer.json()["source_balance"], answer.json()["destination_balance"]) == ("1.5000", None)
    answer = await post(api, "/v1/transfers?dry_run=true", body | {"amount": "9"}, **key)
    assert (answer.json()["verdict"], answer.json()["reason"]) == ("FAILED", "insufficient_funds")
    assert answer.json()["detail"].startswith("The source wallet holds less")
    assert api.requests.records == []
    assert (await post(api, "/v1/transfers?dry_run=true", body, BEN)).status_code == 404
    assert (await post(api, "/v1/transfers?dry_run=false", body, **key)).status_code == 202


async def test_a_dry_run_needs_the_database(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    body = order(api)

    async def away(*_: Any) -> Any:
        raise DatabaseAwayError("away")

    monkeypatch.setattr(api.app.state.services.rehearsal._reader, "_rows", away)
    answer = await post(api, "/v1/transfers?dry_run=true", body)
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")


async def test_limits_are_an_admins(api: Api) -> None:
    path, body = f"/v1/wallets/{api.wallet(ADA)}/limits", {"day_max": "5"}
    assert (await api.client.put(path, json=body, headers=api.headers(ADA))).status_code == 403
    for wrong in ({"day_max": "-1"}, {"day_max": 5}, {"week_max": "5"}):
        answer = await api.client.put(path, json=wrong, headers=api.headers(ROOT, "admin"))
        assert answer.status_code == 422
