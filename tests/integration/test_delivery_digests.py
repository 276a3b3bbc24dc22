"""What a recipient gets beyond the bound on e-mails: one message that tells the rest, as often as it is tried."""

import asyncpg
import pytest
from builders import new_id
from deliveries import Told, a_notification, make_due, put, states, work_off

from sinks.delivery.queue import Message, Queue
from sinks.delivery.tries import CUT_OFF, failed
from streams.deliverer import Lane


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
