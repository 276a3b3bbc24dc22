"""Logins over HTTP, on the real database."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
from api_calls import PASSWORD, ask_token, bearer
from live_api import LiveApi, app_client
from passlib.hash import bcrypt_sha256  # type: ignore[attr-defined] # passlib makes its schemes when first asked for
from pydantic import SecretStr

from schemas.settings import Settings

NEW_PASSWORD = "tea at half past four"


async def renew(client: httpx2.AsyncClient, refresh_token: str) -> Any:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return await client.post("/v1/auth/token", data=form)


@pytest.fixture
async def ada(connection: asyncpg.Connection) -> str:
    """The e-mail of an account whose password costs little to check."""
    hashed = bcrypt_sha256.using(rounds=5).hash(PASSWORD)
    await connection.execute("insert into users (email, password_hash) values ('ada@example.com', $1)", hashed)
    return "ada@example.com"


async def test_a_login_is_renewed_until_a_token_is_used_twice(
    live_api: LiveApi, ada: str, connection: asyncpg.Connection
) -> None:
    first = await ask_token(live_api.client, ada)
    await connection.execute("update users set role = 'admin'")
    second = await renew(live_api.client, first.json()["refresh_token"])
    assert second.status_code == 200
    user = (await live_api.client.get("/v1/me", headers=bearer(second))).json()
    assert (user["email"], user["role"]) == (ada, "admin")
    assert live_api.app.state.services.tokens.check(second.json()["access_token"]).role == "admin"
    for answer in (first, second):
        refused = await renew(live_api.client, answer.json()["refresh_token"])
        assert (refused.status_code, refused.json()["code"]) == (401, "invalid_refresh_token")


async def test_nothing_of_a_token_is_stored(live_api: LiveApi, ada: str, connection: asyncpg.Connection) -> None:
    token = (await ask_token(live_api.client, ada)).json()["refresh_token"]
    row = await connection.fetchval("select sessions::text from sessions")
    assert token not in row
    assert token.encode().hex() not in row


async def test_a_disabled_account_renews_nothing(live_api: LiveApi, ada: str, connection: asyncpg.Connection) -> None:
    token = (await ask_token(live_api.client, ada)).json()["refresh_token"]
    await connection.execute("update users set status = 'disabled'")
    assert (await renew(live_api.client, token)).status_code == 401


async def test_an_older_hash_is_replaced_at_login(live_api: LiveApi, ada: str, connection: asyncpg.Connection) -> None:
    tokens = [(await ask_token(live_api.client, ada)).json()["refresh_token"] for _ in range(2)]
    hashed = await connection.fetchval("select password_hash from users")
    assert ",r=12$" in hashed
    assert [(await renew(live_api.client, token)).status_code for token in tokens] == [200, 200]


async def test_another_password(live_api: LiveApi, ada: str) -> None:
    before = await ask_token(live_api.client, ada)

    async def change(current: str, new: str) -> Any:
        body = {"current_password": current, "new_password": new}
        return await live_api.client.put("/v1/me/password", json=body, headers=bearer(before))

    wrong = await change("not that one", NEW_PASSWORD)
    assert (wrong.status_code, wrong.json()["code"]) == (403, "invalid_credentials")
    weak = await change(PASSWORD, "ada@example.com1")
    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (422, "new_password")
    assert "e-mail" in weak.json()["errors"][0]["message"]
    changed = await change(PASSWORD, NEW_PASSWORD)
    assert (changed.status_code, changed.content) == (204, b"")
    assert (await renew(live_api.client, before.json()["refresh_token"])).status_code == 401
    assert (await ask_token(live_api.client, ada)).status_code == 401
    after = await ask_token(live_api.client, ada, NEW_PASSWORD)
    assert (await renew(live_api.client, after.json()["refresh_token"])).status_code == 200


async def test_logging_out_everywhere(live_api: LiveApi, ada: str) -> None:
    owner, bob, boss = (
        await ask_token(live_api.client, ada),
        await live_api.person("bob"),
        await live_api.person("x", "admin"),
    )
    user_id = (await live_api.client.get("/v1/me", headers=bearer(owner))).json()["user_id"]

    async def end(headers: dict[str, str], of: str = user_id) -> tuple[int, str]:
        answer = await live_api.client.delete(f"/v1/users/{of}/sessions", headers=headers)
        return answer.status_code, answer.json()["code"] if answer.content else ""

    assert await end(bob.headers) == (404, "user_not_found")
    assert await end(boss.headers, str(uuid4())) == (404, "user_not_found")
    tokens = [owner.json()["refresh_token"], (await ask_token(live_api.client, ada)).json()["refresh_token"]]
    renewed = (await renew(live_api.client, tokens[0])).json()["refresh_token"]
    assert await end(bearer(owner)) == (204, "")
    assert [(await renew(live_api.client, token)).status_code for token in (renewed, tokens[1])] == [401, 401]
    again = (await ask_token(live_api.client, ada)).json()["refresh_token"]
    assert await end(boss.headers) == (204, "")
    assert (await renew(live_api.client, again)).status_code == 401


@asynccontextmanager
async def clients(*settings: Settings) -> AsyncIterator[list[httpx2.AsyncClient]]:
    """A client of one API process each, as far as they share nothing in memory."""
    async with AsyncExitStack() as stack:
        opened = []
        for each in settings:
            _, client = await stack.enter_async_context(app_client(each))
            opened.append(client)
        yield opened


async def test_failures_count_for_all_processes_together(
    settings: Settings, ada: str, connection: asyncpg.Connection
) -> None:
    strict = settings.model_copy(update={"login_failures_max": 2})
    async with clients(strict, strict) as (one, other):
        assert [(await ask_token(client, ada, "wrong")).status_code for client in (one, other)] == [401, 401]
        for client in (one, other):
            answer = await ask_token(client, ada)
            assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
            assert 1 <= int(answer.headers["retry-after"]) <= 60
        await connection.execute("update attempts set due_at = due_at - interval '1 minute'")
        assert (await ask_token(one, ada)).status_code == 200
        assert [(await ask_token(other, ada, "wrong")).status_code for _ in range(3)] == [401, 401, 429]


async def test_the_secret_key_is_replaced_process_by_process(settings: Settings, ada: str) -> None:
    old = settings.secret_key.get_secret_value()
    update = {"secret_key": SecretStr("n" * 40), "secret_keys_previous": SecretStr(old)}
    async with clients(settings, settings.model_copy(update=update)) as (before, after):
        login = await ask_token(before, ada)
        assert (await after.get("/v1/me", headers=bearer(login))).status_code == 200
        renewed = await renew(after, login.json()["refresh_token"])
        assert (await after.get("/v1/me", headers=bearer(renewed))).status_code == 200
        assert (await before.get("/v1/me", headers=bearer(renewed))).status_code == 401
