"""A key that another process has seen, or this one before it was started again: the ledger tells."""

from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from told_outcomes import NOW

from ingest_api.receipts import Receipt, ReceiptSigner
from sinks.directory.transfers import StoredRequest
from tests.unit.conftest import SECRET_KEY, Api
from tests.unit.test_api_batches import codes, submit

USER = str(uuid4())
KEY = "rent of May"
ID = str(uuid5(UUID(USER), KEY))


def order(api: Api) -> dict[str, Any]:
    return {
        "source_wallet_id": api.wallet(USER),
        "destination_wallet_id": str(uuid4()),
        "amount": "12.5",
        "currency": "USD",
        "metadata": {"b": "1", "a": "2"},
    }


def store(api: Api, sent: dict[str, Any], transfer_id: str = ID) -> None:
    """It was applied, by whatever way it came."""
    values = {"reference": None, **sent, "amount": "12.5000", "metadata": {"a": "2", "b": "1"}}
    api.transfers.requests[transfer_id] = StoredRequest(
        transfer_id=transfer_id, requested_at=NOW, request_partition=3, request_offset=41, **values
    )


async def post(api: Api, sent: Any, **headers: str) -> Any:
    return await api.client.post("/v1/transfers", json=sent, headers=api.headers(USER, **headers))


OLD_RECEIPT = "AREREREREREREREREREREREiIiIiIiIiIiIiIiIiIiIiAAAAAwAAAAAAAAApR9TZUW-IFB4SJkI2IaLFww"
LONG_WAY = {"Content-Type": "application/json; charset=utf-8"}


@pytest.mark.parametrize("way", [{}, LONG_WAY], ids=["short", "long"])
async def test_the_first_answer_is_given_again(api: Api, way: dict[str, str]) -> None:
    sent = order(api)
    store(api, sent)
    answers = [await post(api, sent, **{"Idempotency-Key": KEY, **way}) for _ in range(2)]
    for answer in answers:
        assert (answer.status_code, answer.headers["idempotent-replayed"]) == (202, "true")
        receipt = answer.json()
        assert (receipt["transfer_id"], receipt["partition"], receipt["offset"]) == (ID, 3, 41)
        assert receipt["accepted_at"] == "2026-01-02T03:04:05.000000Z"
    assert answers[0].json() == answers[1].json()
    assert api.requests.records == []


@pytest.mark.parametrize("change", [{"amount": "1"}, {"currency": "EUR"}, {"reference": "x"}, {"metadata": None}])
async def test_other_content_is_refused(api: Api, change: dict[str, Any]) -> None:
    sent = order(api)
    store(api, sent)
    answer = await post(api, {**sent, **change}, **{"Idempotency-Key": KEY})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert api.requests.records == []


async def test_an_id_of_ones_own_is_known_likewise(api: Api) -> None:
    sent, transfer_id = order(api), str(uuid4())
    store(api, sent, transfer_id)
    assert (await post(api, {**sent, "transfer_id": transfer_id})).headers["idempotent-replayed"] == "true"
    answer = await post(api, {**sent, "transfer_id": transfer_id, "amount": "1"})
    assert answer.json()["code"] == "idempotency_key_reused"


async def test_nobody_spoils_anothers_id(api: Api) -> None:
    """Not even a payee, who knows it, by way of the same process."""
    sent, transfer_id, thief = order(api), str(uuid4()), str(uuid4())
    first = await post(api, {**sent, "transfer_id": transfer_id})
    stolen = {**sent, "transfer_id": transfer_id, "source_wallet_id": api.wallet(thief)}
    answer = await api.client.post("/v1/transfers", json=stolen, headers=api.headers(thief))
    assert answer.status_code == 202  # it may become a dead letter, for all that is known
    store(api, sent, transfer_id)
    again = await post(api, {**sent, "transfer_id": transfer_id})
    assert (again.status_code, again.headers["idempotent-replayed"]) == (202, "true")
    assert again.json()["transfer_id"] == first.json()["transfer_id"]
    assert (await api.client.post("/v1/transfers", json={**stolen, "amount": "2"}, headers=api.headers(thief))).json()[
        "code"
    ] == "idempotency_key_reused"


async def test_who_chooses_no_id_costs_no_statement(api: Api) -> None:
    answer = await post(api, order(api))
    assert (answer.status_code, api.transfers.asked) == (202, [])
    assert "idempotent-replayed" not in answer.headers


async def test_without_a_database_a_request_is_accepted_unasked(api: Api) -> None:
    sent = order(api)
    await post(api, sent)  # the owner is known from now on
    api.transfers.is_away = True
    answer = await post(api, sent, **{"Idempotency-Key": KEY})
    assert (answer.status_code, answer.json()["transfer_id"]) == (202, ID)


async def test_lines_of_a_batch_are_asked_for_together(api: Api) -> None:
    sent = order(api)
    store(api, sent)
    lines = [{**sent, "idempotency_key": key} for key in (KEY, "another", KEY)]
    results = await submit(api, *lines, {**sent, "idempotency_key": KEY, "amount": "3"}, sent, user=USER)
    assert codes(results) == ["PENDING", "PENDING", "PENDING", "idempotency_key_reused", "PENDING"]
    assert results[0]["location"] == results[2]["location"]
    receipt = ReceiptSigner(SECRET_KEY).read(results[0]["location"].partition("receipt=")[2])
    assert receipt is not None
    assert (receipt.partition, receipt.offset) == (3, 41)
    assert len(api.requests.records) == 2
    assert len(api.transfers.asked) == 1


def test_receipts_of_the_version_before_are_read() -> None:
    old = Receipt("1" * 8 + "-1111-1111-1111-" + "1" * 12, "2" * 8 + "-2222-2222-2222-" + "2" * 12, 3, 41)
    assert ReceiptSigner(SECRET_KEY).read(OLD_RECEIPT) == old
