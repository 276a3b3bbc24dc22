"""Lists, balances, statements and what is pending, over HTTP."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from live_api import LiveApi, Person
from memory_history import MOMENT, MemoryHistory
from stored_history import SEED, SET_WALLET, store

from ingest_api import statement_answer
from ingest_api.statement_answer import StatementError
from schemas.topics import TRANSFERS_REQUESTED
from sinks.directory import pages
from sinks.directory.transfers import TransferRow
from sinks.kafka import pending


class Ledger:
    """Ada and Bob with a wallet each, and what they have paid each other and others."""

    def __init__(self, api: LiveApi, ada: Person, bob: Person, wallets: dict[str, str]) -> None:
        self.api = api
        self.ada, self.bob = ada, bob
        self.of_ada, self.of_bob = wallets["ada"], wallets["bob"]
        self.memory = MemoryHistory()

    def pay(self, source: str, destination: str, after_s: float, **changes: Any) -> TransferRow:
        return self.memory.add(source, destination, after_s=after_s, **changes)

    async def save(self) -> None:
        await store(self.api.connection, self.memory.rows)
        for wallet_id, version in self.memory.versions.items():
            await self.api.connection.execute(SET_WALLET, wallet_id, version, Decimal(0))

    async def ids(self, query: str, person: Person) -> list[str]:
        answer = await self.api.get(f"/v1/transfers?{query}", person)
        assert answer.status_code == 200, answer.text
        return [transfer["transfer_id"] for transfer in answer.json()["data"]]


@pytest.fixture
async def ledger(live_api: LiveApi) -> Ledger:
    ada, bob = await live_api.person("ada"), await live_api.person("bob")
    return Ledger(live_api, ada, bob, {"ada": await live_api.wallet(ada), "bob": await live_api.wallet(bob)})


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


BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


async def wealthy(api: LiveApi, person: Person, count: int) -> str:
    """A wallet that has got 1.0000 each second."""
    wallet = await api.wallet(person)
    await api.connection.execute(SEED, uuid4(), wallet, count)
    await api.connection.execute(SET_WALLET, wallet, count, Decimal(count))
    return wallet


def at(seconds: float) -> str:
    return (BEGIN + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


async def test_balances_of_any_moment_and_version(live_api: LiveApi) -> None:
    ada = await live_api.person("ada")
    wallet = await wealthy(live_api, ada, 300)
    path = f"/v1/wallets/{wallet}/balance"
    now = (await live_api.get(path, ada)).json()
    assert now == {
        "wallet_id": wallet,
        "currency": "USD",
        "balance": "300.0000",
        "version": 300,
        "at": None,
        "completed_at": None,
    }
    for query, version in (
        (f"at={at(0)}", 0),
        (f"at={at(1)}", 1),
        (f"at={at(1.5)}", 1),
        (f"at={at(255)}", 255),
        (f"at={at(10_000)}", 300),
        ("at=2999-01-01T00:00:00Z", 300),
        ("version=0", 0),
        ("version=17", 17),
        ("version=300", 300),
    ):
        found = (await live_api.get(f"{path}?{query}", ada)).json()
        assert (found["version"], found["balance"]) == (version, f"{version}.0000"), query
        made = None if version == 0 else (BEGIN + timedelta(seconds=version)).isoformat(timespec="microseconds")
        assert found["completed_at"] == (None if made is None else made.replace("+00:00", "Z"))
    beyond = await live_api.get(f"{path}?version=301", ada)
    assert (beyond.status_code, beyond.json()["code"]) == (404, "version_not_found")
    for wrong in (f"version=1&at={at(1)}", "version=-1", "at=yesterday", "when=now"):
        assert (await live_api.get(f"{path}?{wrong}", ada)).status_code == 422


async def test_a_statement_adds_up(live_api: LiveApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement_answer, "STRETCH", 70)
    ada = await live_api.person("ada")
    wallet = await wealthy(live_api, ada, 300)
    moments = ["", at(1), at(10), at(10), at(200.5), ""]
    closing = {"balance": "0.0000", "version": 0}
    for begin, end in pairwise(moments):
        query = "&".join(f"{name}={moment}" for name, moment in (("from", begin), ("to", end)) if moment)
        answer = await live_api.get(f"/v1/wallets/{wallet}/statement?{query}", ada)
        statement = answer.json()
        assert answer.headers["content-type"] == "application/json"
        assert statement["opening"] == closing, "each goes on where the one before has ended"
        amounts = [Decimal(entry["amount"]) for entry in statement["entries"]]
        closing = statement["closing"]
        assert Decimal(statement["opening"]["balance"]) + sum(amounts) == Decimal(closing["balance"])
        assert statement["opening"]["version"] + len(amounts) == closing["version"]
        made = [datetime.fromisoformat(entry["completed_at"]) for entry in statement["entries"]]
        assert all(datetime.fromisoformat(begin) <= moment for moment in made if begin)
        assert all(moment < datetime.fromisoformat(end) for moment in made if end)
    assert closing == {"balance": "300.0000", "version": 300}


async def test_a_statement_as_csv(ledger: Ledger) -> None:
    connection = ledger.api.connection
    ledger.pay(str(uuid4()), ledger.of_bob, 1, destination_balance="1.0000", reference='=HYPERLINK("x"), é')
    ledger.pay(ledger.of_bob, ledger.of_ada, 2, source_balance="0.0000", reference="a\nb")
    await ledger.save()
    wallet = ledger.of_bob
    for query, accept in (
        ("?format=csv", "application/json"),
        ("", "text/csv"),
        ("", "application/json;q=0.5, text/*"),
    ):
        answer = await ledger.api.client.get(
            f"/v1/wallets/{wallet}/statement{query}", headers={**ledger.bob.headers, "Accept": accept}
        )
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == f'attachment; filename="statement-{wallet}.csv"'
        lines = list(csv.DictReader(io.StringIO(answer.text, newline="")))
        assert [line["kind"] for line in lines] == ["opening", "entry", "entry", "closing"]
        assert [line["amount"] for line in lines] == ["", "1.0000", "-1.0000", ""]
        assert [line["balance"] for line in lines] == ["0.0000", "1.0000", "0.0000", "0.0000"]
        assert [line["reference"] for line in lines] == ["", '\'=HYPERLINK("x"), é', "a\nb", ""]
    refused = await ledger.api.client.get(
        f"/v1/wallets/{wallet}/statement", headers={**ledger.bob.headers, "Accept": "image/png"}
    )
    assert (refused.status_code, refused.json()["code"]) == (406, "not_acceptable")
    assert await connection.fetchval("select count(*) from transfers") == 2


async def test_a_statement_of_nothing_and_one_that_ends_before_it_begins(live_api: LiveApi) -> None:
    ada = await live_api.person("ada")
    path = f"/v1/wallets/{await live_api.wallet(ada)}/statement"
    statement = (await live_api.get(path, ada)).json()
    assert (statement["opening"], statement["entries"]) == (statement["closing"], [])
    assert (await live_api.get(f"{path}?from={at(2)}&to={at(1)}", ada)).status_code == 422


async def test_a_statement_that_would_not_add_up_is_broken_off(
    live_api: LiveApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement_answer, "STRETCH", 2)
    ada = await live_api.person("ada")
    wallet = await wealthy(live_api, ada, 3)
    await live_api.connection.execute(SET_WALLET, wallet, 5, Decimal(5))  # two entries are missing
    with pytest.raises(StatementError, match="entry 4 of wallet"):
        await live_api.get(f"/v1/wallets/{wallet}/statement", ada)


async def test_pending_requests_are_counted(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs: what is applied, the test says."""
    api, path = ledger.api, f"/v1/wallets/{ledger.of_ada}/pending"
    monkeypatch.setattr(pending, "ANSWER_S_MAX", 30.0)  # the first answer waits for a connection
    assert (await api.get(path, ledger.ada)).json()["pending"] == 0
    sent = []
    for _ in range(3):
        body = {"destination_wallet_id": str(uuid4()), "amount": "1", "currency": "USD"}
        for person, wallet in ((ledger.ada, ledger.of_ada), (ledger.bob, ledger.of_bob)):
            answer = await api.post("/v1/transfers", {**body, "source_wallet_id": wallet}, person)
            sent.append((wallet, answer.json()))
    own = [receipt for wallet, receipt in sent if wallet == ledger.of_ada]
    found = (await api.get(path, ledger.ada)).json()
    assert (found["pending"], found["is_all"], found["partition"]) == (3, True, own[0]["partition"])
    assert found["from_offset"] == 0
    assert found["to_offset"] > own[-1]["offset"]
    topic = api.settings.topic_name(TRANSFERS_REQUESTED)
    await api.connection.execute(
        "insert into stream_progress (topic, partition, next_offset) values ($1, $2, $3)",
        *(topic, own[0]["partition"], own[0]["offset"] + 1),
    )
    assert (await api.get(path, ledger.ada)).json()["pending"] == 2
    monkeypatch.setattr(pending, "POLL_RECORDS", 1)
    monkeypatch.setattr(pending, "RECORDS_MAX", 1)
    found = (await api.get(path, ledger.ada)).json()
    assert found["is_all"] is False
    assert found["pending"] <= 1
    monkeypatch.setattr(pending, "ANSWER_S_MAX", 0.0)
    answer = await api.get(path, ledger.ada)
    assert (answer.status_code, answer.json()["code"]) == (503, "broker_unavailable")


async def test_the_address_of_a_filter_may_be_encoded(ledger: Ledger) -> None:
    row = ledger.pay(ledger.of_ada, ledger.of_bob, 1, metadata={"order no.": "ä&b"})
    await ledger.save()
    query = f"{quote('metadata[order no.]')}={quote('ä&b')}"
    assert await ledger.ids(query, ledger.ada) == [row.transfer_id]
    assert await ledger.ids(f"{query}&completed_at[gte]={quote(MOMENT.isoformat())}", ledger.ada) == [row.transfer_id]
