import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scripted_api import DESTINATION, ID, LOCATION, SOURCE, World, answer, problem

from hfts_client import BadAnswerError, BatchResult, ConnectionFailedError, NewTransfer, UnavailableError
from hfts_client.effects import Answer, Request
from hfts_client.operations import batches

Judge = Callable[[int], dict[str, Any] | None]
ACCEPTED = {"transfer_id": str(ID), "status": "PENDING", "location": LOCATION}


def refused(status: int, code: str) -> dict[str, Any]:
    return {"type": "t", "title": "T", "status": status, "detail": "Do this.", "code": code, "request_id": "7"}


def transfers(count: int) -> Iterator[NewTransfer]:
    for number in range(count):
        yield NewTransfer(
            source_wallet_id=SOURCE,
            destination_wallet_id=DESTINATION,
            amount=1,
            currency="EUR",
            idempotency_key=f"k{number}",
        )


def lines_of(request: Request) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (request.content or b"").splitlines()]


def keys_of(request: Request) -> list[str]:
    return [line["idempotency_key"] for line in lines_of(request)]


def results(judge: Judge) -> Callable[[Request], Answer]:
    """An answer with what ``judge`` says of each line, if it says anything."""

    def reply(request: Request) -> Answer:
        assert (request.method, request.target) == ("POST", "/v1/transfers/batch")
        assert request.headers["Content-Type"] == "application/x-ndjson"
        found = [(number, judge(number)) for number, _ in enumerate(lines_of(request), 1)]
        told = [json.dumps({"line": number, **result}) for number, result in found if result is not None]
        return answer(200, "\n".join([*told, ""]).encode())

    return reply


accept = results(lambda _: ACCEPTED)


def submit(world: World, count: int) -> list[BatchResult]:
    return list(world.items(batches.batch(world.api(), transfers(count))))


def test_any_number_of_transfers_in_bounded_memory() -> None:
    world, taken = World(accept, accept, accept), 0

    def counted() -> Iterator[NewTransfer]:
        nonlocal taken
        for transfer in transfers(2_500):
            taken += 1
            yield transfer

    found = world.items(batches.batch(world.api(), counted()))
    assert next(found).index == 0
    assert taken == 1_000
    rest = list(found)
    assert [result.index for result in rest] == list(range(1, 2_500))
    assert all(result.accepted and result.accepted.location == LOCATION and not result.error for result in rest)
    assert [len(lines_of(request)) for request in world.requests] == [1_000, 1_000, 500]


def test_long_lines_make_short_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "CHUNK_BYTES_MAX", 500)
    world = World(*(accept for _ in range(7)))
    assert [result.index for result in submit(world, 7)] == list(range(7))
    assert all(len(request.content or b"") <= 500 for request in world.requests)
    assert [key for request in world.requests for key in keys_of(request)] == [f"k{number}" for number in range(7)]


def test_nothing_to_send() -> None:
    assert submit(World(), 0) == []


def test_a_refused_line_spoils_no_other() -> None:
    world = World(results(lambda number: refused(404, "wallet_not_found") if number == 2 else ACCEPTED))
    found = submit(world, 3)
    assert [result.error and result.error.code for result in found] == [None, "wallet_not_found", None]
    assert (found[1].transfer.idempotency_key, found[1].accepted) == ("k1", None)


def test_lines_that_were_not_accepted_for_now_are_sent_again_under_their_keys() -> None:
    first = results(lambda number: refused(503, "broker_unavailable") if number in (2, 4) else ACCEPTED)
    second = results(lambda number: refused(503, "broker_unavailable") if number == 1 else ACCEPTED)
    world = World(first, second, accept)
    assert [(result.index, result.error) for result in submit(world, 5)] == [(index, None) for index in range(5)]
    assert [keys_of(request) for request in world.requests] == [["k0", "k1", "k2", "k3", "k4"], ["k1", "k3"], ["k1"]]
    assert world.sleeps == [0.25, 0.5]


def test_so_are_lines_without_a_result() -> None:
    broken_off = results({1: ACCEPTED, 2: refused(408, "request_timeout")}.get)
    world = World(broken_off, ConnectionFailedError("reset"), problem(503, "overloaded", retry_after="3"), accept)
    assert all(result.accepted for result in submit(world, 4))
    assert [len(lines_of(request)) for request in world.requests] == [4, 3, 3, 3]
    assert world.sleeps == [0.25, 0.5, 3.5]


def test_a_refusal_that_stays_is_the_result() -> None:
    away = results(lambda number: refused(503, "broker_unavailable") if number == 1 else ACCEPTED)
    world = World(*(away for _ in range(30)))
    (only,) = submit(world, 1)
    assert isinstance(only.error, UnavailableError)
    assert sum(world.sleeps) <= 60


def test_what_is_known_is_told_before_the_api_is_given_up() -> None:
    first = results(lambda number: ACCEPTED if number != 2 else refused(503, "broker_unavailable"))
    world = World(first, *(ConnectionFailedError("reset") for _ in range(30)))
    found = world.items(batches.batch(world.api(), transfers(3)))
    assert [next(found).index, next(found).index] == [0, 2]
    with pytest.raises(ConnectionFailedError):
        next(found)
    silent = World(*(answer(200, b"") for _ in range(30)))
    with pytest.raises(UnavailableError, match="no result"):
        submit(silent, 1)


@pytest.mark.parametrize("content", [b"<html>", b'{"line":0,"transfer_id":"1"}', b'{"line":9}', b'{"line":1}'])
def test_an_answer_that_is_none(content: bytes) -> None:
    with pytest.raises(BadAnswerError):
        submit(World(answer(200, content)), 2)
