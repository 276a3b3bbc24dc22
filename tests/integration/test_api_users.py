from api_calls import PASSWORD, log_in
from live_api import LiveApi


async def test_registering_and_logging_in(live_api: LiveApi) -> None:
    created = await live_api.post("/v1/users", {"email": "Ada@Example.COM", "password": PASSWORD})
    assert created.status_code == 201
    user = created.json()
    assert set(user) == {"user_id", "email", "status", "role", "created_at", "updated_at"}
    assert (user["email"], user["status"], user["role"]) == ("ada@example.com", "active", "user")
    headers = await log_in(live_api.client, "ADA@example.com")
    assert (await live_api.client.get("/v1/me", headers=headers)).json() == user


async def test_an_email_is_taken_in_whatever_case(live_api: LiveApi) -> None:
    ada = await live_api.person("ada")
    answer = await live_api.post("/v1/users", {"email": ada.email.upper(), "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")


async def test_the_stored_hash_is_bcrypt(live_api: LiveApi) -> None:
    ada = await live_api.registered("ada")
    hashed = await live_api.connection.fetchval("select password_hash from users where user_id = $1", ada.user_id)
    assert hashed.startswith("$bcrypt-sha256$")


async def test_wrong_password_unknown_and_disabled_accounts_look_the_same(live_api: LiveApi) -> None:
    ada, bob = await live_api.registered("ada"), await live_api.registered("bob")
    await live_api.connection.execute("update users set status = 'disabled' where user_id = $1", bob.user_id)
    answers = [
        await live_api.client.post(
            "/v1/auth/token", data={"username": email, "password": password}, headers={"X-Request-Id": "same"}
        )
        for email, password in ((ada.email, "wrong one"), ("nobody@example.com", PASSWORD), (bob.email, PASSWORD))
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert answers[0].content == answers[1].content == answers[2].content
    assert answers[0].headers == answers[1].headers == answers[2].headers
    answer = await live_api.get("/v1/me", bob)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
