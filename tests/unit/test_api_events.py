"""Streams of a caller's outcomes: what they tell, from where on, and when they end."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from told_outcomes import failed, outcome, told

from ingest_api import event_feed, transfer_events
from ingest_api.event_ids import event_id, read_event_id
from ingest_api.outcome_reader import Outcomes
from ingest_api.problems import ProblemError
from ingest_api.tokens import Caller
from schemas.access import RIGHTS, Role
from schemas.holds import hold_wallet_id
from schemas.transfers import Outcome
from sinks.errors import BrokerAwayError, DatabaseAwayError
from sinks.kafka.records import Consumed
from tests.unit.conftest import Api

USER, OTHER = str(uuid4()), str(uuid4())
PARTITIONS = 2


class FakePast:
    """What stands on the topic."""

    def __init__(self) -> None:
        self.records: list[list[Consumed]] = [[] for _ in range(PARTITIONS)]
        self.is_away = False

    @property
    def bounds(self) -> list[tuple[int, int]]:
        return [(0, len(records)) for records in self.records]

    @asynccontextmanager
    async def opened(self, partitions: int) -> AsyncIterator["FakePast"]:
        assert partitions == PARTITIONS
        if self.is_away:
            raise BrokerAwayError("away")
        yield self

    async def between(self, partition: int, begin: int, end: int) -> AsyncGenerator[list[Consumed]]:
        for record in self.records[partition][begin:end]:
            yield [record]


class Scene:
    """A feed that runs, and outcomes that come."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.past = FakePast()
        found: Any = self.past
        self.outcomes: Outcomes = replace(api.app.state.services.outcomes, past=found)
        self.feed = self.outcomes.events
        self.feed.begin([0] * PARTITIONS)

    def tell(self, *said: Outcome, partition: int = 0, reaches: bool = True) -> None:
        """These come onto the topic, together; this process has not read them yet unless they reach it."""
        records = []
        for each in said:
            records.append(told(each, partition, len(self.past.records[partition])))
            self.past.records[partition].append(records[-1])
        if reaches:
            self.feed.put(partition, records)

    @asynccontextmanager
    async def stream(
        self, user: str = USER, after: str | None = None, *, role: Role = "user", sees_all: bool = False
    ) -> AsyncIterator["Client"]:
        caller = Caller(user, role, RIGHTS[role])
        async with transfer_events.transfer_events(self.outcomes, caller, after, sees_all=sees_all) as events:
            client = Client(events)
            await client.lines()  # how to come again, and from where
            yield client
            await events.aclose()


class Client:
    """Reads one stream. ``last_id``: that of the last event."""

    def __init__(self, events: AsyncGenerator[bytes]) -> None:
        self._events = events
        self.last_id = ""

    async def lines(self) -> list[str]:
        part = (await anext(self._events)).decode()
        lines = part.splitlines()
        self.last_id = next(line.removeprefix("id: ") for line in reversed(lines) if line.startswith("id: "))
        assert part.endswith("\n\n")
        return lines

    async def events(self, count: int) -> list[tuple[str, Any]]:
        """The names and data of so many events."""
        found: list[tuple[str, Any]] = []
        while len(found) < count:
            lines = await self.lines()
            names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
            data = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
            found += zip(names, data, strict=True)
        assert len(found) == count
        return found

    async def ids(self, count: int) -> list[str]:
        return [data["transfer_id"] for _, data in await self.events(count)]

    async def has_ended(self) -> bool:
        return await anext(self._events, None) is None


@pytest.fixture
async def scene(api: Api) -> AsyncIterator[Scene]:
    found = Scene(api)
    running = asyncio.create_task(found.feed.run())
    yield found
    running.cancel()
    await asyncio.wait({running})
    assert running.cancelled()


async def test_payer_and_payee_see_what_is_theirs(scene: Scene) -> None:
    mine, others = scene.api.wallet(USER), scene.api.wallet(OTHER)
    said = [
        outcome(source_wallet_id=mine, destination_wallet_id=others),
        outcome(source_wallet_id=others, destination_wallet_id=mine),
        outcome(source_wallet_id=others),
        failed(source_wallet_id=mine, destination_wallet_id=others),
        failed(source_wallet_id=others, destination_wallet_id=mine),
        outcome(source_wallet_id=mine, destination_wallet_id=mine),
    ]
    async with scene.stream() as client:
        scene.tell(*said)
        found = await client.events(4)
    assert [name for name, _ in found] == [
        f"transfer.{kind}" for kind in ("completed", "completed", "failed", "completed")
    ]
    assert [data["transfer_id"] for _, data in found] == [said[place].transfer_id for place in (0, 1, 3, 5)]
    balances = [(data["source_balance"], data["destination_balance"]) for _, data in found]
    assert balances == [("9.0000", None), (None, "5.0000"), (None, None), ("9.0000", "5.0000")]


async def test_a_capture_is_told_to_whom_the_money_was_held_of(scene: Scene) -> None:
    mine, others = scene.api.wallet(USER), scene.api.wallet(OTHER)
    drawn = {"source_wallet_id": hold_wallet_id(mine), "kind": "capture", "parent_id": str(uuid4())}
    said = outcome(destination_wallet_id=others, **drawn)
    async with scene.stream() as client:
        scene.tell(outcome(), said)
        [(_, data)] = await client.events(1)
    assert (data["transfer_id"], data["source_balance"]) == (said.transfer_id, "9.0000")


async def test_an_admin_may_see_all(scene: Scene) -> None:
    said = outcome()
    async with scene.stream(OTHER, role="admin", sees_all=True) as client:
        scene.tell(said)
        [(_, data)] = await client.events(1)
    assert (data["transfer_id"], data["source_balance"], data["destination_balance"]) == (
        *(said.transfer_id, "9.0000", "5.0000"),
    )


async def test_what_was_told_before_is_not_told_and_two_streams_are_told_the_same(scene: Scene) -> None:
    mine = scene.api.wallet(USER)
    scene.tell(outcome(source_wallet_id=mine))
    said = outcome(source_wallet_id=mine)
    async with scene.stream() as one, scene.stream() as two:
        scene.tell(said)
        assert await one.ids(1) == await two.ids(1) == [said.transfer_id]


async def test_an_id_brings_what_came_since_from_any_process(scene: Scene) -> None:
    mine = scene.api.wallet(USER)
    said = [outcome(source_wallet_id=mine) for _ in range(6)]
    async with scene.stream() as client:
        scene.tell(said[0], outcome(), said[1])
        assert await client.ids(2) == [said[0].transfer_id, said[1].transfer_id]
        last_id = client.last_id
    scene.tell(outcome(), said[2])
    scene.tell(said[3], outcome(), partition=1)
    async with scene.stream(after=last_id) as client:
        scene.tell(said[4])  # comes while the older ones are read
        assert await client.ids(3) == [each.transfer_id for each in said[2:5]]
        scene.tell(said[5])
        assert await client.ids(1) == [said[5].transfer_id]
        last_id = client.last_id
    async with scene.stream(after=last_id) as client:
        scene.tell(said[0])
        assert await client.ids(1) == [said[0].transfer_id]


async def test_each_event_has_an_id_of_its_own(scene: Scene) -> None:
    mine = scene.api.wallet(USER)
    said = [outcome(source_wallet_id=mine) for _ in range(3)]
    async with scene.stream() as client:
        scene.tell(*said)
        ids = [line.removeprefix("id: ") for line in await client.lines() if line.startswith("id: ")]
    assert [read_event_id(each, PARTITIONS) for each in ids] == [[1, 0], [2, 0], [3, 0]]
    for place, last_id in enumerate(ids[:2]):
        async with scene.stream(after=last_id) as client:
            assert await client.ids(2 - place) == [each.transfer_id for each in said[place + 1 :]]


async def test_a_client_that_knows_more_than_this_process_is_told_nothing_twice(scene: Scene) -> None:
    mine = scene.api.wallet(USER)
    known, new = outcome(source_wallet_id=mine), outcome(source_wallet_id=mine)
    scene.tell(known, new, reaches=False)
    async with scene.stream(after=event_id([1, 0])) as client:
        scene.feed.put(0, scene.past.records[0])
        assert await client.ids(1) == [new.transfer_id]
        scene.tell(outcome(source_wallet_id=mine), partition=1)
        await client.ids(1)
        assert read_event_id(client.last_id, PARTITIONS) == [2, 1]


@pytest.mark.parametrize("after", ["?", "", event_id([0]), event_id([0, 0, 0]), event_id([1, 0])])
async def test_ids_that_are_none(scene: Scene, after: str) -> None:
    with pytest.raises(ProblemError) as refused:
        async with scene.stream(after=after):
            pass
    assert (refused.value.status_code, refused.value.errors[0][0]) == (422, "after")
    assert scene.outcomes.streams.count == 0


async def test_a_wallet_that_is_new_is_seen_with_its_first_outcome(scene: Scene) -> None:
    async with scene.stream() as client:
        mine, other = scene.api.wallet(USER), scene.api.wallet(OTHER)
        said = [
            outcome(source_wallet_id=other, destination_wallet_id=mine, destination_version=1),
            outcome(source_wallet_id=other, destination_wallet_id=mine, destination_version=2),
        ]
        scene.tell(*said)
        assert await client.ids(2) == [each.transfer_id for each in said]
        poor = scene.api.wallet(USER)
        said = [failed(source_wallet_id=poor), outcome(destination_wallet_id=poor, destination_version=1)]
        scene.tell(*said)
        assert await client.ids(2) == [each.transfer_id for each in said]


async def test_wallets_are_asked_for_once(scene: Scene) -> None:
    mine, other = scene.api.wallet(USER), scene.api.wallet(OTHER)
    async with scene.stream() as client:
        statements = scene.api.wallets.statements
        for _ in range(3):
            scene.tell(failed(source_wallet_id=other), outcome(source_wallet_id=mine))
            await client.ids(1)
        assert scene.api.wallets.statements == statements + 1


async def test_without_a_database_streams_end(scene: Scene) -> None:
    async with scene.stream() as client:
        scene.api.wallets.is_away = True
        scene.tell(failed())
        assert await client.has_ended()
    with pytest.raises(DatabaseAwayError):
        async with scene.stream():
            pass


async def test_when_outcomes_are_lost_streams_end_and_go_on_from_their_ids(scene: Scene) -> None:
    mine = scene.api.wallet(USER)
    said = outcome(source_wallet_id=mine)
    async with scene.stream() as client:
        scene.feed.lose()
        assert await client.has_ended()
        with pytest.raises(ProblemError) as refused:
            async with scene.stream():
                pass
        assert refused.value.code == "broker_unavailable"
        scene.tell(said, reaches=False)
        scene.feed.begin([1, 0])
    async with scene.stream(after=client.last_id) as client:
        assert await client.ids(1) == [said.transfer_id]


async def test_without_kafka_there_is_no_stream(scene: Scene) -> None:
    scene.api.following.is_away = True
    with pytest.raises(ProblemError) as refused:
        async with scene.stream():
            pass
    assert (refused.value.status_code, refused.value.code) == (503, "broker_unavailable")


async def test_a_stream_whose_past_cannot_be_read_ends(scene: Scene) -> None:
    scene.tell(outcome())
    scene.past.is_away = True
    async with scene.stream(after=event_id([0, 0])) as client:
        assert await client.has_ended()


async def test_a_client_that_does_not_read_is_cut_off_and_comes_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_feed, "BUFFER_BYTES_MAX", 1_000)
    mine = scene.api.wallet(USER)
    said = [outcome(source_wallet_id=mine) for _ in range(5)]
    async with scene.stream() as client, scene.stream() as other:
        scene.tell(said[0])
        assert await client.ids(1) == await other.ids(1)
        scene.tell(*said[1:])
        assert await client.has_ended()
        assert await other.has_ended()
    async with scene.stream(after=client.last_id) as client:
        assert await client.ids(4) == [each.transfer_id for each in said[1:]]


async def test_an_event_larger_than_the_buffer_goes_alone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_feed, "BUFFER_BYTES_MAX", 1)
    mine = scene.api.wallet(USER)
    async with scene.stream() as client:
        for _ in range(2):
            scene.tell(outcome(source_wallet_id=mine))
            await client.ids(1)


async def test_more_outcomes_than_may_wait_end_the_streams(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_feed, "QUEUE_RECORDS_MAX", 2)
    async with scene.stream() as client:
        scene.tell(*(outcome() for _ in range(3)))
        assert await client.has_ended()
    assert scene.feed.nexts == [3, 0]


async def test_a_quiet_stream_renews_its_id(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer_events, "HEARTBEAT_S", 0.01)
    async with scene.stream() as client:
        scene.tell(outcome())
        while read_event_id(client.last_id, PARTITIONS) != [1, 0]:
            lines = await client.lines()
            assert lines[0].startswith(":")
            assert not any(line.startswith("data") for line in lines)


async def test_a_caller_may_have_a_few_streams(scene: Scene) -> None:
    async with scene.stream(), scene.stream():
        with pytest.raises(ProblemError) as refused:
            async with scene.stream():
                pass
    assert refused.value.status_code == 429
    assert scene.outcomes.streams.count == 0


async def test_over_http(api: Api) -> None:
    api.app.state.services.outcomes.events.begin([3])
    expiring = {"Authorization": f"Bearer {api.tokens.issue(USER, 'user')}"}
    api.app.state.draining.end_at(2.0**40)  # it ends at once, in order
    answer = await api.client.get("/v1/transfers/events", headers=expiring)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    answer = await api.client.get("/v1/transfers/events?all=true", headers=expiring)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    for shown in ({"Last-Event-ID": "?"}, {}):
        answer = await api.client.get("/v1/transfers/events?after=!", headers={**expiring, **shown})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "after")
    assert (await api.client.post("/v1/transfers/events", headers=expiring)).status_code == 405
