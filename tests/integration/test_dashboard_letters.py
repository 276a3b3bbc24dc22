"""Dead letters through the dashboard's routes: the same as `hfts dlq`, under the caller's name."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import orjson
import pytest
from builders import new_id
from dead_letters import letter_record, states, write_letters, write_numbered_letters
from live_api import LiveApi, Person, app_client
from plain_topics import records_of

from ops.dashboard.extension import dashboard
from ops.dlq.address import Address
from ops.dlq.exclusive import exclusive
from ops.dlq.listing import ANY_STATE
from ops.dlq.page import page_of_letters
from ops.dlq.selection import Selection
from schemas.settings import Settings
from schemas.topics import TRANSFERS_REQUESTED


@pytest.fixture
async def api(settings: Settings, connection: asyncpg.Connection) -> AsyncIterator[LiveApi]:
    async with app_client(settings, dashboard()) as (app, client):
        yield LiveApi(app, client, connection, settings)


async def listed(api: LiveApi, person: Person, query: str = "") -> Any:
    answer = await api.get(f"/ops/dead-letters{query}", person)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_letters_are_listed_page_by_page(settings: Settings, api: LiveApi) -> None:
    await write_numbered_letters(settings, 3)
    ops = await api.person("ops", "ops")
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await listed(api, ops, f"?limit=4{f'&starting_after={after}' if after else ''}")
        found += [letter["address"] for letter in page["data"]]
        after = page["go_on_after"]
    assert found == [f"{partition}:{offset}" for partition in range(3) for offset in range(3)]
    assert [letter["address"] for letter in (await listed(api, ops, "?partition=1"))["data"]] == ["1:0", "1:1", "1:2"]
    assert (await listed(api, ops, "?cause=wrong_key"))["data"] == []
    assert len((await listed(api, ops, "?within=1h&cause=undecodable"))["data"]) == 9
    assert (await listed(api, ops, "?state=discarded"))["data"] == []


async def test_a_letter_is_found_by_its_transfer(settings: Settings, api: LiveApi) -> None:
    transfer_id = new_id()
    value = orjson.dumps({"transfer_id": transfer_id})
    await write_letters(settings, *((1, letter_record(settings, n, partition=1)) for n in range(5)))
    await write_letters(settings, (1, letter_record(settings, 9, partition=1, value=value, headers=[("trace", b"1")])))
    ops = await api.person("ops", "ops")
    [letter] = (await listed(api, ops, f"?state=all&transfer_id={transfer_id.upper()}"))["data"]
    assert (letter["address"], letter["source_offset"]) == ("1:5", "9")
    read = (await api.get("/ops/dead-letters/1:5", ops)).json()
    assert (read["value"]["text"], read["headers"][0]["name"]) == (value.decode(), "trace")
    missing = await api.get("/ops/dead-letters/1:6", ops)
    assert (missing.status_code, missing.json()["code"]) == (404, "letter_not_found")


async def test_a_page_costs_no_more_than_it_may(settings: Settings) -> None:
    await write_numbered_letters(settings, 4)
    nothing = Selection(causes=frozenset({"wrong_key"}))
    page = await page_of_letters(settings, nothing, ANY_STATE, count_max=5, scanned_max=1)
    assert (page.found, page.go_on_after) == ([], Address(0, 3))
    page = await page_of_letters(settings, Selection(after=Address(2, 1)), ANY_STATE, count_max=5)
    assert [known.letter.address for known in page.found] == [Address(2, 2), Address(2, 3)]
    assert page.go_on_after is None


async def test_what_is_done_is_done_under_the_callers_name(
    settings: Settings, api: LiveApi, connection: asyncpg.Connection
) -> None:
    await write_numbered_letters(settings, 2, [0])
    ops = await api.person("eve", "ops")
    answer = await api.post("/ops/replays", {"addresses": ["0:0"]}, ops)
    assert (answer.status_code, answer.json()["replayed"]) == (200, 1)
    again = await api.post("/ops/replays", {"addresses": ["0:0"]}, ops)
    assert (again.json()["replayed"], again.json()["left"]) == (0, {"replayed": 1})
    assert len(await records_of(settings, TRANSFERS_REQUESTED)) == 1
    answer = await api.post("/ops/discards", {"addresses": ["0:1"], "reason": "sent again"}, ops)
    assert answer.json() == {"changed": 1, "left": {}}
    assert {row[0] for row in await connection.fetch("select actor from dead_letter_actions")} == {"eve@example.com"}
    [letter] = (await listed(api, ops, "?state=discarded"))["data"]
    assert (letter["actor"], letter["reason"]) == ("eve@example.com", "sent again")
    assert (await api.post("/ops/reopenings", {"addresses": ["0:1"]}, ops)).json()["changed"] == 1
    assert {str(state) for state in (await states(settings)).values()} == {"replayed", "open"}


async def test_while_somebody_else_is_at_work_one_is_told_so(settings: Settings, api: LiveApi) -> None:
    await write_numbered_letters(settings, 1, [0])
    async with exclusive(settings):
        answer = await api.post("/ops/replays", {"addresses": ["0:0"]}, await api.person("ops", "ops"))
    assert (answer.status_code, answer.json()["code"]) == (409, "letters_busy")


async def test_an_account_that_is_closed_acts_no_more(
    settings: Settings, api: LiveApi, connection: asyncpg.Connection
) -> None:
    await write_numbered_letters(settings, 1, [0])
    ops = await api.person("ops", "ops")
    await connection.execute("update users set status = 'disabled'")
    for path, more in (("replays", {}), ("discards", {"reason": "x"}), ("reopenings", {})):
        answer = await api.post(f"/ops/{path}", {"addresses": ["0:0"], **more}, ops)
        assert answer.status_code == 401, path
    assert await connection.fetchval("select count(*) from dead_letter_actions") == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("replays", {"addresses": []}),
        ("replays", {"addresses": ["1"]}),
        ("replays", {"addresses": ["1:2"] * 201}),
        ("replays", {"addresses": ["1:2"], "all": True}),
        ("discards", {"addresses": ["1:2"]}),
        ("discards", {"addresses": ["1:2"], "reason": " \n"}),
        ("discards", {"addresses": ["1:2"], "reason": "x" * 501}),
    ],
)
async def test_what_is_asked_for_must_be_clear(api: LiveApi, path: str, body: Any) -> None:
    answer = await api.post(f"/ops/{path}", body, await api.person("ops", "ops"))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
