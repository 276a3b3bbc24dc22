import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from ledger_wallets import make_wallet
from live_api import LiveApi, Person

from sinks.directory import statements

INSERT_TRANSFER = """
insert into transfers (transfer_id, source_wallet_id, destination_wallet_id, amount, currency, status, source_balance,
    source_version, destination_balance, destination_version, requested_at, completed_at, reference,
    request_partition, request_offset)
select gen_random_uuid(), $1, $2, 1, 'USD', 'COMPLETED', 1000 - n, n, n, n, now(), now(), 'number ' || n, 0, n
from generate_series(1, $3::int) as n
"""

SET_VERSION = "update wallets set version = $2 where wallet_id = $1"


async def test_opening_a_wallet(live_api: LiveApi) -> None:
    ada = await live_api.person("ada")
    answer = await live_api.post("/v1/wallets", {"currency": "EUR"}, ada)
    wallet = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/wallets/{wallet['wallet_id']}"
    assert {name: wallet[name] for name in ("user_id", "kind", "currency", "balance", "version", "status")} == {
        "user_id": ada.user_id,
        "kind": "user",
        "currency": "EUR",
        "balance": "0.0000",
        "version": 0,
        "status": "active",
    }
    assert (await live_api.get(answer.headers["location"], ada)).json() == wallet
    again = await live_api.post("/v1/wallets", {"currency": "EUR"}, ada)
    assert (again.status_code, again.json()["code"]) == (409, "wallet_exists")
    worlds = await live_api.connection.fetch("select currency, user_id from wallets where kind = 'world'")
    assert [(row["currency"], row["user_id"]) for row in worlds] == [("EUR", None)]


async def test_one_lists_ones_own_wallets(live_api: LiveApi) -> None:
    ada, bob = await live_api.person("ada"), await live_api.person("bob")
    await live_api.wallet(bob)
    ids = [await live_api.wallet(ada, currency) for currency in ("USD", "EUR")]
    listed = (await live_api.get("/v1/wallets", ada)).json()["data"]
    assert [wallet["wallet_id"] for wallet in listed] == ids[::-1]


async def test_only_an_admin_opens_wallets_for_others(live_api: LiveApi) -> None:
    ada, root = await live_api.person("ada"), await live_api.person("root", "admin")
    body = {"currency": "USD", "user_id": ada.user_id}
    assert (await live_api.post("/v1/wallets", {**body, "user_id": root.user_id}, ada)).status_code == 403
    assert (await live_api.post("/v1/wallets", body, root)).json()["user_id"] == ada.user_id
    answer = await live_api.post("/v1/wallets", {**body, "user_id": str(uuid4())}, root)
    assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found")


@pytest.mark.parametrize("suffix", ["", "/entries"])
async def test_who_may_read_a_wallet(live_api: LiveApi, suffix: str) -> None:
    ada, bob = await live_api.person("ada"), await live_api.person("bob")
    root = await live_api.person("root", "admin")
    path = f"/v1/wallets/{await live_api.wallet(ada)}{suffix}"
    unknown = f"/v1/wallets/{uuid4()}{suffix}"
    assert (await live_api.get(path)).status_code == 401
    assert (await live_api.get(path, ada)).status_code == 200
    assert (await live_api.get(path, root)).status_code == 200
    for person, asked in ((bob, path), (bob, unknown), (root, unknown)):
        answer = await live_api.get(asked, person)
        assert (answer.status_code, answer.json()["code"]) == (404, "wallet_not_found")
    foreign, missing = (await live_api.get(path, bob)).json(), (await live_api.get(unknown, bob)).json()
    assert foreign | {"request_id": "", "instance": ""} == missing | {"request_id": "", "instance": ""}


async def test_a_world_wallet_is_for_admins_to_see(live_api: LiveApi) -> None:
    ada, root = await live_api.person("ada"), await live_api.person("root", "admin")
    await live_api.wallet(ada)
    world = await live_api.connection.fetchval("select wallet_id from wallets where kind = 'world'")
    assert (await live_api.get(f"/v1/wallets/{world}", ada)).status_code == 404
    assert (await live_api.get(f"/v1/wallets/{world}", root)).json()["kind"] == "world"


async def test_entries_come_in_pages_newest_first(live_api: LiveApi) -> None:
    ada = await live_api.person("ada")
    wallet, other = await live_api.wallet(ada), uuid4()
    await live_api.connection.execute(INSERT_TRANSFER, other, wallet, 5)
    await live_api.connection.execute(SET_VERSION, wallet, 5)
    pages: list[dict[str, Any]] = []
    query = "limit=2"
    while not pages or pages[-1]["has_more"]:
        pages.append((await live_api.get(f"/v1/wallets/{wallet}/entries?{query}", ada)).json())
        query = f"limit=2&starting_after={pages[-1]['data'][-1]['version']}"
    assert [[entry["version"] for entry in page["data"]] for page in pages] == [[5, 4], [3, 2], [1]]
    newest = pages[0]["data"][0]
    assert (newest["amount"], newest["balance"], newest["currency"]) == ("1.0000", "5.0000", "USD")
    assert (newest["counterparty_wallet_id"], newest["reference"]) == (str(other), "number 5")
    assert datetime.fromisoformat(newest["completed_at"]).tzinfo == UTC


async def test_both_directions_are_in_one_history(live_api: LiveApi) -> None:
    ada = await live_api.person("ada")
    wallet, other = await live_api.wallet(ada), uuid4()
    insert = """
    insert into transfers (transfer_id, source_wallet_id, destination_wallet_id, amount, currency, status,
        source_balance, source_version, destination_balance, destination_version, requested_at, completed_at,
        request_partition, request_offset)
    values (gen_random_uuid(), $1, $2, $3, 'USD', 'COMPLETED', $4, $5, $6, $7, now(), now(), 0, 0)
    """
    await live_api.connection.execute(insert, other, wallet, 10, 0, 1, 10, 1)
    await live_api.connection.execute(insert, wallet, other, 3, 7, 2, 3, 2)
    await live_api.connection.execute(insert, other, wallet, 1, 2, 3, 8, 3)
    await live_api.connection.execute(SET_VERSION, wallet, 3)
    page = (await live_api.get(f"/v1/wallets/{wallet}/entries", ada)).json()
    seen = [(entry["version"], entry["amount"], entry["balance"]) for entry in page["data"]]
    assert seen == [(3, "1.0000", "8.0000"), (2, "-3.0000", "7.0000"), (1, "10.0000", "10.0000")]
    assert page["has_more"] is False


async def test_a_page_reads_little_more_than_it_shows(connection: asyncpg.Connection, pool: asyncpg.Pool) -> None:
    wallet, other = await make_wallet(pool), uuid4()
    await connection.execute(INSERT_TRANSFER, wallet, other, 3000)
    await connection.execute(INSERT_TRANSFER.replace("1000 - n, n, n, n", "n, n, n, n + 3000"), other, wallet, 3000)
    await connection.execute(SET_VERSION, wallet, 6000)
    await connection.execute("analyze transfers")
    explained = await connection.fetchval(
        "explain (analyze, format json) " + statements.PAGE_OF_ENTRIES, wallet, 2**63 - 1, 26
    )
    nodes = list(_nodes(json.loads(explained)[0]["Plan"]))
    assert {node["Index Name"] for node in nodes if "Index Name" in node} == {"transfers_entries", "wallets_pkey"}
    [heap] = [node for node in nodes if node.get("Relation Name") == "transfers"]
    assert heap["Node Type"] == "Bitmap Heap Scan"
    assert heap["Actual Rows"] <= 26 + 2 * 64, "blocks of 64 versions"


@pytest.mark.parametrize("count", [1, 26, 63, 64, 65, 130])
async def test_pages_of_any_size_meet_without_gap_or_overlap(
    connection: asyncpg.Connection, pool: asyncpg.Pool, count: int
) -> None:
    wallet = await make_wallet(pool)
    await connection.execute(INSERT_TRANSFER, uuid4(), wallet, 200)
    await connection.execute(SET_VERSION, wallet, 200)
    versions: list[int] = []
    while not versions or versions[-1] > 1:
        before = versions[-1] if versions else 2**63 - 1
        page = await connection.fetch(statements.PAGE_OF_ENTRIES, wallet, before, count)
        versions += [row["version"] for row in page]
    assert versions == list(range(200, 0, -1))


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(found for child in plan.get("Plans", []) for found in _nodes(child))]


async def test_wallets_of_the_same_currency_at_once(live_api: LiveApi) -> None:
    """The world wallet is made once, whoever comes first."""
    people: list[Person] = [await live_api.person(name) for name in ("ada", "bob")]
    for person in people:
        await live_api.wallet(person, "CHF")
    assert await live_api.connection.fetchval("select count(*) from wallets where kind = 'world'") == 1
