"""Balances, statements and what is pending, over HTTP."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import uuid4

import pytest
from api_ledger import Ledger
from live_api import LiveApi, Person
from stored_history import SEED, SET_WALLET

from ingest_api import statement_answer
from ingest_api.statement_answer import StatementError
from schemas.topics import TRANSFERS_REQUESTED
from sinks.kafka import pending


@pytest.fixture
async def ledger(live_api: LiveApi) -> Ledger:
    return await Ledger.open(live_api)


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
