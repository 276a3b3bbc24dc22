"""Streams of a caller's outcomes: when they end, and when there is none."""

import pytest
from event_scene import USER, Scene
from told_outcomes import failed, outcome

from ingest_api import event_feed
from ingest_api.event_ids import event_id
from ingest_api.problems import ProblemError
from sinks.errors import DatabaseAwayError


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


async def test_a_caller_may_have_a_few_streams(scene: Scene) -> None:
    async with scene.stream(), scene.stream():
        with pytest.raises(ProblemError) as refused:
            async with scene.stream():
                pass
    assert refused.value.status_code == 429
    assert scene.outcomes.streams.count == 0
