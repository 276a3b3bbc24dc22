"""How people say how they want to be told, and where their programs are."""

import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook
from structlog.testing import capture_logs

from sinks.directory.deliveries import DeliveryRow
from tests.unit.conftest import Api

PREFERENCES = "/v1/notification-preferences"
URL = "https://example.com/hooks/transfers"
DEFAULTS = {"email": True, "webhook": True, "failures": True, "minimums": {}, "updated_at": None}


@pytest.fixture
def ada(api: Api) -> dict[str, str]:
    return api.headers(str(uuid4()))


async def put(api: Api, path: str, body: Any, headers: dict[str, str]) -> Any:
    return await api.client.put(path, json=body, headers=headers)


async def test_who_has_chosen_nothing_is_told_of_everything(api: Api, ada: dict[str, str]) -> None:
    assert (await api.client.get(PREFERENCES, headers=ada)).json() == DEFAULTS


async def test_one_chooses_for_oneself(api: Api, ada: dict[str, str]) -> None:
    chosen = {"email": False, "webhook": True, "failures": False, "minimums": {"EUR": "12.5", "JPY": "1000"}}
    answer = await put(api, PREFERENCES, chosen, ada)
    assert answer.status_code == 200
    expected = {**chosen, "minimums": {"EUR": "12.5000", "JPY": "1000.0000"}}
    assert {**answer.json(), "updated_at": None} == {**expected, "updated_at": None}
    assert (await api.client.get(PREFERENCES, headers=ada)).json() == answer.json()
    for role in ("user", "admin"):
        others = await api.client.get(PREFERENCES, headers=api.headers(str(uuid4()), role))
        assert others.json() == DEFAULTS
    again = await put(api, PREFERENCES, {}, ada)
    assert {**again.json(), "updated_at": None} == DEFAULTS, "all of it at once"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"minimums": {"EUR": "0"}}, "minimums.EUR"),
        ({"minimums": {"EUR": "1.00001"}}, "minimums.EUR"),
        ({"minimums": {"EUR": 5}}, "minimums.EUR"),
        ({"minimums": {"eur": "5"}}, "minimums.eur.[key]"),
        ({"email": "yes"}, "email"),
        ({"sms": True}, "sms"),
    ],
)
async def test_a_choice_that_is_none(api: Api, ada: dict[str, str], body: Any, field: str) -> None:
    answer = await put(api, PREFERENCES, body, ada)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert api.preferences.chosen == {}


async def test_the_secret_of_a_webhook_is_shown_once(api: Api, ada: dict[str, str]) -> None:
    assert (await api.client.get("/v1/webhook", headers=ada)).json()["code"] == "webhook_not_found"
    with capture_logs() as lines:
        made = await put(api, "/v1/webhook", {"url": URL}, ada)
    assert (made.status_code, made.headers["cache-control"]) == (200, "no-store")
    assert made.json()["url"] == URL
    text = made.json()["secret"]
    [kept] = api.webhooks.secrets.values()
    signed = ("msg", datetime.now(UTC), "{}")
    assert Webhook(text).sign(*signed) == Webhook(kept[0]).sign(*signed)
    assert len(kept[0]) == 32
    assert [line["event"] for line in lines] == ["webhook.made"]
    assert text not in str(lines)
    shown = await api.client.get("/v1/webhook", headers=ada)
    assert text not in shown.text
    assert shown.json() == {name: value for name, value in made.json().items() if name != "secret"}
    moved = await put(api, "/v1/webhook", {"url": URL + "2"}, ada)
    assert (moved.json()["url"], moved.json()["secret"]) == (URL + "2", None)
    assert list(api.webhooks.secrets.values()) == [kept]


async def test_a_secret_rotates(api: Api, ada: dict[str, str]) -> None:
    missing = await api.client.post("/v1/webhook/secret", headers=ada)
    assert (missing.status_code, missing.json()["code"]) == (404, "webhook_not_found")
    first = (await put(api, "/v1/webhook", {"url": URL}, ada)).json()["secret"]
    rotated = await api.client.post("/v1/webhook/secret", headers=ada)
    assert (rotated.status_code, rotated.headers["cache-control"]) == (200, "no-store")
    assert rotated.json()["secret"] != first
    assert rotated.json()["previous_secret_until"] is not None
    [kept] = api.webhooks.secrets.values()
    assert [f"whsec_{base64.b64encode(each).decode()}" for each in kept] == [rotated.json()["secret"], first]


async def test_a_webhook_is_its_owners_alone(api: Api, ada: dict[str, str]) -> None:
    await put(api, "/v1/webhook", {"url": URL}, ada)
    root = api.headers(str(uuid4()), "admin")
    for method, path in (("GET", "/v1/webhook"), ("POST", "/v1/webhook/secret")):
        answer = await api.client.request(method, path, headers=root)
        assert (answer.status_code, answer.json()["code"]) == (404, "webhook_not_found")
    assert (await api.client.delete("/v1/webhook", headers=root)).status_code == 204
    assert len(api.webhooks.secrets) == 1
    for _ in range(2):
        assert (await api.client.delete("/v1/webhook", headers=ada)).status_code == 204
    assert api.webhooks.secrets == {}


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "https://127.0.0.1/", "https://ada:pw@example.com/", "https://a.example/#x", "\x00"],
)
async def test_a_webhook_of_ours_is_none(api: Api, ada: dict[str, str], url: str) -> None:
    answer = await put(api, "/v1/webhook", {"url": url}, ada)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "url")
    assert "ada" not in answer.json()["errors"][0]["message"]
    assert api.webhooks.rows == {}


async def test_private_webhooks_where_they_are_let(api: Api, ada: dict[str, str]) -> None:
    api.app.state.services = replace(api.app.state.services, webhook_private_addresses=True)
    assert (await put(api, "/v1/webhook", {"url": "http://127.0.0.1:1/"}, ada)).status_code == 200
    assert (await put(api, "/v1/webhook", {"url": "ftp://127.0.0.1:1/"}, ada)).status_code == 422


def delivery(number: int, **values: Any) -> DeliveryRow:
    found: dict[str, Any] = {
        "transfer_id": str(UUID(int=number)),
        "recipient": "receiver",
        "channel": "webhook",
        "status": "delivered",
        "attempts": 1,
        "digest_id": None,
        "last_error": None,
        "created_at": datetime(2030, 1, 31, 12, 0, 0, number, tzinfo=UTC),
        "tried_at": datetime(2030, 1, 31, 12, 0, 1, tzinfo=UTC),
        "next_try_at": None,
    }
    return DeliveryRow(**found | values)


async def test_the_delivery_log_comes_page_by_page(api: Api) -> None:
    user_id = str(uuid4())
    api.deliveries.rows[user_id] = [
        delivery(3, status="pending", last_error="HTTP 503", next_try_at=datetime(2030, 1, 31, 13, tzinfo=UTC)),
        delivery(2, channel="email"),
        delivery(2),
    ]
    query, found = "limit=2", []
    while query:
        answer = await api.client.get(f"/v1/deliveries?{query}", headers=api.headers(user_id))
        page = answer.json()
        found += page["data"]
        query = f"limit=2&starting_after={page['next_cursor']}" if page["has_more"] else ""
    assert [(row["transfer_id"][-1], row["channel"], row["status"]) for row in found] == [
        ("3", "webhook", "pending"),
        ("2", "email", "delivered"),
        ("2", "webhook", "delivered"),
    ]
    assert (found[0]["last_error"], found[0]["next_try_at"]) == ("HTTP 503", "2030-01-31T13:00:00.000000Z")
    others = await api.client.get("/v1/deliveries", headers=api.headers(str(uuid4()), "admin"))
    assert others.json() == {"data": [], "has_more": False, "next_cursor": None}


@pytest.mark.parametrize("cursor", ["x", "AAAA", "lM8ABrvVMY2WksQQ", "k88ABrvVMY2WksQBAahyZWNlaXZlcqd3ZWJob29r"])
async def test_a_cursor_that_is_none(api: Api, ada: dict[str, str], cursor: str) -> None:
    answer = await api.client.get(f"/v1/deliveries?starting_after={cursor}", headers=ada)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "starting_after")
