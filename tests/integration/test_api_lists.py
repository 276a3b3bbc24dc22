"""Lists of transfers and of entries, over HTTP."""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from api_ledger import Ledger
from live_api import LiveApi
from memory_history import MOMENT

from sinks.directory import pages


@pytest.fixture
async def ledger(live_api: LiveApi) -> Ledger:
    return await Ledger.open(live_api)


async def test_one_lists_what_one_may_see(ledger: Ledger) -> None:
    stranger = str(uuid4())
    paid = ledger.pay(ledger.of_ada, ledger.of_bob, 1)
    failed = ledger.pay(ledger.of_ada, ledger.of_bob, 2, reason="insufficient_funds")
    got = ledger.pay(stranger, ledger.of_ada, 3)
    missed = ledger.pay(stranger, ledger.of_ada, 4, reason="insufficient_funds")
    await ledger.save()
    root = await ledger.api.person("root", "admin")
    by_time = [row.transfer_id for row in (missed, got, failed, paid)]
    assert await ledger.ids("", ledger.ada) == by_time[1:]
    assert await ledger.ids("", ledger.bob) == by_time[3:]
    assert await ledger.ids("", root) == by_time
    assert await ledger.ids(f"wallet_id={ledger.of_ada}", root) == by_time[1:]
    assert await ledger.ids("status=FAILED", ledger.ada) == [failed.transfer_id]
    assert await ledger.ids("status=COMPLETED", ledger.ada) == [got.transfer_id, paid.transfer_id]
    [seen] = (await ledger.api.get("/v1/transfers", ledger.bob)).json()["data"]
    assert seen == (await ledger.api.get(f"/v1/transfers/{paid.transfer_id}", ledger.bob)).json()
    assert (seen["source_balance"], seen["destination_version"]) == (None, 1), "of the other party no more than its id"
    nobody = await ledger.api.person("nobody")
    assert (await ledger.api.get("/v1/transfers", nobody)).json()["data"] == []


QUERIES = {
    "amount[gte]=3&amount[lte]=4.0000": [4, 3],
    "reference=rent%20of%20May": [2],
    "metadata[order]=4711": [5, 1],
    "metadata[order]=4711&metadata[kind]=gift": [5],
    "metadata[]=": [],
    "completed_at[gte]=2026-01-02T00:00:02Z&completed_at[lt]=2026-01-02T01:00:04%2B01:00": [3, 2],
    "requested_at[lt]=2026-01-02t00:00:02.5z": [2, 1],
    "completed_at[lt]=0001-01-01T00:00:00Z": [],
    "reference=nothing": [],
}


async def test_filters(ledger: Ledger) -> None:
    """For transfers of one's own, for those of everybody, and for entries of a wallet."""
    more: dict[int, dict[str, Any]] = {
        1: {"metadata": {"order": "4711"}},
        2: {"reference": "rent of May"},
        5: {"metadata": {"order": "4711", "kind": "gift"}},
    }
    rows = {
        number: ledger.pay(ledger.of_ada, ledger.of_bob, number, amount=f"{number}.0000", **more.get(number, {}))
        for number in range(1, 6)
    }
    await ledger.save()
    root = await ledger.api.person("root", "admin")
    for query, numbers in QUERIES.items():
        expected = [rows[number].transfer_id for number in numbers]
        assert await ledger.ids(query, ledger.ada) == expected, query
        assert await ledger.ids(query, root) == expected, query
        entries = (await ledger.api.get(f"/v1/wallets/{ledger.of_ada}/entries?{query}", ledger.ada)).json()
        seen = [(entry["transfer_id"], entry["version"]) for entry in entries["data"]]
        assert seen == list(zip(expected, numbers, strict=True)), query
        assert entries["has_more"] is False


async def test_pages_of_transfers_go_both_ways(ledger: Ledger) -> None:
    rows = [
        ledger.pay(ledger.of_ada, ledger.of_bob, n, reason="insufficient_funds" if n % 3 == 0 else None)
        for n in range(10)
    ]
    await ledger.save()
    listed: list[str] = []
    query, page = "limit=4", {"has_more": True}
    while page["has_more"]:
        page = (await ledger.api.get(f"/v1/transfers?{query}", ledger.ada)).json()
        listed += [transfer["transfer_id"] for transfer in page["data"]]
        query = f"limit=4&starting_after={page['next_cursor']}"
    assert listed == [row.transfer_id for row in reversed(rows)]
    above = (await ledger.api.get(f"/v1/transfers?limit=3&ending_before={page['previous_cursor']}", ledger.ada)).json()
    assert [transfer["transfer_id"] for transfer in above["data"]] == listed[5:8]
    assert above["has_more"] is True


async def test_a_page_that_passes_over_many_ends_early_and_goes_on(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "EXAMINED_MAX", 8)
    rows = [ledger.pay(ledger.of_ada, ledger.of_bob, n, amount=f"{n + 1}.0000") for n in range(20)]
    await ledger.save()
    for path in ("/v1/transfers", f"/v1/wallets/{ledger.of_ada}/entries"):
        pages_seen, found, cursor = 0, list[str](), ""
        while True:
            page = (await ledger.api.get(f"{path}?amount[lte]=2{cursor}", ledger.ada)).json()
            pages_seen, found = pages_seen + 1, [*found, *(one["transfer_id"] for one in page["data"])]
            if not page["has_more"]:
                break
            cursor = f"&starting_after={page['next_cursor']}"
        assert found == [rows[1].transfer_id, rows[0].transfer_id]
        assert pages_seen > 2


async def test_entries_go_both_ways(ledger: Ledger) -> None:
    for number in range(10):
        ledger.pay(ledger.of_ada, ledger.of_bob, number)
    await ledger.save()
    path = f"/v1/wallets/{ledger.of_bob}/entries"
    page = (await ledger.api.get(f"{path}?limit=3&starting_after=8", ledger.bob)).json()
    assert [entry["version"] for entry in page["data"]] == [7, 6, 5]
    assert (page["next_cursor"], page["previous_cursor"], page["has_more"]) == (5, 7, True)
    above = (await ledger.api.get(f"{path}?limit=2&ending_before=7", ledger.bob)).json()
    assert [entry["version"] for entry in above["data"]] == [9, 8]
    assert (above["next_cursor"], above["previous_cursor"], above["has_more"]) == (8, 9, True)
    newest = (await ledger.api.get(f"{path}?ending_before=9", ledger.bob)).json()
    assert [entry["version"] for entry in newest["data"]] == [10]
    assert newest["has_more"] is False
    assert (await ledger.api.get(f"{path}?ending_before=9&starting_after=3", ledger.bob)).status_code == 422


async def test_the_address_of_a_filter_may_be_encoded(ledger: Ledger) -> None:
    row = ledger.pay(ledger.of_ada, ledger.of_bob, 1, metadata={"order no.": "ä&b"})
    await ledger.save()
    query = f"{quote('metadata[order no.]')}={quote('ä&b')}"
    assert await ledger.ids(query, ledger.ada) == [row.transfer_id]
    assert await ledger.ids(f"{query}&completed_at[gte]={quote(MOMENT.isoformat())}", ledger.ada) == [row.transfer_id]
