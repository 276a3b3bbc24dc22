"""Hashing beside the event loop, with verification replaced by something quick that counts."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from ingest_api import passwords
from ingest_api.passwords import PENDING_MAX, PasswordHashing
from ingest_api.problems import ProblemError
from sinks.passwords import ROUNDS, hash_password


@pytest.fixture
async def hashing() -> AsyncIterator[PasswordHashing]:
    hashing = PasswordHashing()
    yield hashing
    hashing.close()


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was compared with which hash; everything is found to fit."""
    seen: list[tuple[str, str]] = []

    def note(text: str, hashed: str) -> bool:
        seen.append((text, hashed))
        return True

    monkeypatch.setattr(passwords, "verify_password", note)
    return seen


@pytest.mark.parametrize("stored", [None, "", "!", "none"])
async def test_without_a_hash_the_same_is_done_for_a_decoy(
    hashing: PasswordHashing, compared: list[tuple[str, str]], stored: str | None
) -> None:
    real = hash_password("right")
    assert await hashing.verify("right", real)
    assert not await hashing.verify("right", stored)
    (text, first), (same_text, decoy) = compared
    assert (text, first, same_text) == ("right", real, "right")
    assert decoy.split("$")[1:3] == real.split("$")[1:3]  # the scheme and its cost
    assert f"r={ROUNDS}" in decoy


async def test_the_decoy_fits_no_password(hashing: PasswordHashing) -> None:
    assert not await hashing.verify("", None)


async def test_a_password_that_is_too_long_is_compared_and_refused(
    hashing: PasswordHashing, compared: list[tuple[str, str]]
) -> None:
    real = hash_password("x")
    assert not await hashing.verify("x" * 129, real)
    assert await hashing.verify("\u0065\u0301" * 128, real)  # 128 letters with an accent each
    assert [len(text) for text, _ in compared] == [128, 128]


async def test_no_more_than_a_bounded_number_wait(hashing: PasswordHashing, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()

    def block(text: str) -> str:
        gate.wait()
        return text

    monkeypatch.setattr(passwords, "hash_password", block)
    waiting = [asyncio.create_task(hashing.hash(str(number))) for number in range(PENDING_MAX)]
    try:
        await asyncio.sleep(0)
        with pytest.raises(ProblemError) as caught:
            await hashing.hash("one more")
        assert (caught.value.status_code, caught.value.code) == (503, "overloaded")
        assert int((caught.value.headers or {})["Retry-After"]) >= 1
    finally:
        gate.set()
    assert await asyncio.gather(*waiting) == [str(number) for number in range(PENDING_MAX)]
    assert await hashing.hash("now") == "now"


async def test_a_hash_is_made_anew_when_the_cost_has_changed(
    hashing: PasswordHashing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "hash_password", lambda text: f"new hash of {text}")
    current = "$bcrypt-sha256$v=2,t=2b,r=12$FUOym4CZ94vhwkYj3FAfo.$5RLgqWaSnTJzSzdigpF6tIWb98/dUV."
    assert await hashing.upgraded("x", current) is None
    assert await hashing.upgraded("x", current.replace("r=12", "r=11")) == "new hash of x"
