from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest

from schemas.transfers import decode_request
from tests.unit.conftest import Api

USER = str(uuid4())
OTHER = str(uuid4())


def body(source: str, **more: Any) -> dict[str, Any]:
    return {
        "source_wallet_id": source,
        "destination_wallet_id": str(uuid4()),
        "amount": "12.5",
        "currency": "USD",
        **more,
    }


async def test_a_submitted_transfer_is_on_the_topic_and_has_a_receipt(api: Api) -> None:
    source = api.wallet(USER)
    sent = body(source, reference="rent", metadata={"month": "May"})
    answer = await api.client.post("/v1/transfers", json=sent, headers=api.headers(USER))
    assert answer.status_code == 202
    receipt = answer.json()
    assert (receipt["status"], receipt["topic"]) == ("PENDING", "transfers.requested")
    assert (receipt["partition"], receipt["offset"]) == (0, 0)
    assert answer.headers["location"] == receipt["location"]
    assert receipt["location"].startswith(f"/v1/transfers/{receipt['transfer_id']}?receipt=")
    [(key, value)] = api.requests.records
    request, units = decode_request(value)
    assert key.decode() == source
    assert (request.transfer_id, units, request.amount) == (receipt["transfer_id"], 125_000, "12.5000")
    assert (request.reference, request.metadata) == ("rent", {"month": "May"})
    assert UUID(request.transfer_id).version == 7


async def test_no_statement_once_the_owner_is_known(api: Api) -> None:
    source = api.wallet(USER)
    await api.client.post("/v1/transfers", json=body(source), headers=api.headers(USER))
    assert api.wallets.statements == 1
    api.wallets.is_away = True
    answer = await api.client.post("/v1/transfers", json=body(source), headers=api.headers(USER))
    assert answer.status_code == 202
    assert len(api.requests.records) == 2


async def test_a_wallet_that_was_not_found_is_asked_for_again(api: Api) -> None:
    source = str(uuid4())
    answer = await api.client.post("/v1/transfers", json=body(source), headers=api.headers(USER))
    assert (answer.status_code, answer.json()["code"]) == (404, "wallet_not_found")
    api.wallets.owners[source] = api.wallets.owners[api.wallet(USER)]
    answer = await api.client.post("/v1/transfers", json=body(source), headers=api.headers(USER))
    assert answer.status_code == 202


async def test_anothers_wallet_looks_like_one_that_does_not_exist(api: Api) -> None:
    others, unknown = api.wallet(OTHER), str(uuid4())
    answers = [
        await api.client.post(
            "/v1/transfers", json=body(wallet_id), headers=api.headers(USER, **{"X-Request-Id": "same"})
        )
        for wallet_id in (others, unknown)
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    assert api.requests.records == []


async def test_an_admin_may_use_any_wallet_that_exists(api: Api) -> None:
    headers = api.headers(OTHER, "admin")
    assert (await api.client.post("/v1/transfers", json=body(api.wallet(USER)), headers=headers)).status_code == 202
    assert (await api.client.post("/v1/transfers", json=body(str(uuid4())), headers=headers)).status_code == 404


async def test_the_same_key_and_content_have_the_same_receipt(api: Api) -> None:
    sent = body(api.wallet(USER))
    headers = api.headers(USER, **{"Idempotency-Key": "rent of May"})
    first = await api.client.post("/v1/transfers", json=sent, headers=headers)
    second = await api.client.post("/v1/transfers", json={**sent, "amount": "12.5000"}, headers=headers)
    assert first.json() == second.json()
    assert first.json()["transfer_id"] == str(uuid5(UUID(USER), "rent of May"))
    assert len(api.requests.records) == 1


@pytest.mark.parametrize("change", [{"amount": "1"}, {"currency": "EUR"}, {"reference": "x"}, {"metadata": {"a": "b"}}])
async def test_the_same_key_with_other_content_is_refused(api: Api, change: dict[str, Any]) -> None:
    sent = body(api.wallet(USER))
    headers = api.headers(USER, **{"Idempotency-Key": "rent of May"})
    await api.client.post("/v1/transfers", json=sent, headers=headers)
    answer = await api.client.post("/v1/transfers", json={**sent, **change}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert len(api.requests.records) == 1


async def test_a_key_belongs_to_its_caller(api: Api) -> None:
    ids = set()
    for user in (USER, OTHER):
        headers = api.headers(user, **{"Idempotency-Key": "1"})
        answer = await api.client.post("/v1/transfers", json=body(api.wallet(user)), headers=headers)
        ids.add(answer.json()["transfer_id"])
    assert len(ids) == 2


async def test_a_transfer_id_of_ones_own_is_kept_in_lower_case(api: Api) -> None:
    transfer_id = str(uuid4())
    sent = body(api.wallet(USER), transfer_id=transfer_id.upper())
    answer = await api.client.post("/v1/transfers", json=sent, headers=api.headers(USER))
    assert answer.json()["transfer_id"] == transfer_id


async def test_a_key_and_a_transfer_id_together_are_refused(api: Api) -> None:
    sent = body(api.wallet(USER), transfer_id=str(uuid4()))
    headers = api.headers(USER, **{"Idempotency-Key": "1"})
    answer = await api.client.post("/v1/transfers", json=sent, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"][0]["field"] == "transfer_id"


@pytest.mark.parametrize("key", [b"", b"x" * 256, b"caf\xe9", b"tab\there"])
async def test_a_strange_key_is_refused(api: Api, key: bytes) -> None:
    headers = {**api.headers(USER)}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    answer = await api.client.post(
        "/v1/transfers", json=body(api.wallet(USER)), headers=[*raw, (b"Idempotency-Key", key)]
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


async def test_without_the_broker_there_is_no_success(api: Api) -> None:
    api.requests.is_away = True
    headers = api.headers(USER, **{"Idempotency-Key": "1"})
    sent = body(api.wallet(USER))
    answer = await api.client.post("/v1/transfers", json=sent, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "broker_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["transfer_id"] == str(uuid5(UUID(USER), "1"))
    api.requests.is_away = False
    assert (await api.client.post("/v1/transfers", json=sent, headers=headers)).status_code == 202


async def test_prefer_wait_is_not_refused(api: Api) -> None:
    answer = await api.client.post(
        "/v1/transfers", json=body(api.wallet(USER)), headers=api.headers(USER, Prefer="wait=1")
    )
    assert answer.status_code == 202


async def test_a_deposit_comes_from_the_world_wallet(api: Api) -> None:
    wallet_id = api.wallet(USER)
    sent = {"wallet_id": wallet_id, "amount": "100", "currency": "USD"}
    headers = api.headers(OTHER, "admin", **{"Idempotency-Key": "opening"})
    answers = [await api.client.post("/v1/deposits", json=sent, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    [(key, value)] = api.requests.records
    request, units = decode_request(value)
    assert (request.source_wallet_id, request.destination_wallet_id) == (api.wallets.worlds["USD"], wallet_id)
    assert (key.decode(), units) == (request.source_wallet_id, 1_000_000)
    assert api.wallets.statements == 2


async def test_a_deposit_needs_an_admin_and_a_wallet(api: Api) -> None:
    sent = {"wallet_id": str(uuid4()), "amount": "100", "currency": "USD"}
    answer = await api.client.post("/v1/deposits", json=sent, headers=api.headers(USER))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    answer = await api.client.post("/v1/deposits", json=sent, headers=api.headers(USER, "admin"))
    assert (answer.status_code, answer.json()["code"]) == (404, "wallet_not_found")
