"""What one sets of notifications, and the delivery log."""

import json
from decimal import Decimal

import pytest
from scripted_api import ID, TIME, World, answer

from hfts_client import ConnectionFailedError
from hfts_client.operations import notifications

URL = "https://example.com/hook"
WEBHOOK = {"url": URL, "previous_secret_until": None, "created_at": TIME, "updated_at": TIME}
LOST = ConnectionFailedError("reset", was_sent=True)


def test_preferences() -> None:
    chosen = {"email": False, "webhook": True, "failures": True, "minimums": {"EUR": "12.5000"}}
    world = World(answer(200, {**chosen, "updated_at": None}), LOST, answer(200, {**chosen, "updated_at": TIME}))
    before = world.run(notifications.preferences(world.api()))
    after = world.run(notifications.set_preferences(world.api(), email=False, minimums={"EUR": Decimal("12.50")}))
    assert (before.email, before.updated_at, before.minimums) == (False, None, {"EUR": Decimal("12.5")})
    assert after.updated_at is not None
    assert [(request.method, request.target) for request in world.requests] == [
        ("GET", "/v1/notification-preferences"),
        *[("PUT", "/v1/notification-preferences")] * 2,
    ]
    assert json.loads(world.requests[1].content or b"") == {**chosen, "minimums": {"EUR": "12.5"}}


def test_the_secret_of_a_webhook_is_in_no_repr() -> None:
    made = {**WEBHOOK, "secret": "whsec_AAEC"}
    world = World(*[answer(200, each) for each in (made, WEBHOOK, made)], LOST, answer(204, b""))
    found = world.run(notifications.set_webhook(world.api(), URL))
    assert world.run(notifications.retrieve_webhook(world.api())).url == URL
    rotated = world.run(notifications.rotate_webhook_secret(world.api()))
    world.run(notifications.delete_webhook(world.api()))
    assert found.secret == rotated.secret == "whsec_AAEC"
    assert "whsec" not in repr(found)
    assert [(request.method, request.target) for request in world.requests] == [
        ("PUT", "/v1/webhook"),
        ("GET", "/v1/webhook"),
        ("POST", "/v1/webhook/secret"),
        *[("DELETE", "/v1/webhook")] * 2,
    ]


def test_a_secret_that_may_have_been_shown_is_not_asked_for_again() -> None:
    world = World(LOST, LOST)
    with pytest.raises(ConnectionFailedError):
        world.run(notifications.rotate_webhook_secret(world.api()))
    with pytest.raises(ConnectionFailedError):
        world.run(notifications.set_webhook(world.api(), URL))


def test_the_log_comes_page_by_page() -> None:
    row = {
        "transfer_id": str(ID),
        "recipient": "sender",
        "channel": "email",
        "status": "failed",
        "attempts": 4,
        "digest_id": None,
        "last_error": "refused",
        "created_at": TIME,
        "tried_at": TIME,
        "next_try_at": None,
    }
    world = World(
        answer(200, {"data": [row, row], "has_more": True, "next_cursor": "AbC"}),
        answer(200, {"data": [row], "has_more": False, "next_cursor": None}),
    )
    found = list(world.items(notifications.deliveries(world.api(), page_size=2)))
    assert [(each.status, each.attempts, each.transfer_id) for each in found] == [("failed", 4, ID)] * 3
    paths = ["/v1/deliveries?limit=2", "/v1/deliveries?limit=2&starting_after=AbC"]
    assert [request.target for request in world.requests] == paths
