"""Streams of a caller's outcomes: what they tell, and from where on."""

from uuid import uuid4

import pytest
from event_scene import OTHER, PARTITIONS, USER, Scene
from told_outcomes import failed, outcome

from ingest_api import transfer_events
from ingest_api.event_ids import event_id, read_event_id
from ingest_api.problems import ProblemError
from schemas.holds import hold_wallet_id
from tests.unit.conftest import Api


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


async def test_a_quiet_stream_renews_its_id(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer_events, "HEARTBEAT_S", 0.01)
    async with scene.stream() as client:
        scene.tell(outcome())
        while read_event_id(client.last_id, PARTITIONS) != [1, 0]:
            lines = await client.lines()
            assert lines[0].startswith(":")
            assert not any(line.startswith("data") for line in lines)


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
