"""Handing notifications out, on a real database: once each, by whichever process."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest
from builders import MemoryTopics, consumed, new_id
from deliveries import a_notification, queued, states
from pydantic import SecretStr
from stages import work

from schemas.notifications import decode_notification, encode_notification
from schemas.settings import Settings
from sinks.delivery_progress import DeliveryProgress, Move
from sinks.errors import ProgressMovedError
from sinks.kafka.records import Consumed
from streams.deliveries import DeliveriesStage


class Channel:
    """Counts what it is given."""

    def __init__(self, told: Counter[tuple[str, str]]) -> None:
        self.told = told

    def deliver(self, partition: int, values: Sequence[bytes]) -> None:
        for notification in map(decode_notification, values):
            self.told[notification.transfer_id, notification.recipient] += 1


def notifications(count: int) -> list[Consumed]:
    return [consumed(offset, encode_notification(a_notification()), topic="notifications") for offset in range(count)]


@pytest.fixture
def told() -> Counter[tuple[str, str]]:
    return Counter()


@pytest.fixture
async def stages(database_settings: Settings, told: Counter[tuple[str, str]]) -> AsyncIterator[list[DeliveriesStage]]:
    stages = [DeliveriesStage(database_settings, MemoryTopics()) for _ in range(2)]
    for stage in stages:
        await stage.start()
        stage._delivery = Channel(told)  # type: ignore[assignment]
    yield stages
    for stage in stages:
        await stage.stop()


async def test_each_is_delivered_once_also_when_it_comes_again(
    stages: list[DeliveriesStage], told: Counter[tuple[str, str]]
) -> None:
    first, second = stages
    records = notifications(6)
    assert await first.resume_offsets([0]) == {}, "the committed offset decides"
    await work(first, {0: records[:2]})
    await work(first, {0: records[1:4]})
    assert await second.resume_offsets([0]) == {0: 4}
    await work(second, {0: records})
    assert list(told.values()) == [1] * 6


async def test_one_transfer_and_recipient_is_told_once(
    stages: list[DeliveriesStage], told: Counter[tuple[str, str]]
) -> None:
    stage, transfer_id = stages[0], new_id()
    values = [
        encode_notification(a_notification(transfer_id=transfer_id)),
        encode_notification(a_notification(transfer_id=transfer_id, recipient="receiver")),
        encode_notification(a_notification(transfer_id=transfer_id)),
    ]
    await stage.resume_offsets([0])
    await work(stage, {0: [consumed(offset, value) for offset, value in enumerate(values)]})
    await work(stage, {0: [consumed(3, values[1])]})
    assert told == {(transfer_id, "sender"): 1, (transfer_id, "receiver"): 1}


async def test_what_is_no_notification_is_passed_over(
    stages: list[DeliveriesStage], told: Counter[tuple[str, str]]
) -> None:
    stage = stages[0]
    await stage.resume_offsets([0])
    good = encode_notification(a_notification())
    await work(stage, {0: [consumed(0, b"{}"), consumed(1, None), consumed(2, good)]})
    assert list(told.values()) == [1]


async def test_who_was_taken_over_from_delivers_no_more(
    stages: list[DeliveriesStage], told: Counter[tuple[str, str]]
) -> None:
    zombie, successor = stages
    records = notifications(3)
    for stage in stages:
        await stage.resume_offsets([0, 1])
    await work(successor, {0: records})
    with pytest.raises(ProgressMovedError):
        await work(zombie, {0: records, 1: notifications(1)})
    assert list(told.values()) == [1] * 3


async def test_progress_moves_only_from_where_it_was_left(pool: Any) -> None:
    progress = DeliveryProgress(pool, "notifications")
    await progress.move({0: Move(None, 5), 1: Move(None, 7)})
    with pytest.raises(ProgressMovedError):
        await progress.move({0: Move(5, 6), 1: Move(None, 8)})
    assert await progress.read([0, 1, 2]) == {0: 5, 1: 7}
    await progress.move({0: Move(5, 6), 1: Move(7, 9)})
    assert await progress.read([0, 1, 2]) == {0: 6, 1: 9}


async def test_what_is_queued_stands_or_falls_with_the_progress(pool: Any, connection: asyncpg.Connection) -> None:
    progress = DeliveryProgress(pool, "notifications")
    await progress.move({0: Move(None, 5)}, [queued(a_notification())])
    with pytest.raises(ProgressMovedError):
        await progress.move({0: Move(4, 6)}, [queued(a_notification())])
    assert await states(connection) == {"pending": 1}


async def test_with_a_mail_server_what_people_want_is_queued_once(
    database_settings: Settings, connection: asyncpg.Connection
) -> None:
    nowhere = database_settings.model_copy(update={"smtp_url": SecretStr("smtp://127.0.0.1:9")})
    anna, ben, gone = [
        await connection.fetchval(
            "insert into users (email, password_hash, status) values ($1 || '@example.com', 'x', $2) returning user_id",
            name,
            status,
        )
        for name, status in (("anna", "active"), ("ben", "active"), ("gone", "disabled"))
    ]
    await connection.execute("insert into notification_preferences (user_id, email_on) values ($1, false)", ben)
    transfer_id = new_id()
    values = [
        *(encode_notification(a_notification(user_id=str(user), transfer_id=transfer_id)) for user in (anna, anna)),
        *(encode_notification(a_notification(user_id=str(user))) for user in (ben, gone)),
        encode_notification(a_notification(user_id=str(anna), amount="nothing")),
        encode_notification(a_notification(user_id="nobody")),
    ]
    stages = [DeliveriesStage(nowhere, MemoryTopics()) for _ in range(2)]
    for stage in stages:
        await stage.start()
        await stage.resume_offsets([0])
        await work(stage, {0: [consumed(offset, value) for offset, value in enumerate(values)]})
        await stage.stop()
    [row] = await connection.fetch("select * from deliveries")
    assert (str(row["transfer_id"]), row["user_id"], row["channel"]) == (transfer_id, anna, "email")
    assert row["notification"] == values[0]
