"""Stand-ins for what the API asks of notifications: preferences, webhooks, the delivery log."""

from dataclasses import replace
from datetime import UTC, datetime

from sinks.directory.deliveries import Deliveries, DeliveryRow, LogPlace, decode_place, encode_place
from sinks.directory.notification_preferences import NotificationPreferences, Preferences
from sinks.directory.webhooks import PREVIOUS_SECRET_LIFE, WebhookRow, Webhooks


class FakePreferences(NotificationPreferences):
    def __init__(self) -> None:
        self.chosen: dict[str, Preferences] = {}

    async def find(self, user_id: str) -> Preferences:
        return self.chosen.get(user_id, Preferences())

    async def put(self, user_id: str, chosen: Preferences) -> Preferences:
        self.chosen[user_id] = replace(chosen, updated_at=datetime.now(UTC))
        return self.chosen[user_id]


class FakeWebhooks(Webhooks):
    """Keeps the secrets as they are, the newest first."""

    def __init__(self) -> None:
        self.rows: dict[str, WebhookRow] = {}
        self.secrets: dict[str, list[bytes]] = {}

    async def find(self, user_id: str) -> WebhookRow | None:
        return self.rows.get(user_id)

    async def put(self, user_id: str, url: str, secret: bytes) -> tuple[WebhookRow, bool]:
        is_new, now = user_id not in self.rows, datetime.now(UTC)
        made = WebhookRow(url=url, previous_secret_until=None, created_at=now, updated_at=now)
        self.rows[user_id] = replace(self.rows.get(user_id, made), url=url)
        self.secrets.setdefault(user_id, [secret])
        return self.rows[user_id], is_new

    async def rotate(self, user_id: str, secret: bytes) -> WebhookRow | None:
        if user_id not in self.rows:
            return None
        self.secrets[user_id].insert(0, secret)
        until = datetime.now(UTC) + PREVIOUS_SECRET_LIFE
        self.rows[user_id] = replace(self.rows[user_id], previous_secret_until=until)
        return self.rows[user_id]

    async def delete(self, user_id: str) -> bool:
        self.secrets.pop(user_id, None)
        return self.rows.pop(user_id, None) is not None


class FakeDeliveries(Deliveries):
    """Rows in the order of the log."""

    def __init__(self) -> None:
        self.rows: dict[str, list[DeliveryRow]] = {}

    async def of_user(self, user_id: str, behind: LogPlace, count_max: int) -> list[DeliveryRow]:
        rows = self.rows.get(user_id, [])
        places = [decode_place(encode_place(row)) for row in rows]
        start = places.index(behind) + 1 if behind in places else 0
        return rows[start : start + count_max]
