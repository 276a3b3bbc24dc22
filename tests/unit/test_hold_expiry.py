"""The task that gives holds back, beside the API: it lives through whatever its servers do."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from fake_ledger import FakeHolds, FakeRequests
from prometheus_client import REGISTRY

from ingest_api import hold_expiry
from ingest_api.hold_expiry import HoldExpiry, void_namespace, void_of
from schemas.holds import hold_wallet_id
from schemas.transfers import decode_request, encode_request
from sinks.directory.holds import DueHold, ExpiryRound
from sinks.errors import DatabaseAwayError

SECRET = "a secret of thirty-two characters"
SETTLED = datetime(1970, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def due_hold(**changes: Any) -> DueHold:
    wallet = str(uuid4())
    values: dict[str, Any] = {
        "transfer_id": str(uuid4()),
        "source_wallet_id": wallet,
        "destination_wallet_id": hold_wallet_id(wallet),
        "currency": "USD",
        "expires_at": LONG_AGO,
        "remaining": "7.0000",
        "draws": 2,
    }
    return DueHold(**(values | changes))


class DueHolds(FakeHolds):
    """Faults first, then these."""

    def __init__(self, *found: DueHold, faults: tuple[Exception, ...] = ()) -> None:
        super().__init__()
        self.found = list(found)
        self.faults = list(faults)
        self.settled: datetime | None = None
        self.oldest: datetime | None = LONG_AGO
        self.now = LONG_AGO + timedelta(days=1)
        self.looked_since: list[datetime] = []
        self.look_faults: list[Exception] = []

    async def begin_expiry_round(self, interval_s: float) -> ExpiryRound | None:
        assert interval_s == hold_expiry.ROUND_INTERVAL_S
        if self.faults:
            raise self.faults.pop()
        return ExpiryRound(self.settled or SETTLED, self.now)

    async def due(self, since: datetime, count_max: int) -> list[DueHold]:
        return self.found[:count_max]

    async def oldest_open(self, since: datetime) -> datetime | None:
        self.looked_since.append(since)
        if self.look_faults:
            raise self.look_faults.pop()
        return self.oldest

    async def settle_expiry(self, settled_before: datetime) -> None:
        self.settled = settled_before


def test_the_request_is_the_same_until_something_is_drawn() -> None:
    hold, namespace = due_hold(), void_namespace(SECRET)
    request, units = decode_request(encode_request(void_of(hold, namespace)))
    assert request == void_of(hold, void_namespace(SECRET))
    assert (units, request.kind, request.parent_id) == (70_000, "void", hold.transfer_id)
    later = due_hold(transfer_id=hold.transfer_id, draws=3)
    assert void_of(later, namespace).transfer_id != request.transfer_id


async def test_nobody_without_the_secret_can_use_the_id_first() -> None:
    """Its hold's owner chooses the hold's id, and whoever uses an id first has it for ever."""
    hold, ids = due_hold(), set()
    for secret in (SECRET, SECRET, SECRET[::-1]):
        requests = FakeRequests()
        assert await HoldExpiry(DueHolds(hold), requests, secret).round() == 1
        [(_, value)] = requests.records
        ids.add(decode_request(value)[0].transfer_id)
    assert len(ids) == 2


async def test_it_goes_on_after_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hold_expiry, "ROUND_INTERVAL_S", 0)
    holds = DueHolds(due_hold(), faults=(RuntimeError("anything"), DatabaseAwayError("away")))
    requests = FakeRequests()
    expiry = HoldExpiry(holds, requests, SECRET)
    expiry.start()
    async with asyncio.timeout(30):
        while not requests.records:  # noqa: ASYNC110 (a task that tells nobody)
            await asyncio.sleep(0)
    await expiry.stop()
    assert holds.faults == []


async def test_what_kafka_does_not_confirm_is_still_due() -> None:
    holds, requests = DueHolds(due_hold()), FakeRequests()
    requests.is_away = True
    assert await HoldExpiry(holds, requests, SECRET).round() == 1
    assert holds.settled == LONG_AGO, "nothing behind it is taken for settled"


async def test_what_waits_is_not_taken_for_settled() -> None:
    holds, requests = DueHolds(), FakeRequests()
    assert await HoldExpiry(holds, requests, SECRET).round() == 0
    assert (holds.settled, requests.records) == (LONG_AGO, [])


async def test_all_that_is_not_settled_is_looked_at_once_a_minute() -> None:
    """There may be thousands for each one that is due, and each costs time at every look."""
    holds = DueHolds()
    expiry, begin = HoldExpiry(holds, FakeRequests(), SECRET), holds.now
    opened = begin - timedelta(minutes=3)
    for after_s, is_due in ((0, False), (2, True), (4, False), (59, False), (60, False), (62, False)):
        holds.now = begin + timedelta(seconds=after_s)
        holds.oldest = opened if is_due else None
        holds.found = [due_hold(expires_at=opened)] if is_due else []
        await expiry.round()
    overlap, margin = hold_expiry.OVERLAP, hold_expiry.MARGIN
    assert holds.looked_since == [
        SETTLED,
        begin - overlap,
        opened,
        begin + timedelta(seconds=4) - overlap,
        begin - margin,  # which was settled at the first look
        begin + timedelta(seconds=60) - overlap,
    ]
    assert holds.settled == begin + timedelta(seconds=60) - margin


async def test_what_waits_holds_up_whole_looks_only() -> None:
    """A hold in a frozen wallet is open for as long as that lasts, and thousands may end behind it every second."""
    holds = DueHolds()
    expiry, begin = HoldExpiry(holds, FakeRequests(), SECRET), holds.now
    await expiry.round()
    assert expired_for_s() == timedelta(days=1).total_seconds()
    holds.oldest, holds.now = None, begin + timedelta(seconds=2)
    await expiry.round()
    assert holds.looked_since == [SETTLED, begin - hold_expiry.OVERLAP]
    assert expired_for_s() == timedelta(days=1, seconds=2).total_seconds()


async def test_a_whole_look_that_fails_leaves_time_for_the_others() -> None:
    holds = DueHolds()
    expiry, begin = HoldExpiry(holds, FakeRequests(), SECRET), holds.now
    holds.look_faults = [DatabaseAwayError("it takes too long")]
    with pytest.raises(DatabaseAwayError):
        await expiry.round()
    holds.oldest, holds.now = None, begin + timedelta(seconds=2)
    await expiry.round()
    assert holds.looked_since == [SETTLED, holds.now - hold_expiry.MARGIN]


def expired_for_s() -> float | None:
    return REGISTRY.get_sample_value("hfts_hold_expiry_lag_seconds")
