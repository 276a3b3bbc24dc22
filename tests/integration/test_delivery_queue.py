"""The queue on a real database: what is taken by whom, when, and how often."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from builders import new_id
from deliveries import a_notification, make_due, put, states
from mail_server import mail_server
from pydantic import SecretStr
from workers import running

from ops.deliveries.failed import as_line, as_table, list_failed, retry_failed
from schemas.crash_points import CrashPoint
from schemas.settings import Settings
from sinks.delivery.queue import Message, Queue
from sinks.delivery.tries import ACCEPTED, CUT_OFF, Verdict, after, failed, refused
from sinks.postgres.pool import create_pool
from streams.deliverer import Deliverer, Lane


class Told:
    """A channel that keeps what it is given, and answers as a test says."""

    def __init__(self, verdict: Verdict = ACCEPTED) -> None:
        self.verdict = verdict
        self.messages: list[Message] = []

    async def send(self, message: Message) -> Verdict:
        self.messages.append(message)
        await asyncio.sleep(0)
        return self.verdict

    async def close(self) -> None:
        """It has nothing open."""


@pytest.fixture
async def queue(database_settings: Settings) -> AsyncIterator[Queue]:
    pool = await create_pool(database_settings, size_max=8)
    yield Queue(pool, emails_per_hour=3, results_kept_s=3_600)
    await pool.close()


async def work_off(*lanes: Lane) -> None:
    """Until nothing is due any more."""
    while any(await asyncio.gather(*(lane.take() for lane in lanes))):
        await asyncio.gather(*(lane.idle() for lane in lanes))


async def test_many_processes_deliver_each_once(queue: Queue, connection: asyncpg.Connection) -> None:
    await put(connection, *(a_notification() for _ in range(40)))
    told = Told()
    await work_off(*(Lane("email", queue, told, places=8) for _ in range(4)))
    assert len({message.message_id for message in told.messages}) == len(told.messages) == 40
    assert await states(connection) == {"delivered": 40}


async def test_what_is_queued_again_changes_nothing(queue: Queue, connection: asyncpg.Connection) -> None:
    notification = a_notification()
    await put(connection, notification)
    await work_off(Lane("email", queue, told := Told(), places=8))
    await put(connection, notification)
    await work_off(Lane("email", queue, told, places=8))
    assert len(told.messages) == 1


async def test_what_fails_is_tried_four_times_and_kept_as_it_was(queue: Queue, connection: asyncpg.Connection) -> None:
    await put(connection, a_notification())
    lane = Lane("email", queue, told := Told(failed("451 later")), places=8)
    for tries in range(1, 5):
        await work_off(lane)
        assert len(told.messages) == tries
        row = await connection.fetchrow("select *, due_at - now() < interval '601 s' as soon from deliveries")
        assert row is not None
        assert (row["attempts"], row["last_error"], row["soon"]) == (tries, "451 later", True)
        assert row["status"] == ("pending" if tries < 4 else "failed")
        await make_due(connection)
    await work_off(lane)
    assert len(told.messages) == 4
    assert len({message.message_id for message in told.messages}) == 1
    kept = await connection.fetchval("select notification from deliveries")
    assert kept == told.messages[0].deliveries[0].notification


async def test_what_is_refused_for_good_is_tried_once(queue: Queue, connection: asyncpg.Connection) -> None:
    await put(connection, a_notification())
    await work_off(Lane("email", queue, Told(refused("550 nobody")), places=8))
    assert await states(connection) == {"failed": 1}


async def test_a_try_that_is_cut_off_is_done_again_when_its_time_is_over(
    queue: Queue, connection: asyncpg.Connection
) -> None:
    await put(connection, a_notification())
    for tries in range(1, 5):
        taken = await queue.take("email", 8, {})
        assert [message.tries for message in taken.messages] == [tries]
        assert (await queue.take("email", 8, {})).looked_at == 0, "it is in hand"
        await make_due(connection)
    assert (await queue.take("email", 8, {})).given_up == 1
    assert await connection.fetchval("select last_error from deliveries where status = 'failed'") == CUT_OFF


async def test_who_took_too_long_changes_nothing_any_more(queue: Queue, connection: asyncpg.Connection) -> None:
    await put(connection, a_notification())
    [slow] = (await queue.take("email", 8, {})).messages
    await make_due(connection)
    [second] = (await queue.take("email", 8, {})).messages
    await queue.note(slow, after(refused("550 nobody"), 1, 0.0))
    assert await states(connection) == {"pending": 1}
    await queue.note(second, after(ACCEPTED, 2, 0.0))
    await queue.note(slow, after(failed("451 later"), 1, 0.0))
    assert await states(connection) == {"delivered": 1}


async def test_beyond_the_bound_one_message_tells_the_rest(queue: Queue, connection: asyncpg.Connection) -> None:
    anna = new_id()
    await put(connection, a_notification(), *(a_notification(user_id=anna) for _ in range(9)))
    lane = Lane("email", queue, told := Told(), places=16)
    await work_off(lane)
    assert [len(message.deliveries) for message in told.messages] == [1] * 4
    assert await states(connection) == {"delivered": 4, "pending": 6}
    await make_due(connection)
    rivals = [Lane("email", queue, told, places=8) for _ in range(4)]
    await work_off(*rivals)
    assert [len(message.deliveries) for message in told.messages[4:]] == [6]
    assert await states(connection) == {"delivered": 10}


async def test_a_digest_is_tried_again_as_it_was(queue: Queue, connection: asyncpg.Connection) -> None:
    anna = new_id()
    await put(connection, *(a_notification(user_id=anna) for _ in range(4)))
    await work_off(Lane("email", queue, Told(), places=8))
    await put(connection, *(a_notification(user_id=anna) for _ in range(3)))
    lane = Lane("email", queue, told := Told(failed("451 later")), places=8)
    await work_off(lane)
    assert told.messages == []
    for tries in range(1, 5):
        await make_due(connection)
        await work_off(lane)
        assert [message.tries for message in told.messages] == list(range(1, tries + 1))
    assert len({message.message_id for message in told.messages}) == 1
    assert await states(connection) == {"delivered": 3, "failed": 4}


async def a_digest(queue: Queue, connection: asyncpg.Connection, count: int) -> None:
    """One of so many that is due: what came in when the window's room was taken."""
    anna = new_id()
    await put(connection, *(a_notification(user_id=anna) for _ in range(3)))
    await work_off(Lane("email", queue, Told(), places=8))
    await put(connection, *(a_notification(user_id=anna) for _ in range(count)))
    assert (await queue.take("email", 8, {})).digested == count
    await make_due(connection)


async def test_a_digest_that_is_cut_off_four_times_is_given_up(queue: Queue, connection: asyncpg.Connection) -> None:
    await a_digest(queue, connection, 2)
    for tries in range(1, 5):
        assert [message.tries for message in (await queue.take_digest()).messages] == [tries]
        assert (await queue.take_digest()).looked_at == 0, "it is in hand"
        await make_due(connection)
    taken = await queue.take_digest()
    assert (taken.messages, taken.given_up) == ([], 2)
    failed_rows = await connection.fetch("select distinct attempts, last_error from deliveries where status = 'failed'")
    assert [tuple(row) for row in failed_rows] == [(4, CUT_OFF)]


async def test_a_digest_of_more_than_one_message_is_the_same_messages_again(
    queue: Queue, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sinks.delivery.queue.DIGEST_ROWS_MAX", 2)
    await a_digest(queue, connection, 4)

    async def told() -> list[Message]:
        taken = [await queue.take_digest() for _ in range(2)]
        await make_due(connection)
        return [message for each in taken for message in each.messages]

    first = await told()
    await connection.execute(  # another place in the table
        "update deliveries set due_at = due_at - interval '1 s' where transfer_id = $1",
        first[0].deliveries[0].transfer_id,
    )
    ids = [message.message_id for message in first]
    assert (len(ids), [message.message_id for message in await told()]) == (2, ids)


async def test_a_window_that_is_over_has_room_again(queue: Queue, connection: asyncpg.Connection) -> None:
    anna = new_id()
    lane = Lane("email", queue, told := Told(), places=8)
    for _ in range(2):
        await put(connection, *(a_notification(user_id=anna) for _ in range(3)))
        await work_off(lane)
        await connection.execute("update email_windows set started_at = started_at - interval '1 hour'")
    assert [len(message.deliveries) for message in told.messages] == [1] * 6


async def test_webhooks_have_no_bound_but_leave_places_to_others(queue: Queue, connection: asyncpg.Connection) -> None:
    anna = new_id()
    await put(connection, *(a_notification(user_id=anna) for _ in range(9)), a_notification(), channel="webhook")
    taken = await queue.take("webhook", 20, {})
    assert sorted(str(message.user_id) == anna for message in taken.messages) == [False, True, True, True, True]
    assert (await queue.take("webhook", 20, {})).looked_at == 0, "those of hers wait a little"


async def test_results_go_after_their_time_and_dead_letters_after_theirs(
    queue: Queue, connection: asyncpg.Connection
) -> None:
    await put(connection, *(a_notification() for _ in range(3)))
    await work_off(Lane("email", queue, Told(), places=2))
    await connection.execute("update deliveries set updated_at = now() - interval '59 minutes'")
    await queue.prune()
    assert await states(connection) == {"delivered": 3}
    await connection.execute("update deliveries set updated_at = now() - interval '61 minutes'")
    await put(connection, a_notification())
    await work_off(Lane("email", queue, Told(refused("550")), places=2))
    await connection.execute("update deliveries set updated_at = now() - interval '29 days'")
    await queue.prune()
    assert await states(connection) == {"failed": 1}
    await connection.execute("update deliveries set updated_at = now() - interval '31 days'")
    await queue.prune()
    assert await states(connection) == {}


async def test_what_failed_is_listed_and_tried_again(
    queue: Queue, connection: asyncpg.Connection, database_settings: Settings
) -> None:
    first, second = a_notification(), a_notification()
    await put(connection, first, second)
    await work_off(Lane("email", queue, Told(refused("550 <anna@example.com>?")), places=8))
    rows = await list_failed(database_settings, 100)
    assert {row["transfer_id"] for row in rows} == {first.transfer_id, second.transfer_id}
    assert "550 <a***@example.com>?" in as_line(dict(rows[0]))
    assert as_table([dict(row) for row in rows]).row_count == 2
    assert await retry_failed(database_settings, [UUID(first.transfer_id)]) == 1
    await work_off(Lane("email", queue, told := Told(), places=8))
    assert [str(message.deliveries[0].transfer_id) for message in told.messages] == [first.transfer_id]
    assert [message.tries for message in told.messages] == [1]
    assert await retry_failed(database_settings, None) == 1


async def test_the_lag_is_the_age_of_what_is_due(queue: Queue, connection: asyncpg.Connection) -> None:
    assert await queue.lag_s("email") == 0
    await put(connection, a_notification())
    await connection.execute("update deliveries set due_at = now() - interval '90 seconds'")
    assert 90 <= await queue.lag_s("email") < 120
    assert await queue.lag_s("webhook") == 0


# Delivers until it is killed, or until nothing is left.
DELIVERS = """
import asyncio
from schemas.settings import Settings
from sinks.crash import arm
from sinks.postgres.pool import create_pool
from streams.deliverer import Deliverer

async def main():
    settings = Settings()
    arm(settings.crash)
    pool = await create_pool(settings, size_max=4)
    deliverer = Deliverer(settings, pool)
    [email] = [lane for lane in deliverer.lanes if lane.channel == "email"]
    while await email.take():
        await email.idle()
    await deliverer.stop()
    await pool.close()

asyncio.run(main())
"""


async def test_a_killed_process_loses_nothing_and_doubles_only_what_was_accepted_and_not_noted(
    database_settings: Settings, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    async with mail_server() as server:
        url = SecretStr(f"smtp://127.0.0.1:{server.port}")
        for point, doubles in (
            (CrashPoint.AFTER_CLAIM, 0),
            (CrashPoint.AFTER_HANDOVER, 1),
            (CrashPoint.AFTER_NOTE, 0),
            (None, 0),
        ):
            server.messages.clear()
            await put(connection, a_notification())
            settings = database_settings.model_copy(update={"smtp_url": url, "crash_point": point or ""})
            log = tmp_path / f"{point}.log"
            async with running(settings, log, [sys.executable, "-P", "-c", DELIVERS]) as process:
                assert await process.wait() == (0 if point is None else -signal.SIGKILL), log.read_text()
            await make_due(connection)
            rest = Deliverer(settings, pool := await create_pool(settings, size_max=4))
            await work_off(rest.lanes[0])
            await rest.stop()
            await pool.close()
            assert list(server.ids.values()) == [1 + doubles], point
    assert await states(connection) == {"delivered": 4}
