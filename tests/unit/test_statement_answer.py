"""Statements on their way to clients who read on, who read slowly, and who go away."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ingest_api import statement_answer
from ingest_api.draining import Draining
from ingest_api.in_progress import BATCH_WEIGHT, CALLER_MAX, IN_PROGRESS_KEY, InProgress
from ingest_api.problems import ProblemError
from ingest_api.statement_answer import StatementAnswer, StatementError
from ingest_api.statement_forms import Frame, JsonForm
from ingest_api.tokens import Caller
from schemas.money import format_units
from sinks.directory.wallets import EntryRow, Wallets
from sinks.errors import DatabaseAwayError

MOMENT = datetime(2026, 1, 2, tzinfo=UTC)
COUNT = 25


class CountingWallets(Wallets):
    """A wallet that gets 1.0000 with each entry, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails_at = 0

    async def entries(self, wallet_id: str, *, before_version: int, count_max: int) -> list[EntryRow]:
        self.asked += 1
        await asyncio.sleep(0)  # others have their turn, as while a database is asked
        if self.asked == self.fails_at:
            raise DatabaseAwayError("away")
        return [
            EntryRow(
                transfer_id="t",
                version=version,
                amount="1.0000",
                balance=format_units(version * 10_000),
                currency="EUR",
                counterparty_wallet_id="c",
                reference=None,
                completed_at=MOMENT,
            )
            for version in range(before_version - 1, before_version - 1 - count_max, -1)
        ]


class Visit:
    """A client, what it has been sent, and what the statement is made of."""

    def __init__(self) -> None:
        self.wallets = CountingWallets()
        self.in_progress = InProgress()
        self.draining = Draining()
        self.sent: list[Any] = []
        self.is_gone = asyncio.Event()
        self.reads = asyncio.Event()
        self.reads.set()

    async def receive(self) -> Any:
        await self.is_gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            await self.reads.wait()
        self.sent.append(message)

    async def answer(self, closing_version: int = COUNT) -> None:
        frame = Frame("w", "EUR", None, MOMENT, "0.0000", 0, closing_version)
        answer = StatementAnswer(self.wallets, frame, JsonForm(), Caller("u"), self.draining)
        await answer({IN_PROGRESS_KEY: self.in_progress}, self.receive, self.send)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


@pytest.fixture(autouse=True)
def short_stretches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement_answer, "STRETCH", 10)


async def test_a_statement_comes_in_stretches() -> None:
    visit = Visit()
    await visit.answer()
    assert [message["type"] for message in visit.sent] == ["http.response.start", *["http.response.body"] * 4]
    assert len(json.loads(visit.body)["entries"]) == COUNT
    assert visit.wallets.asked == 3


async def test_nobody_reads_for_a_client_who_has_gone() -> None:
    visit = Visit()
    visit.is_gone.set()
    await visit.answer()
    assert visit.wallets.asked <= 2


async def test_a_client_who_does_not_read_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statement_answer, "CLIENT_TIMEOUT_S", 0.0)
    visit = Visit()
    visit.reads.clear()
    await visit.answer()
    assert [message["type"] for message in visit.sent] == ["http.response.start"]
    assert visit.wallets.asked == 1


async def test_a_database_that_is_away_at_first_is_told_properly() -> None:
    visit = Visit()
    visit.wallets.fails_at = 1
    with pytest.raises(DatabaseAwayError):
        await visit.answer()
    assert visit.sent == []


async def test_one_that_goes_away_later_breaks_it_off() -> None:
    visit = Visit()
    visit.wallets.fails_at = 2
    with pytest.raises(DatabaseAwayError):
        await visit.answer()
    with pytest.raises(json.JSONDecodeError):
        json.loads(visit.body)


async def test_a_statement_counts_as_many_requests() -> None:
    visit = Visit()
    visit.in_progress.enter_caller("u", CALLER_MAX - BATCH_WEIGHT + 1)
    with pytest.raises(ProblemError) as refused:
        await visit.answer()
    assert refused.value.status_code == 429


async def test_what_does_not_follow_is_not_told() -> None:
    visit = Visit()
    frame = Frame("w", "EUR", None, MOMENT, "5.0000", 0, COUNT)
    answer = StatementAnswer(visit.wallets, frame, JsonForm(), Caller("u"), visit.draining)
    with pytest.raises(StatementError, match="entry 1 of wallet w"):
        await answer({IN_PROGRESS_KEY: visit.in_progress}, visit.receive, visit.send)
