import logging
from typing import Any
from uuid import uuid4

import pytest

from ingest_api.opaque_tokens import Prefix, new_token, read_token
from ingest_api.tokens import Caller
from schemas.access import RIGHTS
from sinks.directory.sessions import Renewed
from sinks.directory.users import LoginRow
from tests.unit.conftest import Api

P = Prefix.REFRESH_TOKEN
USER = str(uuid4())
GOOD, LONG = "good one", "correct horse battery"


def login(api: Api, status: str = "active") -> None:
    api.passwords.checked.clear()
    api.users.logins["a@example.com"] = LoginRow(user_id=USER, password_hash="good one", status=status, role="user")


async def ask(api: Api, **form: str) -> Any:
    return await api.client.post("/v1/auth/token", data=form, headers={"X-Request-Id": "same"})


async def log_in(api: Api, password: str = GOOD, username: str = "A@Example.com") -> Any:
    return await ask(api, username=username, password=password)


async def renew(api: Api, refresh_token: str) -> Any:
    return await ask(api, grant_type="refresh_token", refresh_token=refresh_token)


async def test_logging_in(api: Api) -> None:
    login(api)
    answer = await log_in(api)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("bearer", 900)
    assert api.tokens.check(answer.json()["access_token"]) == Caller(USER)
    assert set(answer.json()) == {"access_token", "token_type", "expires_in", "refresh_token"}


@pytest.mark.parametrize(
    ("username", "password", "status"),
    [
        ("a@example.com", "wrong", "active"),
        ("b@example.com", "good one", "active"),
        ("a@example.com", "good one", "disabled"),
        ("nobody", "good one", "active"),
        ("a\x00@example.com", "good one", "active"),
        ("a" * 1_000 + "@example.com", "good one", "active"),
        ("a@example.com", "good one" * 20, "active"),
    ],
)
async def test_failing_to_log_in_tells_nothing(api: Api, username: str, password: str, status: str) -> None:
    login(api)
    reference = await log_in(api, "wrong")
    login(api, status)
    answer = await log_in(api, password, username)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert (answer.content, answer.headers) == (reference.content, reference.headers)
    assert len(api.passwords.checked) == 1  # whatever is wrong, one hash is made: the time tells nothing either
    assert api.sessions.newest == {}


async def test_a_form_with_parts_missing(api: Api) -> None:
    answer = await api.client.post("/v1/auth/token", data={"username": "a@example.com"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "password")
    answer = await api.client.post("/v1/auth/token", json={"username": "a", "password": "b"})
    assert answer.status_code == 415
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await api.client.post("/v1/auth/token", content=b"nonsense", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")


async def test_renewing(api: Api) -> None:
    login(api)
    first = (await log_in(api)).json()
    api.sessions.renewed = Renewed(USER, "admin")  # made one meanwhile
    answer = await renew(api, first["refresh_token"])
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    second = answer.json()
    assert set(second) == set(first)
    assert second["refresh_token"] != first["refresh_token"]
    assert api.tokens.check(second["access_token"]) == Caller(USER, "admin", RIGHTS["admin"])
    assert len(api.passwords.checked) == 1


async def test_a_token_used_twice_ends_the_login(api: Api) -> None:
    login(api)
    first = (await log_in(api)).json()["refresh_token"]
    second = (await renew(api, first)).json()["refresh_token"]
    for token in (first, second, first):
        answer = await renew(api, token)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_refresh_token")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "text",
    [
        "x",
        P,
        P + "é" * 64,
        P + "=" * 64,
        P + "!" * 64,
        "A" * 64,
        P + "A" * 64,
        "p" * 10_000,
    ],
)
async def test_what_is_no_refresh_token(api: Api, text: str) -> None:
    answer = await renew(api, text)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_refresh_token")
    assert text not in answer.text
    assert (await api.client.post("/v1/auth/revoke", data={"token": text})).status_code == 200


async def test_an_access_token_renews_nothing(api: Api) -> None:
    assert (await renew(api, api.tokens.issue(USER, "user"))).status_code == 401


async def test_a_refresh_token_lets_nobody_in(api: Api) -> None:
    login(api)
    token = (await log_in(api)).json()["refresh_token"]
    answer = await api.client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("which", ["the newest", "a used one"])
async def test_logging_out(api: Api, which: str) -> None:
    login(api)
    first = (await log_in(api)).json()["refresh_token"]
    second = (await renew(api, first)).json()["refresh_token"]
    form = {"token": second if which == "the newest" else first, "token_type_hint": "whatever"}
    for _ in range(2):
        answer = await api.client.post("/v1/auth/revoke", data=form)
        assert (answer.status_code, answer.content) == (200, b"")
    assert (await renew(api, second)).status_code == 401


async def test_logging_out_without_a_token(api: Api) -> None:
    answer = await api.client.post("/v1/auth/revoke", data={})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "token")


@pytest.mark.parametrize("prefix", list(Prefix))
def test_opaque_tokens(prefix: Prefix) -> None:
    first = new_token(prefix)
    second = new_token(prefix, first.subject)
    assert first.subject == second.subject
    assert first.text != second.text
    assert [read_token(each, first.text) for each in Prefix] == [first if each is prefix else None for each in Prefix]
    assert len(first.token_hash) == 32
    assert first.text not in repr(first)


async def test_the_form_is_documented_as_two_grants(api: Api) -> None:
    document = (await api.client.get("/openapi.json")).json()
    grants = document["components"]["schemas"]["TokenForm"]["oneOf"]
    assert [grant["required"] for grant in grants] == [
        ["username", "password"],
        ["grant_type", "refresh_token"],
    ]


async def register(api: Api, email: str = "c@example.com", password: str = LONG) -> Any:
    return await api.client.post("/v1/users", json={"email": email, "password": password})


async def test_a_refused_password_is_told_why(api: Api) -> None:
    for password, cause in (
        ("password12345678", "commonly used"),
        ("c@example.com...", "e-mail"),
        ("a" * 20, "repeats"),
    ):
        answer = await register(api, password=password)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert answer.json()["errors"][0]["field"] == "password"
        assert cause in answer.json()["errors"][0]["message"]
        assert password not in answer.text


@pytest.mark.parametrize(("failures", "status"), [(2, 200), (3, 429)])
async def test_too_many_failures(api: Api, failures: int, status: int) -> None:
    login(api)
    for _ in range(failures):
        assert (await log_in(api, "wrong")).status_code == 401
    assert (await log_in(api)).status_code == status


async def test_whether_the_account_exists_makes_no_difference_to_the_throttle(api: Api) -> None:
    login(api)
    answers = {}
    for name in ("a@example.com", "b@example.com", "no address"):
        for _ in range(3):
            assert (await log_in(api, "wrong", name)).status_code == 401
        answers[name] = await log_in(api, "wrong", name)
    reference = answers["a@example.com"]
    assert (reference.status_code, reference.json()["code"]) == (429, "too_many_requests")
    assert reference.headers["retry-after"] == "60"
    for answer in answers.values():
        assert (answer.content, answer.headers) == (reference.content, reference.headers)
    assert len(api.passwords.checked) == 9


async def test_an_account_is_one_however_its_address_is_written(api: Api) -> None:
    login(api)
    for name in ("a@example.com", "A@EXAMPLE.com", "A@Example.Com"):
        await log_in(api, "wrong", name)
    assert (await log_in(api, username="a@example.COM")).status_code == 429


async def test_a_success_starts_afresh(api: Api) -> None:
    login(api)
    for _ in range(5):
        assert [(await log_in(api, "wrong")).status_code for _ in range(2)] == [401, 401]
        assert (await log_in(api)).status_code == 200


async def test_one_address_that_tries_many_accounts(api: Api) -> None:
    statuses = [(await log_in(api, "wrong", f"{n}@example.com")).status_code for n in range(21)]
    assert statuses == [401] * 20 + [429]


async def test_others_cannot_keep_an_account_from_where_it_has_logged_in(api: Api) -> None:
    login(api)
    assert (await log_in(api)).status_code == 200
    api.come_from("198.51.100.7")
    for _ in range(3):
        assert (await log_in(api, "wrong")).status_code == 401
    assert (await log_in(api)).status_code == 429
    api.come_from("127.0.0.1")
    assert [(await log_in(api, "wrong")).status_code for _ in range(2)] == [401, 401]
    assert (await log_in(api)).status_code == 200


async def test_too_many_registrations(api: Api) -> None:
    statuses = [(await register(api, f"{n}@example.com")).status_code for n in range(21)]
    assert statuses == [201] * 20 + [429]


async def test_neither_passwords_nor_tokens_are_logged(
    api: Api, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="ingest_api.envelope")
    login(api)
    first = (await log_in(api)).json()
    await log_in(api, "the wrong one")
    await renew(api, first["refresh_token"])
    await renew(api, first["refresh_token"])
    await api.client.post("/v1/auth/revoke", data={"token": first["refresh_token"]})
    await register(api, password="password12345678")
    seen = capsys.readouterr()
    logged = seen.out + seen.err
    assert "/v1/auth/revoke" in logged
    for secret in (first["refresh_token"], first["access_token"], "good one", "the wrong one", "password12345678"):
        assert secret not in logged
