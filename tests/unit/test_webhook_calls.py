"""What webhooks are told, and when they want to be called again."""

from datetime import UTC, datetime

import orjson
import pytest
from deliveries import a_notification

from schemas.notifications import encode_notification
from schemas.webhook_events import webhook_event
from sinks.delivery.webhook_sender import pause_asked_s

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0.0),
        ("120", 120.0),
        ("Fri, 02 Jan 2026 03:05:05 GMT", 60.0),
        ("Fri, 02 Jan 2026 03:00:00 GMT", 0.0),
        ("later", 0.0),
        ("-5", 0.0),
        ("9" * 400, 999_999_999.0),
        ("²", 0.0),
    ],
)
def test_a_pause_may_be_asked_for_in_seconds_or_as_a_date(header: str | None, seconds: float) -> None:
    assert pause_asked_s(header, NOW) == seconds


def test_an_event_is_the_notification_without_the_address() -> None:
    notification = a_notification(kind="hold", reference="rent")
    event = orjson.loads(webhook_event(notification))
    assert (event["type"], event["timestamp"]) == ("transfer.completed", "2026-01-02T03:04:05.678901Z")
    record = orjson.loads(encode_notification(notification))
    assert record.pop("email") == "anna@example.com"
    assert event["data"] == record
    assert orjson.loads(webhook_event(a_notification(status="FAILED")))["type"] == "transfer.failed"
