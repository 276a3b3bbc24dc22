"""What people set of notifications over HTTP, as who delivers reads it from the database."""

import base64
from decimal import Decimal
from typing import Any
from uuid import uuid4

from live_api import LiveApi

from sinks.channels import NO_CHANNELS, SEAL_PURPOSE, Channels, channels_of
from sinks.sealing import Seal

PREFERENCES = "/v1/notification-preferences"
URL = "https://example.com/hook"


async def test_what_is_set_is_what_is_read(live_api: LiveApi) -> None:
    ada, ben = await live_api.person("ada"), await live_api.person("ben")
    seal, nobody = Seal.of(live_api.settings, SEAL_PURPOSE), str(uuid4())

    async def read() -> Channels:
        found = await channels_of(live_api.connection, [ada.user_id, ben.user_id, nobody], seal)
        assert found[ben.user_id] == Channels(email=True, webhook=None, failures=True, minimums={})
        assert found[nobody] == NO_CHANNELS
        return found[ada.user_id]

    async def put(path: str, body: object) -> dict[str, Any]:
        answer = await live_api.client.put(path, json=body, headers=ada.headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def signing() -> list[str]:
        webhook = (await read()).webhook
        assert webhook is not None
        return [f"whsec_{base64.b64encode(secret).decode()}" for secret in webhook.secrets]

    for minimums in ({"EUR": "100", "JPY": "0.5"}, {"EUR": "12.5"}):
        body = {"email": False, "failures": False, "minimums": minimums}
        assert (await live_api.get(PREFERENCES, ada)).json() != (told := await put(PREFERENCES, body))
        assert (await live_api.get(PREFERENCES, ada)).json() == told
    assert await read() == Channels(email=False, webhook=None, failures=False, minimums={"EUR": Decimal("12.5")})

    first = (await put("/v1/webhook", {"url": URL}))["secret"]
    moved = await put("/v1/webhook", {"url": URL + "s"})
    assert (moved["url"], moved["secret"]) == (URL + "s", None)
    second = (await live_api.post("/v1/webhook/secret", None, ada)).json()
    assert await signing() == [second["secret"], first]
    shown = (await live_api.get("/v1/webhook", ada)).json()
    assert shown == {name: value for name, value in second.items() if name != "secret"}
    third = (await live_api.post("/v1/webhook/secret", None, ada)).json()
    assert await signing() == [third["secret"], second["secret"]]
    await live_api.connection.execute("update webhooks set previous_until = now()")
    assert await signing() == [third["secret"]]
    assert (await live_api.get("/v1/webhook", ada)).json()["previous_secret_until"] is None

    stored = await live_api.connection.fetchrow("select * from webhooks")
    assert stored is not None
    for text in (first, second["secret"], third["secret"]):
        assert base64.b64decode(text.removeprefix("whsec_")) not in stored["secret_sealed"]

    await put(PREFERENCES, {"webhook": False})
    assert await read() == Channels(email=True, webhook=None, failures=True, minimums={})
    await live_api.connection.execute("update users set status = 'disabled' where user_id = $1", ada.user_id)
    assert await read() == NO_CHANNELS
    await live_api.connection.execute("update users set status = 'active' where user_id = $1", ada.user_id)
    assert (await live_api.client.delete("/v1/webhook", headers=ada.headers)).status_code == 204
    assert (await live_api.get("/v1/webhook", ada)).status_code == 404
