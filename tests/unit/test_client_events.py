import json

import pytest
from scripted_api import PENDING, TRANSFER, Reply, World, answer, problem

from hfts_client import BadAnswerError, ConnectionFailedError, PermissionDeniedError
from hfts_client.effects import Event
from hfts_client.operations.events import events

LOST = ConnectionFailedError("reset")
OPENED = answer(200, b"", content_type="text/event-stream; charset=utf-8")
HELLO = Event("a", "message", "", 2.0)


def told(event_id: str) -> Event:
    return Event(event_id, "transfer.completed", json.dumps(TRANSFER), None)


def take(world: World, count: int, after: str | None = None) -> list[str]:
    found = world.items(events(world.api(), after=after))
    return [next(found).event_id for _ in range(count)]


def shown(world: World) -> list[str | None]:
    return [request.headers.get("Last-Event-ID") for request in world.requests]


def test_what_was_told_is_not_told_again() -> None:
    world = World(OPENED, OPENED, streams={1: [HELLO, told("b"), told("c"), LOST], 2: [told("d")]})
    assert take(world, 3) == ["b", "c", "d"]
    assert shown(world) == [None, "c"]
    assert world.sleeps == [2.125]


def test_an_id_alone_is_remembered() -> None:
    world = World(OPENED, OPENED, streams={1: [HELLO, Event("x", "message", "", None)], 2: [told("y")]})
    assert take(world, 1) == ["y"]
    assert shown(world) == [None, "x"]


def test_from_where_the_caller_was() -> None:
    world = World(OPENED, streams={1: [told("n")]})
    take(world, 1, after="m")
    assert shown(world) == ["m"]
    assert world.requests[0].headers["Accept"] == "text/event-stream"


def test_an_api_that_comes_back_is_followed_on() -> None:
    replies: list[Reply] = [OPENED, LOST, problem(503, "shutting_down"), problem(502, ""), OPENED]
    world = World(*replies, streams={1: [told("b")], 5: [told("c")]})
    assert take(world, 2) == ["b", "c"]
    assert shown(world) == [None, "b", "b", "b", "b"]


def test_one_that_stays_away_is_given_up() -> None:
    world = World(OPENED, *(LOST for _ in range(30)), streams={1: [told("b")]})
    found = world.items(events(world.api()))
    next(found)
    with pytest.raises(ConnectionFailedError):
        next(found)
    assert sum(world.sleeps) <= 60


def test_streams_that_end_at_once_are_not_opened_for_ever() -> None:
    world = World(*(OPENED for _ in range(30)))
    with pytest.raises(ConnectionFailedError, match="again and again"):
        take(world, 1)


def test_a_refusal_is_told() -> None:
    world = World(problem(403, "forbidden"))
    with pytest.raises(PermissionDeniedError):
        next(world.items(events(world.api(), all_wallets=True)))
    assert world.requests[0].target == "/v1/transfers/events?all=true"


@pytest.mark.parametrize("data", ["{", json.dumps(PENDING)])
def test_an_event_that_cannot_be_read(data: str) -> None:
    world = World(OPENED, streams={1: [Event("b", "transfer.completed", data, None)]})
    with pytest.raises(BadAnswerError):
        take(world, 1)
