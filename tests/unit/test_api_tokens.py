import time
from typing import Any
from uuid import uuid4

import jwt
import pytest

from ingest_api.tokens import AUDIENCE, ISSUER, AccessTokens, Caller, TokenError
from sinks.directory.users import LoginRow
from tests.unit.conftest import SECRET_KEY, Api

USER = str(uuid4())


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


def forge(secret_key: str = SECRET_KEY, algorithm: str = "HS256", **changes: Any) -> str:
    claims = {"sub": USER, "role": "user", "iat": 1, "exp": 2**33, "iss": ISSUER, "aud": AUDIENCE} | changes
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None},
        None if algorithm == "none" else secret_key,  # type: ignore[arg-type] # "none" has no key
        algorithm,
    )


def test_a_token_says_who_it_was_issued_to() -> None:
    tokens = AccessTokens(SECRET_KEY, 60)
    assert tokens.check(tokens.issue(USER, "user")) == Caller(USER, is_admin=False)
    assert tokens.check(tokens.issue(USER, "admin")) == Caller(USER, is_admin=True)
    assert tokens.check(forge()) == Caller(USER, is_admin=False)


def test_a_token_expires_also_when_it_is_remembered() -> None:
    clock = Clock()
    tokens = AccessTokens(SECRET_KEY, 60, clock)
    token = tokens.issue(USER, "user")
    clock.now_s += 59
    tokens.check(token)
    clock.now_s += 1
    with pytest.raises(TokenError):
        tokens.check(token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "é.b.c",
        "x" * 5000,
        forge(secret_key="another secret, which is as long as it must be"),
        forge(algorithm="HS512"),
        forge(algorithm="none"),
        forge(exp=int(time.time()) - 1),
        forge(exp=None),
        forge(sub=None),
        forge(sub="me"),
        forge(sub=7),
        forge(role=None),
        forge(role="root"),
        forge(role=["admin"]),
        forge(iss="another"),
        forge(aud="another"),
        forge(aud=None),
        forge()[:-3],
    ],
)
def test_tokens_that_are_no_good(token: str) -> None:
    with pytest.raises(TokenError):
        AccessTokens(SECRET_KEY, 60).check(token)


@pytest.mark.parametrize(
    "path", ["/v1/me", "/v1/wallets", f"/v1/wallets/{USER}", f"/v1/wallets/{USER}/entries", f"/v1/transfers/{USER}"]
)
@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "Bearer", "Bearer ", "Bearer x", "bearer a.b.c"])
async def test_without_a_good_token(api: Api, path: str, header: str | None) -> None:
    answer = await api.client.get(path, headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/v1/wallets", "/v1/transfers", "/v1/deposits"])
async def test_nothing_can_be_sent_without_a_token(api: Api, path: str) -> None:
    answer = await api.client.post(path, json={})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def login(api: Api, status: str = "active") -> None:
    api.passwords.checked.clear()
    api.users.logins["a@example.com"] = LoginRow(user_id=USER, password_hash="good one", status=status, role="user")


async def test_logging_in(api: Api) -> None:
    login(api)
    answer = await api.client.post("/v1/auth/token", data={"username": "A@Example.com", "password": "good one"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("bearer", 900)
    assert api.tokens.check(answer.json()["access_token"]) == Caller(USER, is_admin=False)


@pytest.mark.parametrize(
    ("username", "password", "status"),
    [
        ("a@example.com", "wrong", "active"),
        ("b@example.com", "good one", "active"),
        ("a@example.com", "good one", "disabled"),
        ("nobody", "good one", "active"),
        ("a\x00@example.com", "good one", "active"),
        ("a@example.com", "good one" * 20, "active"),
    ],
)
async def test_failing_to_log_in_tells_nothing(api: Api, username: str, password: str, status: str) -> None:
    login(api, status)
    answer = await api.client.post("/v1/auth/token", data={"username": username, "password": password})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert len(api.passwords.checked) == 1  # whatever is wrong, one hash is made: the time tells nothing either


async def test_a_form_with_parts_missing(api: Api) -> None:
    answer = await api.client.post("/v1/auth/token", data={"username": "a@example.com"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "password")
    answer = await api.client.post("/v1/auth/token", json={"username": "a", "password": "b"})
    assert answer.status_code == 422
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await api.client.post("/v1/auth/token", content=b"nonsense", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")
