"""Dead letters on real servers: what a replay, a discard and a listing do."""

import asyncio
import os
from datetime import datetime, timedelta

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from dead_letters import key_for, letter_record, states, write_letters, write_numbered_letters
from plain_topics import records_of

from ops.dlq.address import Address
from ops.dlq.discard import discard_letters, undo_discard
from ops.dlq.errors import BusyError, DeadLetterError
from ops.dlq.exclusive import exclusive
from ops.dlq.listing import find_letter, list_letters
from ops.dlq.replay import replay_letters
from ops.dlq.selection import Selection, State
from ops.lag.reader import admin_client
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED
from sinks.kafka.records import Record

ALL = Selection()
OWN = [("cause", b"of joy"), ("empty", None), ("trace", b"1")]


def at(*addresses: tuple[int, int]) -> Selection:
    return Selection(addresses=frozenset(Address(*address) for address in addresses))


async def test_letters_are_put_back_in_order_their_bytes_and_own_headers_untouched(settings: Settings) -> None:
    astray = key_for(2, settings).encode()
    large = b"large " * 400_000
    records = [
        (0, letter_record(settings, 5, partition=0, headers=OWN)),
        (0, letter_record(settings, 6, partition=0, value=large)),
        (0, letter_record(settings, 9, partition=0, key=astray, cause="wrong_key")),
        (0, letter_record(settings, 12, partition=0)),
        (1, letter_record(settings, 3, partition=1)),
    ]
    await write_letters(settings, *records)
    report = await replay_letters(settings, ALL, actor="eve")
    assert report.replayed == {"undecodable": 4, "wrong_key": 1}
    found = await records_of(settings, TRANSFERS_REQUESTED)
    sources = [("0:0", 0), ("0:1", 0), ("0:3", 0), ("1:0", 1), ("0:2", 2)]
    assert [(bytes(r.headers[-2][1]).decode(), r.partition) for r in found] == sources
    assert {name for record in found for name, _ in record.headers[-2:]} == {"replay-of", "replay-attempt"}
    assert list(found[0].headers[:-2]) == OWN
    assert found[1].value == large
    assert found[4].key == astray
    again = await replay_letters(settings, ALL, actor="eve")
    assert (again.replayed.total(), again.left) == (0, {State.REPLAYED: 5})
    assert len(await records_of(settings, TRANSFERS_REQUESTED)) == 5
    action = (await find_letter(settings, Address(0, 2))).action
    assert action is not None
    assert (action.actor, action.request_partition, action.request_offset) == ("eve", 2, found[4].offset)


async def test_a_record_without_key_and_value_goes_back_to_where_it_came_from(settings: Settings) -> None:
    whole = letter_record(settings, 5, partition=1)
    await write_letters(settings, (1, Record(None, None, whole.headers)))
    await replay_letters(settings, ALL, actor="eve")
    [found] = await records_of(settings, TRANSFERS_REQUESTED)
    assert (found.partition, found.key, found.value) == (1, None, None)


async def test_only_what_is_selected_is_put_back(settings: Settings) -> None:
    await write_numbered_letters(settings, 4)
    with pytest.raises(DeadLetterError, match="there is no dead letter 1:77"):
        await replay_letters(settings, at((0, 1), (1, 77)), actor="eve")
    with pytest.raises(DeadLetterError, match="there is no partition 3"):
        await replay_letters(settings, Selection(partitions=frozenset({3})), actor="eve")
    assert (await replay_letters(settings, at((2, 3), (2, 1)), actor="eve")).replayed.total() == 2
    found = [bytes(record.headers[-2][1]) for record in await records_of(settings, TRANSFERS_REQUESTED)]
    assert found == [b"2:1", b"2:3"]
    report = await replay_letters(settings, Selection(partitions=frozenset({1, 2})), actor="eve")
    assert (report.replayed.total(), report.left) == (6, {State.REPLAYED: 2})


async def test_letters_are_selected_by_the_time_they_were_written(settings: Settings) -> None:
    for _ in range(3):
        await write_numbered_letters(settings, 2, [0, 1])

    async def select(since: datetime | None = None, until: datetime | None = None) -> list[datetime]:
        chosen = list_letters(settings, Selection(since=since, until=until))
        return [known.letter.at async for letters in chosen for known in letters]

    written = await select()
    assert len(written) == 12
    for moment in set(written):
        assert await select(since=moment) == [at for at in written if at >= moment]
        assert await select(until=moment) == [at for at in written if at <= moment]
        assert await select(since=moment, until=moment) == [at for at in written if at == moment]
    assert await select(since=max(written) + timedelta(milliseconds=1)) == []
    assert await select(until=min(written) - timedelta(milliseconds=1)) == []


async def test_what_is_discarded_is_not_put_back_until_it_is_opened_again(settings: Settings) -> None:
    await write_numbered_letters(settings, 2, [0, 1])
    report = await discard_letters(settings, at((0, 1), (1, 0)), reason="sent again", actor="eve")
    assert report.changed == {"undecodable": 2}
    again = await discard_letters(settings, at((0, 1)), reason="another", actor="mallory")
    assert (again.changed.total(), again.left) == (0, {State.DISCARDED: 1})
    action = (await find_letter(settings, Address(0, 1))).action
    assert action is not None
    assert (action.reason, action.actor) == ("sent again", "eve")
    assert (await replay_letters(settings, ALL, actor="eve")).replayed.total() == 2
    assert (await undo_discard(settings, ALL)).changed.total() == 2
    assert (await replay_letters(settings, ALL, actor="eve")).replayed.total() == 2
    assert set((await states(settings)).values()) == {State.REPLAYED}
    report = await discard_letters(settings, ALL, reason="too late", actor="eve")
    assert (report.changed.total(), report.left) == (0, {State.REPLAYED: 4})
    assert len(await records_of(settings, TRANSFERS_REQUESTED)) == 4


async def test_what_was_no_request_is_left_alone(settings: Settings) -> None:
    other = letter_record(settings, 1, partition=0)
    foreign = [(name, b"audit" if name == "source-topic" else value) for name, value in other.headers]
    await write_letters(settings, (0, Record(None, b"!", [])), (0, Record(other.key, other.value, foreign)))
    report = await replay_letters(settings, ALL, actor="eve")
    assert (report.no_requests, report.replayed.total()) == (2, 0)
    assert await records_of(settings, TRANSFERS_REQUESTED) == []


async def test_a_letter_too_large_is_named_and_stops_nothing_for_good(settings: Settings) -> None:
    await write_letters(
        settings,
        (0, letter_record(settings, 1, partition=0)),
        (0, letter_record(settings, 2, partition=0, value=os.urandom(1_500_000))),
        (0, letter_record(settings, 3, partition=0)),
    )
    with pytest.raises(DeadLetterError, match=r"letter 0:1 .* is larger than"):
        await replay_letters(settings, ALL, actor="eve")
    report = await discard_letters(settings, at((0, 1)), reason="too large", actor="eve")
    assert (report.settled.reopened, report.changed.total()) == (1, 1)
    assert (await replay_letters(settings, ALL, actor="eve")).replayed.total() == 1
    assert len(await records_of(settings, TRANSFERS_REQUESTED)) == 2


async def test_two_commands_at_once_put_each_letter_back_once(settings: Settings) -> None:
    await write_numbered_letters(settings, 50)
    runs = await asyncio.gather(
        *(replay_letters(settings, ALL, actor=f"eve {n}") for n in range(3)), return_exceptions=True
    )
    replayed = sum(run.replayed.total() for run in runs if not isinstance(run, BaseException))
    assert all(isinstance(run, BusyError) for run in runs if isinstance(run, BaseException))
    assert replayed == 150
    assert len(await records_of(settings, TRANSFERS_REQUESTED)) == 150


async def test_a_second_command_is_told_who_is_at_work(settings: Settings) -> None:
    async with exclusive(settings) as database:
        pid = await database.fetchval("select pg_backend_pid()")
        with pytest.raises(BusyError, match=f"backend {pid} since"):
            await discard_letters(settings, ALL, reason="x", actor="eve")


async def test_what_cannot_be_decided_any_more_is_left_to_a_person(
    settings: Settings, connection: asyncpg.Connection
) -> None:
    await write_numbered_letters(settings, 2, [0])
    await replay_letters(settings, at((0, 0)), actor="eve")
    # As if it had been killed, and its requests had expired since.
    await connection.execute("update dead_letter_actions set state = 'intended', done_at = null, request_offset = null")
    async with admin_client(settings) as admin:
        where = TopicPartition(settings.topic_name(TRANSFERS_REQUESTED), 0)
        await admin.delete_records({where: RecordsToDelete(before_offset=1)})
    report = await replay_letters(settings, ALL, actor="eve")
    assert (report.settled.undecided, report.replayed.total(), report.left) == (1, 1, {State.REPLAYING: 1})
    await discard_letters(settings, at((0, 0)), reason="it is in the ledger", actor="eve")
    assert await states(settings) == {"0:0": State.DISCARDED, "0:1": State.REPLAYED}
