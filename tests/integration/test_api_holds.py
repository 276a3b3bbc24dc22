"""Holds, reversals, limits and dry runs: from HTTP through the stages and back, and what reconcile says of them."""

from typing import Any

import asyncpg
import pytest
from live_api import LiveApi, Person
from pipeline_run import broken, run_stage

from ingest_api.bounded_cache import BoundedCache
from ops.reconcile.run import reconcile
from schemas.holds import hold_wallet_id
from schemas.settings import Settings
from sinks.kafka.publisher import KafkaPublisher
from streams.audit import AuditStage
from streams.notifications import NotificationsStage
from streams.transfers import TransfersStage


class Bank:
    """Ada has 100 USD, Ben nothing; requests are worked off when somebody asks what became of them."""

    def __init__(self, api: LiveApi) -> None:
        self.api = api
        self.people: dict[str, Person] = {}
        self.wallets: dict[str, str] = {}

    async def open(self) -> None:
        for name in ("ada", "ben"):
            self.people[name] = await self.api.person(name)
            self.wallets[name] = await self.api.wallet(self.people[name])
        self.people["root"] = await self.api.person("root", "admin")
        deposit = {"wallet_id": self.wallets["ada"], "amount": "100", "currency": "USD"}
        assert await self.outcome("root", "/v1/deposits", deposit) == "COMPLETED"

    async def work(self) -> None:
        publisher = KafkaPublisher(self.api.settings, self.api.settings.topic_prefix + "test")
        await run_stage(self.api.settings, TransfersStage(self.api.settings, publisher), publisher)

    async def sent(self, name: str, path: str, body: Any, **headers: str) -> str:
        answer = await self.api.post(path, body, self.people[name], **headers)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["transfer_id"])

    async def outcome(self, name: str, path: str, body: Any) -> str:
        transfer_id = await self.sent(name, path, body)
        await self.work()
        seen = await self.get(name, f"/v1/transfers/{transfer_id}")
        return str(seen["reason"] or seen["status"])

    async def get(self, name: str, path: str) -> Any:
        answer = await self.api.get(path, self.people[name])
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, name: str, path: str, body: Any) -> str:
        return str((await self.api.post(path, body, self.people[name])).json()["code"])

    async def balances(self, name: str) -> tuple[str, str]:
        seen = await self.get(name, f"/v1/wallets/{self.wallets[name]}")
        return seen["balance"], seen["held"]


@pytest.fixture
async def bank(live_api: LiveApi) -> Bank:
    bank = Bank(live_api)
    await bank.open()
    return bank


async def test_from_a_hold_to_its_last_unit(bank: Bank) -> None:
    ada, ben = bank.wallets["ada"], bank.wallets["ben"]
    order = {"source_wallet_id": ada, "amount": "60", "currency": "USD", "reference": "hotel"}
    hold = await bank.sent("ada", "/v1/holds", order)
    path = f"/v1/holds/{hold}"
    assert await bank.refused("ada", f"{path}/void", {}) == "hold_not_found", "it has no outcome yet"
    await bank.work()
    assert await bank.balances("ada") == ("40.0000", "60.0000")
    assert await bank.refused("ben", f"{path}/capture", {"destination_wallet_id": ben}) == "hold_not_found"

    assert await bank.outcome("ada", f"{path}/capture", {"destination_wallet_id": ben, "amount": "61"}) == (
        "amount_exceeds_remaining"
    )
    capture = await bank.sent("ada", f"{path}/capture", {"destination_wallet_id": ben, "amount": "25"})
    await bank.work()
    assert (await bank.get("ben", f"/v1/transfers/{capture}"))["kind"] == "capture"
    seen = await bank.get("ada", path)
    assert (seen["status"], seen["captured"], seen["remaining"]) == ("open", "25.0000", "35.0000")
    assert [(d["kind"], d["status"], d["amount"]) for d in seen["draws"]] == [
        ("capture", "COMPLETED", "25.0000"),
        ("capture", "FAILED", "61.0000"),
    ]
    listed = (await bank.get("ada", "/v1/transfers?limit=3"))["data"]
    assert [(row["kind"], row["status"]) for row in listed] == [
        ("capture", "COMPLETED"),
        ("capture", "FAILED"),
        ("hold", "COMPLETED"),
    ]
    page = await bank.get("ada", f"/v1/holds?wallet_id={ada}&open=true")
    assert [row["hold_id"] for row in page["data"]] == [hold]

    void = await bank.sent("ada", f"{path}/void", {}, **{"Idempotency-Key": "rest"})
    await bank.work()
    bank.api.app.state.services.submitter._recent = BoundedCache(1)  # as another process would have it
    assert await bank.sent("ada", f"{path}/void", {}, **{"Idempotency-Key": "rest"}) == void
    await bank.work()
    assert await bank.refused("ada", f"{path}/void", {}) == "nothing_left"
    assert (await bank.get("ada", path))["status"] == "captured"
    assert (await bank.get("ada", f"/v1/holds?wallet_id={ada}&open=true"))["data"] == []
    assert len((await bank.get("ada", f"/v1/holds?wallet_id={ada}"))["data"]) == 1
    assert (await bank.balances("ada"), await bank.balances("ben")) == (("75.0000", "0.0000"), ("25.0000", "0.0000"))

    back = f"/v1/transfers/{capture}/reversals"
    assert await bank.refused("ada", back, {}) == "forbidden", "who paid cannot take it back"
    assert await bank.outcome("ben", back, {"amount": "5"}) == "COMPLETED"
    assert await bank.outcome("ben", back, {}) == "COMPLETED"
    assert await bank.refused("ben", back, {}) == "nothing_left"
    assert await bank.balances("ada") == ("100.0000", "0.0000")


async def test_a_payment_is_reversed_by_its_reference(bank: Bank) -> None:
    ada, ben = bank.wallets["ada"], bank.wallets["ben"]
    payment = {"source_wallet_id": ada, "destination_wallet_id": ben, "amount": "10", "currency": "USD"}
    await bank.sent("ada", "/v1/transfers", payment | {"reference": "order 7"})
    assert await bank.outcome("ada", "/v1/transfers", payment | {"reference": "twice"}) == "COMPLETED"
    assert await bank.outcome("ada", "/v1/transfers", payment | {"reference": "twice"}) == "COMPLETED"
    for reference, code in (("none", "transfer_not_found"), ("twice", "reference_not_unique")):
        assert await bank.refused("ben", "/v1/reversals", {"wallet_id": ben, "reference": reference}) == code
    assert await bank.refused("ada", "/v1/reversals", {"wallet_id": ben, "reference": "order 7"}) == "wallet_not_found"
    assert await bank.outcome("ben", "/v1/reversals", {"wallet_id": ben, "reference": "order 7"}) == "COMPLETED"
    assert await bank.balances("ben") == ("20.0000", "0.0000")


async def test_limits_and_what_a_dry_run_says_of_them(bank: Bank, connection: asyncpg.Connection) -> None:
    ada, ben = bank.wallets["ada"], bank.wallets["ben"]
    root = bank.people["root"].headers
    limits = {"transfer_max": "30", "day_max": "50"}
    path = f"/v1/wallets/{ada}/limits"
    set_to = await bank.api.client.put(path, json=limits, headers=root)
    assert (set_to.json()["transfer_max"], set_to.json()["day_max"]) == ("30.0000", "50.0000")

    def payment(amount: str) -> dict[str, str]:
        return {"source_wallet_id": ada, "destination_wallet_id": ben, "amount": amount, "currency": "USD"}

    async def tried(amount: str) -> Any:
        answer = await bank.api.post("/v1/transfers?dry_run=true", payment(amount), bank.people["ada"])
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert (await tried("31"))["reason"] == "limit_exceeded"
    assert await bank.outcome("ada", "/v1/transfers", payment("30")) == "COMPLETED"
    rows = await connection.fetchval("select count(*) from transfers")
    assert (await tried("21"))["reason"] == "limit_exceeded"
    assert await tried("20") == {
        "verdict": "COMPLETED",
        "reason": None,
        "detail": None,
        "source_balance": "50.0000",
        "destination_balance": None,
    }
    await bank.work()
    assert await connection.fetchval("select count(*) from transfers") == rows, "nothing was written"
    assert await bank.outcome("ada", "/v1/transfers", payment("21")) == "limit_exceeded"
    assert (await bank.api.client.put(path, json={}, headers=root)).json()["day_max"] is None
    assert await bank.outcome("ada", "/v1/transfers", payment("21")) == "COMPLETED"


CORRUPTIONS = [
    ("update transfers set parent_id = null, kind = 'hold' where kind = 'void'", "hold_wallets_belong"),
    ("update transfers set amount = amount + 100 where kind = 'capture'", "nothing_is_overdrawn"),
    ("update transfers set amount = amount + 1 where kind = 'void'", "held_is_what_is_left"),
    ("update transfers set kind = 'reversal' where kind = 'capture'", "draws_fit"),
    ("update transfers set parent_id = transfer_id where kind = 'capture'", "outcomes_equal_rows"),
    ("update transfers set expires_at = now() where kind = 'hold'", "rows_equal_requests"),
    ("update wallets set holds_of = gen_random_uuid() where kind = 'hold'", "hold_wallets_belong"),
]


async def test_reconcile_knows_holds(bank: Bank, settings: Settings, connection: asyncpg.Connection) -> None:
    ada, ben = bank.wallets["ada"], bank.wallets["ben"]
    order = {"source_wallet_id": ada, "amount": "60", "currency": "USD", "expires_at": "2999-01-01T00:00:00Z"}
    hold = await bank.sent("ada", "/v1/holds", order)
    await bank.work()
    capture = await bank.sent("ada", f"/v1/holds/{hold}/capture", {"destination_wallet_id": ben, "amount": "20"})
    assert await bank.outcome("ada", f"/v1/holds/{hold}/void", {"amount": "10"}) == "COMPLETED"
    assert await bank.outcome("ben", f"/v1/transfers/{capture}/reversals", {"amount": "5"}) == "COMPLETED"
    for follower in (NotificationsStage, AuditStage):
        publisher = KafkaPublisher(settings, settings.topic_prefix + "test")
        await run_stage(settings, follower(settings, publisher), publisher)
    report = await reconcile(settings, settled=True)
    assert (broken(report), report.pending) == (set(), 0), [f for f in report.findings if f.faults or f.pending]
    # The deposit's receiver, hold and void once each, both parties of the capture and of its reversal.
    assert report.facts.notifications == {"receiver": 3, "sender": 4}

    await connection.execute("alter table transfers disable trigger transfers_append_only")
    await connection.execute("alter table transfers drop constraint transfers_kind_check")
    held = hold_wallet_id(ada)
    assert await connection.fetchval("select balance::text from wallets where wallet_id = $1", held) == "30.0000"
    for sql, name in CORRUPTIONS:
        await connection.execute("create table t as table transfers; create table w as table wallets")
        await connection.execute(sql)
        assert name in broken(await reconcile(settings, settled=True)), sql
        await connection.execute(
            "delete from transfers; insert into transfers table t; drop table t;"
            "update wallets set holds_of = w.holds_of from w where w.wallet_id = wallets.wallet_id; drop table w"
        )
