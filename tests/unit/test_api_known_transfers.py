"""What the ledger knows of ids that clients chose: asked together, and never waited for."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

import pytest
from told_outcomes import NOW

from ingest_api import known_transfers
from ingest_api.known_transfers import KnownTransfers
from sinks.directory.transfers import StoredRequest
from sinks.errors import DatabaseAwayError


def stored(transfer_id: str) -> StoredRequest:
    return StoredRequest(
        transfer_id=transfer_id,
        source_wallet_id=str(uuid4()),
        destination_wallet_id=str(uuid4()),
        amount="1.0000",
        currency="USD",
        reference=None,
        metadata=None,
        requested_at=NOW,
        request_partition=0,
        request_offset=7,
    )


class Ledger:
    """Answers when it may."""

    def __init__(self, *known: str) -> None:
        self.known = known
        self.asked: list[list[str]] = []
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.is_away = False

    async def find(self, transfer_ids: Sequence[str]) -> dict[str, StoredRequest]:
        self.asked.append(list(transfer_ids))
        await self.may_answer.wait()
        if self.is_away:
            raise DatabaseAwayError("away")
        return {each: stored(each) for each in transfer_ids if each in self.known}


async def test_who_asks_while_an_answer_is_awaited_shares_the_next_statement() -> None:
    ledger = Ledger("b")
    ledger.may_answer.clear()
    known = KnownTransfers(ledger.find)
    asking = [asyncio.create_task(known.find_all([each])) for each in "abcb"]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    late = asyncio.create_task(known.find_all(["b", "d"]))
    await asyncio.sleep(0)
    ledger.may_answer.set()
    found = await asyncio.gather(*asking, late)
    assert [list(each) for each in found] == [[], ["b"], [], ["b"], ["b"]]
    assert ledger.asked == [["a", "b", "c"], ["b", "d"]]
    assert await known.find_all(["b"])


async def test_a_statement_asks_for_no_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_transfers, "IDS_MAX", 2)
    ledger = Ledger("a", "e")
    assert list(await KnownTransfers(ledger.find).find_all("abcde")) in (["a", "e"], ["e", "a"])
    assert [len(each) for each in ledger.asked] == [2, 2, 1]


async def test_without_a_database_nobody_waits_and_nobody_asks_for_a_while() -> None:
    ledger = Ledger("a")
    ledger.is_away = True
    known = KnownTransfers(ledger.find)
    assert await known.find_all(["a"]) == {}
    ledger.is_away = False
    assert await known.find_all(["a"]) == {}
    assert ledger.asked == [["a"]]
    known._silent_until_s = 0.0
    assert list(await known.find_all(["a"])) == ["a"]


async def test_an_answer_that_takes_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_transfers, "TIMEOUT_S", 0.0)
    ledger = Ledger("a")
    ledger.may_answer.clear()
    known = KnownTransfers(ledger.find)
    assert await known.find_all(["a"]) == {}
    assert await known.find_all(["a"]) == {}
    assert ledger.asked == [["a"]]
    ledger.may_answer.set()
    assert known._asking is not None
    await known._asking
