"""Accounts, API keys and forgotten passwords over HTTP, on the real database."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from api_calls import PASSWORD, ask_token, bearer
from live_api import LiveApi, Person, app_client
from passlib.hash import bcrypt_sha256  # type: ignore[attr-defined] # passlib makes its schemes when first asked for
from structlog.testing import capture_logs

from schemas.settings import Settings
from sinks.directory import api_keys

NEW_PASSWORD = "tea at half past four"
REVOKED_WITHIN_S = 20.0
"""What a slow machine may take; it is 2 s and the reading."""


@pytest.fixture
async def ada(live_api: LiveApi) -> Person:
    """An account whose password costs little to check."""
    person = await live_api.person("ada")
    hashed = bcrypt_sha256.using(rounds=5).hash(PASSWORD)
    await live_api.connection.execute("update users set password_hash = $2 where user_id = $1", person.user_id, hashed)
    return person


@pytest.fixture
async def root(live_api: LiveApi) -> Person:
    return await live_api.person("root", "admin")


async def producer(live_api: LiveApi, root: Person) -> str:
    made = await live_api.post("/v1/service-accounts", {"email": "billing@example.com"}, root)
    assert (made.status_code, made.json()["role"]) == (201, "producer")
    return str(made.json()["user_id"])


async def make_key(live_api: LiveApi, root: Person, user_id: str, *scopes: str, **more: Any) -> Any:
    body = {"name": "billing, 2026", "scopes": list(scopes), **more}
    return await live_api.post(f"/v1/users/{user_id}/api-keys", body, root)


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def stands(answer: Any) -> int:
    return int((await answer()).status_code)


async def until_refused(*requests: Any) -> None:
    """Ask until all of them are answered 401. Raises TimeoutError."""
    async with asyncio.timeout(REVOKED_WITHIN_S):
        while {await stands(request) for request in requests} != {401}:  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.05)


async def test_a_program_submits_with_its_key(live_api: LiveApi, root: Person) -> None:
    user_id = await producer(live_api, root)
    made = await make_key(live_api, root, user_id, "wallets:write", "transfers:write", "transfers:write")
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    key = made.json()
    assert key["scopes"] == ["transfers:write", "wallets:write"]
    assert key["key"].startswith("hfts_key_")
    program = Person(user_id, "", {"Authorization": f"Bearer {key['key']}"})
    assert (await live_api.get("/v1/me", program)).json()["user_id"] == user_id
    wallet = await live_api.wallet(program)
    order = {"source_wallet_id": wallet, "destination_wallet_id": str(uuid4()), "amount": "1", "currency": "USD"}
    assert (await live_api.post("/v1/transfers", order, program)).status_code == 202
    assert (await live_api.get(f"/v1/wallets/{wallet}", program)).json()["detail"].endswith("scope wallets:read.")
    listed = (await live_api.get(f"/v1/users/{user_id}/api-keys", root)).json()["data"]
    assert [{**each, "last_used_at": None} for each in listed] == [
        {name: value for name, value in key.items() if name != "key"}
    ]
    assert listed[0]["last_used_at"] is not None
    row = await live_api.connection.fetchval("select api_keys::text from api_keys")
    assert key["key"] not in row
    assert key["key"].encode().hex() not in row


async def test_who_gets_a_key(live_api: LiveApi, root: Person, ada: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "KEYS_MAX", 2)
    user_id = await producer(live_api, root)
    assert code_of(await make_key(live_api, root, ada.user_id, "wallets:read")) == (409, "wrong_role")
    assert code_of(await make_key(live_api, root, str(uuid4()), "wallets:read")) == (404, "user_not_found")
    for scopes, more in ((["everything"], {}), ([], {}), (["wallets:read"], {"expires_in_days": 0})):
        answer = await make_key(live_api, root, user_id, *scopes, **more)
        assert code_of(answer) == (422, "invalid_request")
    later = await make_key(live_api, root, user_id, "wallets:read", expires_in_days=30)
    made, expires = (datetime.fromisoformat(later.json()[name]) for name in ("created_at", "expires_at"))
    assert expires - made == timedelta(days=30)
    racing = [make_key(live_api, root, user_id, "wallets:read") for _ in range(3)]
    answers = await asyncio.gather(*racing)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "too_many_keys"}
    path = f"/v1/users/{user_id}/api-keys/{later.json()['key_id']}"
    for _ in range(2):
        assert (await live_api.client.delete(path, headers=root.headers)).status_code == 204
    foreign = path.replace(user_id, ada.user_id)
    assert code_of(await live_api.client.delete(foreign, headers=root.headers)) == (404, "key_not_found")
    assert (await make_key(live_api, root, user_id, "wallets:read")).status_code == 201


async def test_a_producer_has_no_password(live_api: LiveApi, root: Person) -> None:
    user_id = await producer(live_api, root)
    again = await live_api.post("/v1/service-accounts", {"email": "Billing@example.com"}, root)
    assert code_of(again) == (409, "email_taken")
    for password in ("none", "no hash"):
        assert (await ask_token(live_api.client, "billing@example.com", password)).status_code == 401
    assert (await live_api.post("/v1/password-resets", {"email": "billing@example.com"})).status_code == 204
    assert (await live_api.get("/v1/password-resets", root)).json() == {"data": []}
    token = await live_api.post(f"/v1/users/{user_id}/password-resets", None, root)
    assert code_of(token) == (409, "wrong_role")
    role = await live_api.client.put(f"/v1/users/{user_id}/role", json={"role": "admin"}, headers=root.headers)
    assert code_of(role) == (409, "wrong_role")


async def test_what_is_revoked_ends_in_every_process_within_seconds(
    live_api: LiveApi, settings: Settings, root: Person, ada: Person
) -> None:
    """What is done by one process is heard of by the other."""
    user_id = await producer(live_api, root)
    keys = [(await make_key(live_api, root, user_id, "wallets:read")).json() for _ in range(3)]
    logins = [await ask_token(live_api.client, ada.email) for _ in range(3)]
    boss = await live_api.person("boss", "admin")
    async with app_client(settings) as (_, other):

        def request(headers: dict[str, str], path: str = "/v1/wallets") -> Any:
            return lambda: other.get(path, headers=headers)

        with_keys = [request({"Authorization": f"Bearer {key['key']}"}) for key in keys]
        with_logins = [request(bearer(login)) for login in logins]
        as_admin = request(boss.headers, "/v1/users")
        assert {await stands(each) for each in (*with_keys, *with_logins, as_admin)} == {200}

        with capture_logs() as lines:
            path = f"/v1/users/{user_id}/api-keys/{keys[0]['key_id']}"
            assert (await live_api.client.delete(path, headers=root.headers)).status_code == 204
            for token in (keys[1]["key"], logins[0].json()["refresh_token"], logins[1].json()["access_token"]):
                answer = await live_api.client.post("/v1/auth/revoke", data={"token": token})
                assert answer.status_code == 200
            demoted = await live_api.client.put(
                f"/v1/users/{boss.user_id}/role", json={"role": "analyst"}, headers=root.headers
            )
            assert demoted.json()["role"] == "analyst"
        await until_refused(*with_keys[:2], *with_logins[:2], as_admin)
        assert [await stands(each) for each in (with_keys[2], with_logins[2])] == [200, 200], "the others go on"
        assert [line["event"] for line in lines] == ["api_key.revoked", "api_key.surrendered", "account.role_changed"]
        assert lines[2]["by"] == root.user_id

        for account in (user_id, ada.user_id):
            assert (await live_api.post(f"/v1/users/{account}/deactivate", None, root)).json()["status"] == "disabled"
        await until_refused(with_keys[2], with_logins[2])
        for account in (user_id, ada.user_id):
            again = await live_api.post(f"/v1/users/{account}/reactivate", None, root)
            assert again.json()["status"] == "active"
        assert [await stands(each) for each in (with_keys[2], with_logins[2])] == [401, 401], "for good"
        assert await stands(request(bearer(await ask_token(live_api.client, ada.email)))) == 200


async def test_one_closes_ones_own_account(live_api: LiveApi, ada: Person, root: Person) -> None:
    wallet = await live_api.wallet(ada)
    login = await ask_token(live_api.client, ada.email)

    async def deactivate(password: str) -> Any:
        body = {"current_password": password}
        return await live_api.client.post("/v1/me/deactivate", json=body, headers=bearer(login))

    assert code_of(await deactivate("not that one")) == (403, "invalid_credentials")
    assert (await deactivate(PASSWORD)).status_code == 204
    assert (await ask_token(live_api.client, ada.email)).status_code == 401
    form = {"grant_type": "refresh_token", "refresh_token": login.json()["refresh_token"]}
    assert (await live_api.client.post("/v1/auth/token", data=form)).status_code == 401
    assert (await deactivate(PASSWORD)).status_code == 401
    found = (await live_api.get(f"/v1/wallets/{wallet}", root)).json()
    assert found["status"] == "active", "what is sent to it arrives"


async def test_an_admin_is_always_left(live_api: LiveApi, root: Person) -> None:
    """Also where two go at the same moment."""
    other = await live_api.person("other-root", "admin")
    racing = [live_api.post(f"/v1/users/{each.user_id}/deactivate", None, root) for each in (root, other)]
    answers = sorted(await asyncio.gather(*racing), key=lambda answer: int(answer.status_code))
    assert answers[0].status_code == 200
    assert code_of(answers[1]) == (409, "last_admin")
    last = await live_api.connection.fetchval("select user_id::text from users where status = 'active'")
    admin = next(each for each in (root, other) if each.user_id == last)
    body = {"role": "user"}
    demotion = await live_api.client.put(f"/v1/users/{last}/role", json=body, headers=admin.headers)
    assert code_of(demotion) == (409, "last_admin")


async def test_pages_of_accounts(live_api: LiveApi, root: Person) -> None:
    people = [root, *[await live_api.person(name) for name in ("ada", "bob", "cid", "dot")]]
    found: list[str] = []
    query = ""
    while True:
        page = (await live_api.get(f"/v1/users?limit=2{query}", root)).json()
        found += [user["user_id"] for user in page["data"]]
        if not page["has_more"]:
            break
        query = f"&starting_after={found[-1]}"
    assert found == sorted(person.user_id for person in people)
    [bob] = (await live_api.get("/v1/users?email=BOB@example.com", root)).json()["data"]
    assert bob["user_id"] == people[2].user_id
    assert (await live_api.get(f"/v1/users/{bob['user_id']}", root)).json() == bob
    [admin] = (await live_api.get("/v1/users?role=admin", root)).json()["data"]
    assert admin["user_id"] == root.user_id
    assert code_of(await live_api.get(f"/v1/users/{uuid4()}", root)) == (404, "user_not_found")
    for action in ("deactivate", "reactivate", "password-resets"):
        answer = await live_api.post(f"/v1/users/{uuid4()}/{action}", None, root)
        assert code_of(answer) == (404, "user_not_found")


async def test_a_forgotten_password(live_api: LiveApi, ada: Person, root: Person) -> None:
    login = await ask_token(live_api.client, ada.email)
    answers = [
        await live_api.client.post("/v1/password-resets", json={"email": email}, headers={"X-Request-Id": "same"})
        for email in ("ADA@example.com", "nobody@example.com", ada.email)
    ]
    assert {(answer.status_code, answer.content, str(answer.headers)) for answer in answers} == {
        (204, b"", str(answers[0].headers))
    }
    [waiting] = (await live_api.get("/v1/password-resets", root)).json()["data"]
    assert (waiting["user_id"], waiting["email"]) == (ada.user_id, ada.email)
    tokens = [await live_api.post(f"/v1/users/{ada.user_id}/password-resets", None, root) for _ in range(2)]
    assert {(answer.status_code, answer.headers["cache-control"]) for answer in tokens} == {(201, "no-store")}
    old, token = [answer.json()["reset_token"] for answer in tokens]
    assert (await live_api.get("/v1/password-resets", root)).json() == {"data": []}
    assert (await live_api.post("/v1/password-resets", {"email": ada.email})).status_code == 204, (
        "leaves the token good"
    )
    row = await live_api.connection.fetchval("select password_resets::text from password_resets")
    assert token not in row

    async def redeem(text: str, password: str = NEW_PASSWORD) -> Any:
        body = {"reset_token": text, "new_password": password}
        return await live_api.client.post("/v1/password-resets/redeem", json=body)

    for wrong in (old, "none", token[:-1]):
        assert code_of(await redeem(wrong)) == (403, "invalid_reset_token")
    weak = await redeem(token, "ada@example.com1")
    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (422, "new_password")
    statuses = [answer.status_code for answer in await asyncio.gather(redeem(token), redeem(token))]
    assert sorted(statuses) == [204, 403], "good once"
    assert (await ask_token(live_api.client, ada.email)).status_code == 401
    assert (await ask_token(live_api.client, ada.email, NEW_PASSWORD)).status_code == 200
    form = {"grant_type": "refresh_token", "refresh_token": login.json()["refresh_token"]}
    assert (await live_api.client.post("/v1/auth/token", data=form)).status_code == 401


async def test_a_reset_token_expires(live_api: LiveApi, ada: Person, root: Person) -> None:
    path = f"/v1/users/{ada.user_id}/password-resets"
    token = (await live_api.post(path, None, root)).json()["reset_token"]
    await live_api.connection.execute("update password_resets set expires_at = now()")
    body = {"reset_token": token, "new_password": NEW_PASSWORD}
    assert code_of(await live_api.post("/v1/password-resets/redeem", body)) == (403, "invalid_reset_token")
    assert (await live_api.post("/v1/password-resets", {"email": ada.email})).status_code == 204
    assert len((await live_api.get("/v1/password-resets", root)).json()["data"]) == 1, "one may ask again"


async def test_who_remembers_the_password_ends_the_reset(live_api: LiveApi, ada: Person, root: Person) -> None:
    path = f"/v1/users/{ada.user_id}/password-resets"
    token = (await live_api.post(path, None, root)).json()["reset_token"]
    change = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert (await live_api.client.put("/v1/me/password", json=change, headers=ada.headers)).status_code == 204
    body = {"reset_token": token, "new_password": "yet another passphrase"}
    assert code_of(await live_api.post("/v1/password-resets/redeem", body)) == (403, "invalid_reset_token")


async def test_an_address_asks_for_so_many_resets_a_minute(settings: Settings) -> None:
    strict = settings.model_copy(update={"address_attempts_per_minute": 2})
    async with app_client(strict) as (_, client):
        body: Any = {"email": "nobody@example.com"}
        answers = [await client.post("/v1/password-resets", json=body) for _ in range(2)]
        body = {"reset_token": "none", "new_password": NEW_PASSWORD}
        answers.append(await client.post("/v1/password-resets/redeem", json=body))
        assert [answer.status_code for answer in answers] == [204, 204, 429]
        assert int(answers[2].headers["retry-after"]) >= 1


async def test_old_revocations_are_swept_up(live_api: LiveApi, ada: Person, connection: asyncpg.Connection) -> None:
    await connection.execute("insert into revocations values (gen_random_uuid(), 1, now() - interval '3 days')")
    for _ in range(2):
        await connection.execute("update users set session_epoch = session_epoch + 1 where user_id = $1", ada.user_id)
    await connection.execute("update users set updated_at = now()")
    rows = await connection.fetch("select subject::text, epoch_min from revocations")
    assert [tuple(row) for row in rows] == [(ada.user_id, 2)]
    assert live_api.people
