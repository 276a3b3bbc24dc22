from typing import Any
from urllib.parse import parse_qs

import pytest
from scripted_api import World, answer, problem

from hfts_client import AuthenticationError, Client, ConnectionFailedError
from hfts_client.calling import call
from hfts_client.credentials import Bearer, Login
from hfts_client.effects import Answer, Request

GET = Request("GET", "/v1/me")


def granted(number: int, expires_in: int = 900) -> Answer:
    body = {
        "access_token": f"a{number}",
        "token_type": "bearer",
        "expires_in": expires_in,
        "refresh_token": f"r{number}",
    }
    return answer(200, body)


def ask(world: World, login: Login | Bearer) -> str:
    """The header of a request that gets through."""
    world.run(call(world.policy(total_s=5), login, GET))
    return world.requests[-1].headers["Authorization"]


def form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs((request.content or b"").decode()).items()}


def login_of(world: World) -> Login:
    return Login("ada@example.com", "pass&word=", world.policy(total_s=5))


def test_an_api_key_is_shown_as_it_is() -> None:
    world = World(answer(200), problem(401, "unauthenticated"))
    key = Bearer("key")
    assert ask(world, key) == "Bearer key"
    with pytest.raises(AuthenticationError):
        ask(world, key)


def test_one_login_for_many_requests() -> None:
    world = World(granted(1), answer(200), answer(200))
    login = login_of(world)
    assert ask(world, login) == "Bearer a1"
    assert ask(world, login) == "Bearer a1"
    assert form(world.requests[0]) == {
        "grant_type": "password",
        "username": "ada@example.com",
        "password": "pass&word=",
    }


def test_a_token_is_renewed_before_it_ends() -> None:
    world = World(granted(1), answer(200), granted(2), answer(200))
    login = login_of(world)
    ask(world, login)
    world.now_s += 841
    assert ask(world, login) == "Bearer a2"
    assert form(world.requests[2]) == {"grant_type": "refresh_token", "refresh_token": "r1"}


def test_a_short_token_is_renewed_in_its_second_half() -> None:
    world = World(granted(1, 10), answer(200), answer(200), granted(2, 10), answer(200))
    login = login_of(world)
    ask(world, login)
    world.now_s += 4
    assert ask(world, login) == "Bearer a1"
    world.now_s += 2
    assert ask(world, login) == "Bearer a2"


@pytest.mark.parametrize("reply", [ConnectionFailedError("reset"), problem(401, "invalid_refresh_token")])
def test_a_renewal_that_fails_is_a_login(reply: Answer | ConnectionFailedError) -> None:
    world = World(granted(1), answer(200), reply, granted(2), answer(200))
    login = login_of(world)
    ask(world, login)
    world.now_s += 900
    assert ask(world, login) == "Bearer a2"
    assert [form(request).get("grant_type") for request in world.requests[2:4]] == ["refresh_token", "password"]


def test_a_token_that_counts_no_more_is_replaced_once() -> None:
    refused = problem(401, "unauthenticated")
    world = World(granted(1), refused, granted(2), answer(200), refused, granted(3), refused)
    login = login_of(world)
    assert ask(world, login) == "Bearer a2"
    assert form(world.requests[2])["grant_type"] == "password"
    with pytest.raises(AuthenticationError):
        ask(world, login)
    assert world.is_played_out


def test_a_wrong_password_is_told_at_once() -> None:
    world = World(problem(401, "invalid_credentials"))
    with pytest.raises(AuthenticationError):
        ask(world, login_of(world))


def test_a_slow_login_is_waited_for() -> None:
    world = World(problem(429, "too_many_requests", retry_after="1"), granted(1), answer(200))
    assert ask(world, login_of(world)) == "Bearer a1"


def test_logging_out_shows_the_refresh_token_and_the_next_request_logs_in() -> None:
    world = World(granted(1), answer(200), answer(200), granted(2), answer(200))
    login = login_of(world)
    world.run(login.log_out())
    ask(world, login)
    world.run(login.log_out())
    assert form(world.requests[2]) == {"token": "r1"}
    assert ask(world, login) == "Bearer a2"


def test_no_secret_is_shown() -> None:
    world = World(granted(1), answer(200))
    login = login_of(world)
    ask(world, login)
    with Client("http://api/", email="ada@example.com", password="secret") as client:
        shown = repr((client, login, *world.requests, granted(1)))
    assert all(secret not in shown for secret in ("secret", "pass&word", "pass%26", "a1", "r1"))
    assert repr(client) == "Client('http://api')"


@pytest.mark.parametrize(
    "arguments",
    [
        {"base_url": "api.example.com"},
        {"base_url": "ftp://api"},
        {"base_url": "http://ada:secret@api"},
        {"base_url": "http://api?x=1"},
        {"base_url": "http://api", "email": "ada@example.com"},
        {"base_url": "http://api", "email": "ada@example.com", "password": "p", "token": "t"},
    ],
)
def test_what_does_not_belong_together(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"base_url|give"):
        Client(**arguments)
