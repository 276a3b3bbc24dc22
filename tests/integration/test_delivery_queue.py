"""The queue on a real database: what is taken by whom, when, and how often."""

from uuid import UUID

import asyncpg
from builders import new_id
from deliveries import Told, a_notification, make_due, put, states, work_off

from ops.deliveries.failed import as_line, as_table, list_failed, retry_failed
from schemas.settings import Settings
from sinks.delivery.queue import Queue
from sinks.delivery.tries import ACCEPTED, CUT_OFF, after, failed, refused
from streams.deliverer import Lane


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
