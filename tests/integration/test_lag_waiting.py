"""What a lag means in seconds and in money."""

import asyncpg
import orjson
import pytest
from hfts_command import hfts
from plain_topics import put_records

from ops.lag import waiting as waiting_module
from ops.lag.reader import group_name, lag_reader
from ops.lag.waiting import waiting_reader
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED
from sinks.kafka.records import Record


def request(amount: str, currency: str = "USD") -> Record:
    return Record(b"k", orjson.dumps({"amount": amount, "currency": currency}), [])


async def fill(settings: Settings, connection: asyncpg.Connection) -> str:
    """Three requests in partition 1, one of them applied; one in dollars and a broken one in partition 2."""
    topic = settings.topic_name(TRANSFERS_REQUESTED)
    await put_records(settings, topic, 1, [request("1.5"), request("20", "EUR"), request("0.0001")])
    await put_records(settings, topic, 2, [request("99999999999999.9999"), Record(b"k", b"{", [])])
    await connection.execute("insert into stream_progress (topic, partition, next_offset) values ($1, 1, 1)", topic)
    return topic


async def test_money_and_seconds_follow_what_is_applied(settings: Settings, connection: asyncpg.Connection) -> None:
    topic = await fill(settings, connection)
    group = group_name(settings, "transfers")
    async with lag_reader(settings) as lags, waiting_reader(settings) as waits:
        first = await waits.read(await lags.read())
        await connection.execute("update stream_progress set next_offset = 3 where partition = 1")
        await put_records(settings, topic, 1, [request("7", "EUR")])
        second = await waits.read(await lags.read())
        await connection.execute("update stream_progress set next_offset = 0 where partition = 1")
        restored = await waits.read(await lags.read())
    assert first.money.units == {"USD": 10**18, "EUR": 200_000}
    assert (first.money.records, first.money.unreadable, first.money.is_all) == (4, 1, True)
    assert first.ages_s.keys() == {(group, topic, 1), (group, topic, 2)}
    assert 0 < first.age_s(group) < 60
    assert second.money.units == {"USD": 10**18 - 1, "EUR": 70_000}
    assert second.ages_s[group, topic, 1] < second.ages_s[group, topic, 2]
    assert restored.money.units == {"USD": 10**18 + 15_000, "EUR": 270_000}


async def test_what_cannot_be_read_at_once_is_said_and_read_later(
    settings: Settings, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(settings, connection)
    monkeypatch.setattr(waiting_module, "RECORDS_MAX", 1)
    async with lag_reader(settings) as lags, waiting_reader(settings) as waits:
        some = await waits.read(await lags.read())
        monkeypatch.undo()
        all_of_it = await waits.read(await lags.read())
    assert not some.money.is_all
    assert (all_of_it.money.records, all_of_it.money.is_all) == (4, True)


async def test_the_command_says_it_all(settings: Settings, connection: asyncpg.Connection) -> None:
    await fill(settings, connection)
    status, printed, errors = await hfts(settings, "lag", "--json")
    assert (status, errors) == (0, "")
    assert printed["unapplied"] == {
        "amounts": {"EUR": "20.0000", "USD": "100000000000000.0000"},
        "records": 4,
        "unreadable": 1,
        "is_all": True,
    }
    group = group_name(settings, "transfers")
    waiting = {found["partition"] for found in printed["partitions"] if found["oldest_s"] and found["group"] == group}
    assert waiting == {1, 2}
    assert printed["oldest_s"][group] > 0
    assert printed["oldest_s"][group_name(settings, "audit")] == 0
