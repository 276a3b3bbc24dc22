from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from ingest_api.receipts import Receipt, ReceiptSigner
from sinks.directory.transfers import TransferRow
from tests.unit.conftest import SECRET_KEY, Api

SENDER, RECEIVER, STRANGER, ADMIN = (str(uuid4()) for _ in range(4))
TRANSFER = str(uuid4())
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def row(**changes: Any) -> TransferRow:
    values: dict[str, Any] = {
        "transfer_id": TRANSFER,
        "source_wallet_id": str(uuid4()),
        "destination_wallet_id": str(uuid4()),
        "amount": "1.0000",
        "currency": "USD",
        "status": "COMPLETED",
        "reason": None,
        "source_balance": "9.0000",
        "source_version": 2,
        "destination_balance": "1.0000",
        "destination_version": 1,
        "requested_at": NOW,
        "completed_at": NOW,
        "reference": None,
        "metadata": {"a": "b"},
        "source_user_id": SENDER,
        "destination_user_id": RECEIVER,
    }
    return TransferRow(**(values | changes))


FAILED: dict[str, Any] = {
    "status": "FAILED",
    "reason": "insufficient_funds",
    "source_balance": None,
    "source_version": None,
    "destination_balance": None,
    "destination_version": None,
}


def token(owner: str = SENDER, transfer_id: str = TRANSFER, offset: int = 7, secret_key: str = SECRET_KEY) -> str:
    return ReceiptSigner(secret_key).sign(Receipt(transfer_id, owner, 0, offset))


async def ask(api: Api, user: str, receipt: str | None = None) -> Any:
    headers = api.headers(user, "admin" if user == ADMIN else "user")
    params = {} if receipt is None else {"receipt": receipt}
    return await api.client.get(f"/v1/transfers/{TRANSFER}", params=params, headers=headers)


@pytest.mark.parametrize(
    ("user", "balances"),
    [
        (SENDER, ("9.0000", 2, None, None)),
        (RECEIVER, (None, None, "1.0000", 1)),
        (ADMIN, ("9.0000", 2, "1.0000", 1)),
    ],
)
async def test_each_party_sees_its_own_balance(api: Api, user: str, balances: tuple[Any, ...]) -> None:
    api.transfers.rows[TRANSFER] = row()
    answer = await ask(api, user)
    seen = answer.json()
    assert answer.status_code == 200
    assert (seen["status"], seen["reason"], seen["amount"], seen["metadata"]) == (
        "COMPLETED",
        None,
        "1.0000",
        {"a": "b"},
    )
    names = ("source_balance", "source_version", "destination_balance", "destination_version")
    assert tuple(seen[name] for name in names) == balances
    assert seen["completed_at"] == "2026-01-02T03:04:05.000000Z"
    assert "source_user_id" not in seen


async def test_between_ones_own_wallets_one_sees_both(api: Api) -> None:
    api.transfers.rows[TRANSFER] = row(destination_user_id=SENDER)
    seen = (await ask(api, SENDER)).json()
    assert (seen["source_balance"], seen["destination_balance"]) == ("9.0000", "1.0000")


async def test_a_failed_transfer_is_the_senders_affair(api: Api) -> None:
    api.transfers.rows[TRANSFER] = row(**FAILED)
    assert (await ask(api, SENDER)).json()["reason"] == "insufficient_funds"
    assert (await ask(api, ADMIN)).status_code == 200
    for user in (RECEIVER, STRANGER):
        answer = await ask(api, user)
        assert (answer.status_code, answer.json()["code"]) == (404, "transfer_not_found")


async def test_a_world_wallet_is_nobodys(api: Api) -> None:
    api.transfers.rows[TRANSFER] = row(source_user_id=None, destination_user_id=None)
    assert (await ask(api, STRANGER)).status_code == 404


@pytest.mark.parametrize(
    ("next_offset", "status", "said"),
    [(None, 200, "PENDING"), (0, 200, "PENDING"), (7, 200, "PENDING"), (8, 409, 409)],
)
async def test_a_receipt_tells_pending_from_rejected(
    api: Api, next_offset: int | None, status: int, said: str | int
) -> None:
    api.transfers.next_offset = next_offset
    answer = await ask(api, SENDER, token())
    assert (answer.status_code, answer.json()["status"]) == (status, said)
    if status == 409:
        assert answer.json()["code"] == "transfer_rejected"


async def test_a_row_comes_before_the_receipt(api: Api) -> None:
    api.transfers.rows[TRANSFER] = row()
    api.transfers.next_offset = 0
    assert (await ask(api, SENDER, token())).json()["status"] == "COMPLETED"


@pytest.mark.parametrize(
    "receipt",
    [
        None,
        "",
        "x",
        "é",
        "=" * 200,
        token(owner=STRANGER),
        token(transfer_id=str(uuid4())),
        token(secret_key="another secret"),
        token()[:-1],
        "B" + token()[1:],
    ],
)
async def test_without_a_receipt_of_ones_own(api: Api, receipt: str | None) -> None:
    answer = await ask(api, SENDER, receipt)
    assert (answer.status_code, answer.json()["code"]) == (404, "transfer_not_found")


async def test_an_admin_may_use_anyones_receipt(api: Api) -> None:
    assert (await ask(api, ADMIN, token())).json()["status"] == "PENDING"


async def test_a_transfer_id_that_another_has_used_is_rejected_without_a_word_of_it(api: Api) -> None:
    api.transfers.rows[TRANSFER] = row(source_user_id=STRANGER, destination_user_id=STRANGER)
    api.transfers.next_offset = 7
    assert (await ask(api, SENDER, token())).json()["status"] == "PENDING"
    api.transfers.next_offset = 8
    answer = await ask(api, SENDER, token())
    assert (answer.status_code, answer.json()["code"]) == (409, "transfer_rejected")


async def test_the_process_remembers_its_own_receipts(api: Api) -> None:
    sent = {
        "source_wallet_id": api.wallet(SENDER),
        "destination_wallet_id": str(uuid4()),
        "amount": "1",
        "currency": "USD",
    }
    location = (await api.client.post("/v1/transfers", json=sent, headers=api.headers(SENDER))).headers["location"]
    bare = location.partition("?")[0]
    assert (await api.client.get(bare, headers=api.headers(SENDER))).json()["status"] == "PENDING"
    assert (await api.client.get(bare, headers=api.headers(STRANGER))).status_code == 404
    assert (await api.client.get(location, headers=api.headers(STRANGER))).status_code == 404
    api.transfers.next_offset = 1
    assert (await api.client.get(bare, headers=api.headers(SENDER))).status_code == 409
