"""API keys and what ends access before it expires, without servers."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from fake_people import FakeApiKeys, FakeRevocations
from structlog.testing import capture_logs

from ingest_api import revocations
from ingest_api.key_checks import KeyChecks
from ingest_api.opaque_tokens import Prefix, new_token, read_token
from ingest_api.revocations import Revocations
from ingest_api.tokens import Caller, TokenError
from schemas.access import Right
from sinks.directory.api_keys import GoodKey
from sinks.masking import mask_text
from tests.unit.conftest import Api

USER, SESSION = str(uuid4()), str(uuid4())
FOR_EVER = 2**63 - 1


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


async def ask(api: Api, credential: str) -> tuple[int, str]:
    answer = await api.client.get(f"/v1/wallets/{api.wallet(USER)}/entries", headers=bearer(credential))
    return answer.status_code, answer.json().get("detail", "")


@pytest.mark.parametrize(
    ("revoked", "is_over"),
    [
        ((USER, 3), False),
        ((USER, 4), True),
        ((SESSION, FOR_EVER), True),
        ((str(uuid4()), FOR_EVER), False),
    ],
)
async def test_what_a_revocation_covers(revoked: tuple[str, int], is_over: bool) -> None:
    source = FakeRevocations()
    known = Revocations(source, 900)
    caller = Caller(USER, login_id=SESSION, epoch=3)
    assert not known.covers(caller)
    source.found = [revoked]
    await known.read()
    assert known.covers(caller) is is_over


async def test_a_revoked_token_says_so(api: Api) -> None:
    token = api.tokens.issue(USER, "user", session_id=SESSION, epoch=0)
    wallet = api.wallet(USER)
    order = {"source_wallet_id": wallet, "destination_wallet_id": str(uuid4()), "amount": "1", "currency": "USD"}
    assert (await api.client.post("/v1/transfers", json=order, headers=bearer(token))).status_code == 202
    api.revoked.found = [(SESSION, FOR_EVER)]
    await api.revocations.read()
    answer = await api.client.post("/v1/transfers", json=order, headers=bearer(token))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert "Renew" in answer.json()["detail"]
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    another = api.tokens.issue(USER, "user", session_id=str(uuid4()), epoch=0)
    assert (await api.client.post("/v1/transfers", json=order, headers=bearer(another))).status_code == 202


async def test_only_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocations, "REMEMBERED_MAX", 3)
    monkeypatch.setattr(revocations, "READ_MAX", 2)
    source = FakeRevocations()
    known = Revocations(source, 900)
    ids = [str(uuid4()) for _ in range(4)]
    with capture_logs() as lines:
        for first, second in ((0, 1), (2, 3)):
            source.found = [(ids[second], 1), (ids[first], 1)]
            await known.read()
    assert [known.covers(Caller(user_id)) for user_id in ids] == [False, True, True, True]
    assert [line["event"] for line in lines] == ["revocations.too_many"] * 2


async def test_while_the_database_is_away_what_was_known_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """It tells once when it goes, and once when it is back."""
    source = FakeRevocations()
    known = Revocations(source, 900)
    source.found = [(USER, 1)]
    steps = iter(["away", "away", "back", "back"])

    async def next_step(_: float) -> None:
        assert known.covers(Caller(USER))
        source.is_away = next(steps) == "away"  # ends with StopAsyncIteration's kin, when there are no more

    monkeypatch.setattr("ingest_api.revocations.asyncio.sleep", next_step)
    with capture_logs() as lines, pytest.raises(RuntimeError, match="StopIteration"):
        await known.follow()
    assert [line["event"] for line in lines] == ["revocations.unread", "revocations.read_again"]


class Clock:
    now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def keys() -> tuple[FakeApiKeys, KeyChecks, Clock, str]:
    clock, source = Clock(), FakeApiKeys()
    token = new_token(Prefix.API_KEY)
    source.good[token.subject] = good_key(token.token_hash)
    return source, KeyChecks(source, 900, clock), clock, token.text


def good_key(secret_hash: bytes) -> GoodKey:
    return GoodKey(user_id=USER, scopes=["wallets:read"], secret_hash=secret_hash, expires_at=None, access_epoch=5)


async def test_a_key_is_asked_about_once_in_the_life_of_a_token(
    keys: tuple[FakeApiKeys, KeyChecks, Clock, str],
) -> None:
    source, checks, clock, text = keys
    assert checks.remembered(text) is None
    caller = await checks.check(text)
    assert (caller.user_id, caller.role, caller.epoch) == (USER, "producer", 5)
    assert caller.rights == {Right.ACCOUNT_READ, Right.WALLETS_READ}
    clock.now_s += 899
    assert checks.remembered(text) is caller
    clock.now_s += 1
    assert checks.remembered(text) is None
    assert source.asked == 1


async def test_a_key_is_remembered_no_longer_than_it_is_good(keys: tuple[FakeApiKeys, KeyChecks, Clock, str]) -> None:
    source, checks, clock, text = keys
    [key_id] = source.good
    source.good[key_id] = replace(source.good[key_id], expires_at=datetime.fromtimestamp(clock.now_s + 10, UTC))
    await checks.check(text)
    clock.now_s += 10
    assert checks.remembered(text) is None


async def test_what_is_no_key(keys: tuple[FakeApiKeys, KeyChecks, Clock, str]) -> None:
    source, checks, _, text = keys
    key = read_token(Prefix.API_KEY, text)
    assert key is not None
    another_secret = new_token(Prefix.API_KEY, key.subject).text
    for wrong in ("", Prefix.API_KEY, text[:-1], text + "A", "hfts_rt_" + text[9:], another_secret):
        with pytest.raises(TokenError):
            await checks.check(wrong)
        assert checks.remembered(wrong) is None
    assert source.asked == 1, "only what has the form of a key is asked about"


async def test_a_revoked_key_is_asked_about_and_refused(api: Api) -> None:
    text = api.key("wallets:read", user_id=USER)
    [key_id] = api.api_keys.good
    assert (await ask(api, text))[0] != 401
    del api.api_keys.good[key_id]
    assert (await ask(api, text))[0] != 401, "until it is heard of"
    api.revoked.found = [(key_id, FOR_EVER)]
    await api.revocations.read()
    assert await ask(api, text) == (401, "The API key is not valid, has expired or was revoked.")


async def test_a_key_that_is_not_known_needs_the_database(api: Api) -> None:
    text = api.key("wallets:read", user_id=USER)
    api.api_keys.is_away = True
    answer = await api.client.get("/v1/me", headers=bearer(text))
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")


async def test_whoever_holds_a_key_may_end_it(api: Api) -> None:
    text = api.key("wallets:read")
    for token in (new_token(Prefix.API_KEY).text, text, text):
        assert (await api.client.post("/v1/auth/revoke", data={"token": token})).status_code == 200
    assert api.api_keys.good == {}


@pytest.mark.parametrize("prefix", list(Prefix))
def test_logs_hide_them(prefix: Prefix) -> None:
    text = new_token(prefix).text
    assert mask_text(f"refused {text}, sorry") == f"refused {prefix}***, sorry"
