from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from schemas.notifications import Notification
from sinks.channels import NO_CHANNELS, SEAL_PURPOSE, Channels, Webhook, channels_of, wants
from sinks.sealing import Seal

ADA, BEN = "0190f5a4-0000-7000-8000-00000000000a", "0190f5a4-0000-7000-8000-00000000000b"
HOOK = Webhook("https://example.com/hook", (b"secret",))
SEAL = Seal("a secret key of the tests " * 2, purpose=SEAL_PURPOSE)
ALL = frozenset({"email", "webhook"})


def channels(**values: Any) -> Channels:
    chosen: dict[str, Any] = {"email": True, "webhook": HOOK, "failures": True, "minimums": {}}
    return Channels(**chosen | values)


def notification(amount: str = "12.5000", currency: str = "USD", status: str = "COMPLETED") -> Notification:
    return Notification(
        transfer_id="0190f5a4-1111-7000-8000-000000000001",
        recipient="receiver",
        user_id=ADA,
        wallet_id="0190f5a4-2222-7000-8000-000000000002",
        email="ada@example.com",
        status=status,
        reason=None if status == "COMPLETED" else "insufficient_funds",
        amount=amount,
        currency=currency,
        reference=None,
        completed_at=datetime(2026, 1, 2, tzinfo=UTC),
    )


def test_whoever_chose_nothing_else_is_told_on_all_channels() -> None:
    assert wants(channels(), notification()) == ALL


def test_a_channel_that_is_off() -> None:
    assert wants(channels(email=False), notification()) == {"webhook"}
    assert wants(channels(webhook=None), notification()) == {"email"}
    assert wants(NO_CHANNELS, notification()) == frozenset()


@pytest.mark.parametrize(
    ("amount", "currency", "told"),
    [("99.9999", "USD", False), ("100.0000", "USD", True), ("1000.0000", "USD", True), ("0.0001", "EUR", True)],
)
def test_the_least_amount_holds_for_its_currency(amount: str, currency: str, *, told: bool) -> None:
    chosen = channels(minimums={"USD": Decimal(100)})
    assert bool(wants(chosen, notification(amount, currency))) is told


def test_failures_are_told_whatever_the_amount_unless_they_are_off() -> None:
    failed = notification("0.0001", status="FAILED")
    assert wants(channels(minimums={"USD": Decimal(100)}), failed) == ALL
    assert wants(channels(failures=False), failed) == frozenset()


def test_a_secret_is_not_shown() -> None:
    assert "secret" not in repr(channels())


class Rows:
    """A pool that answers with these rows."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = rows

    async def fetch(self, _: str, *__: object) -> Any:
        return self.rows


def row(**values: Any) -> dict[str, Any]:
    chosen = {"email_on": True, "failures_on": True, "minimums": "{}"}
    return {"user_id": ADA, **chosen, "url": None, "secret_sealed": None, "previous_secret_sealed": None} | values


async def test_reads_what_was_chosen_and_nothing_of_who_is_not_there() -> None:
    found = await channels_of(Rows(row(minimums='{"USD": "12.5"}')), [ADA, BEN, ADA], SEAL)
    assert found == {ADA: channels(webhook=None, minimums={"USD": Decimal("12.5")}), BEN: NO_CHANNELS}


async def test_the_newest_secret_comes_first() -> None:
    hook = row(url=HOOK.url, secret_sealed=SEAL.close(b"new", ADA), previous_secret_sealed=SEAL.close(b"old", ADA))
    found = await channels_of(Rows(hook), [ADA], SEAL)
    assert found[ADA].webhook == Webhook(HOOK.url, (b"new", b"old"))


async def test_a_secret_that_is_anothers_signs_nothing() -> None:
    bens, adas = SEAL.close(b"of Ben", BEN), SEAL.close(b"new", ADA)
    hook = row(url=HOOK.url, secret_sealed=bens)
    assert (await channels_of(Rows(hook), [ADA], SEAL))[ADA].webhook is None
    hook = row(url=HOOK.url, secret_sealed=adas, previous_secret_sealed=bens)
    assert (await channels_of(Rows(hook), [ADA], SEAL))[ADA].webhook == Webhook(HOOK.url, (b"new",))
