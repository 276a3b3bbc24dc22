"""What people set of notifications over HTTP, as who delivers reads it from the database."""

import base64
from decimal import Decimal
from typing import Any
from uuid import uuid4

from live_api import LiveApi

from sinks.channels import NO_CHANNELS, SEAL_PURPOSE, Channels, channels_of
from sinks.resealing import reseal_webhooks
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


async def test_an_earlier_secret_key_is_given_up(live_api: LiveApi) -> None:
    people = [await live_api.person(name) for name in ("ada", "ben", "cid")]
    for person in people:
        await live_api.client.put("/v1/webhook", json={"url": URL}, headers=person.headers)
    for _ in range(2):
        await live_api.post("/v1/webhook/secret", None, people[0])
    await live_api.connection.execute(
        "update webhooks set previous_until = now() where user_id = $1", people[0].user_id
    )
    await live_api.post("/v1/webhook/secret", None, people[1])
    await live_api.connection.execute("update webhooks set secret_sealed = '' where user_id = $1", people[2].user_id)
    ids, old = [person.user_id for person in people], live_api.settings.secret_key.get_secret_value()
    both, new = Seal("another key " * 3, [old], purpose=SEAL_PURPOSE), Seal("another key " * 3, purpose=SEAL_PURPOSE)
    before = await channels_of(live_api.connection, ids, both)
    for renewed in (2, 0):
        found = await reseal_webhooks(live_api.connection, both, rows_max=2)
        assert (found.seen, found.renewed, found.broken) == (3, renewed, [people[2].user_id])
    after = await channels_of(live_api.connection, ids, new)
    assert after == before
    signing = [each.webhook and len(each.webhook.secrets) for each in after.values()]
    assert signing == [1, 2, None]


INSERT = """
insert into deliveries (transfer_id, recipient, channel, user_id, notification, created_at, status, last_error)
select gen_random_uuid(), 'receiver', channel, $1, '', now() - second * interval '1 s', 'failed', 'HTTP 410'
from unnest(array[0, 0, 0, 1, 2]) as second, unnest(array['email', 'webhook']) as channel
"""


async def test_the_log_in_pages(live_api: LiveApi) -> None:
    """Also between those that were noted at the same moment."""
    ada, ben = await live_api.person("ada"), await live_api.person("ben")
    for person in (ada, ben):
        await live_api.connection.execute(INSERT, person.user_id)
    found: list[dict[str, Any]] = []
    query = "limit=1"
    while query:
        page = (await live_api.get(f"/v1/deliveries?{query}", ada)).json()
        found += page["data"]
        query = f"limit=1&starting_after={page['next_cursor']}" if page["has_more"] else ""
    ids = await live_api.connection.fetchval(
        "select array_agg(transfer_id::text || channel order by created_at desc, transfer_id, channel) "
        "from deliveries where user_id = $1",
        ada.user_id,
    )
    assert [row["transfer_id"] + row["channel"] for row in found] == ids
    assert {(row["status"], row["last_error"], row["next_try_at"]) for row in found} == {("failed", "HTTP 410", None)}
