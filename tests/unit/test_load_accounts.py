import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar, cast

import pytest

from ops.load import http_sender
from ops.load.http_sender import Api, HttpError, Login


class SlowApi(Api):
    """Wants registrations to come more slowly, or refuses them."""

    def __init__(self, refusals: list[HttpError]) -> None:
        super().__init__(cast("Any", None), Login("admin@example.com", "none"))
        self._refusals = refusals

    async def _call(self, method: str, path: str, login: Login | None, **how: Any) -> dict[str, Any]:
        if self._refusals:
            raise self._refusals.pop(0)
        return {"user_id": "1"}


async def test_registering_waits_as_it_is_told_to() -> None:
    api = SlowApi([HttpError("429", retry_after_s=0), HttpError("503", retry_after_s=0)])
    assert await api.register("a@example.com", "correct horse battery") == "1"


async def test_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_sender, "REGISTRATION_WAITS_MAX", 2)
    with pytest.raises(HttpError):
        await SlowApi([HttpError("429", retry_after_s=0)] * 3).register("a@example.com", "correct horse battery")


async def test_a_refusal_is_final() -> None:
    api = SlowApi([HttpError("409 email_taken")])
    with pytest.raises(HttpError, match="email_taken"):
        await api.register("a@example.com", "correct horse battery")


async def test_requests_that_wait_for_a_token_share_one_login() -> None:
    logins = 0

    class Counting(Api):
        async def log_in(self, login: Login) -> None:
            nonlocal logins
            logins += 1
            await asyncio.sleep(0)
            login.renew_s = time.monotonic() + 1_000

    api = Counting(cast("Any", FakeSession()), Login("admin@example.com", "none"))
    await asyncio.gather(*(api.deposit("wallet", "1", "EUR") for _ in range(10)))
    assert logins == 1


class FakeSession:
    """Answers every request alike."""

    status = 200
    headers: ClassVar[dict[str, str]] = {}

    @asynccontextmanager
    async def request(self, *_: object, **__: object) -> AsyncIterator["FakeSession"]:
        yield self

    async def json(self, **_: object) -> dict[str, str]:
        return {"transfer_id": "1"}
