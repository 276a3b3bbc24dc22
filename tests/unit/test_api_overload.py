"""More than the pipeline takes: turned away at once, with a time to come back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from ingest_api import in_progress
from ingest_api.in_progress import InProgress
from ingest_api.problems import ProblemError
from sinks.kafka.positions import Position
from tests.unit.conftest import Api


class SlowRequests:
    """A broker that has not answered yet."""

    topic = "transfers.requested"

    def __init__(self) -> None:
        self.waiting = 0
        self.answers = asyncio.Event()

    async def publish(self, key: bytes, value: bytes) -> Position:
        self.waiting += 1
        await self.answers.wait()
        return Position(0, 0)


@pytest.fixture
async def slow(api: Api, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlowRequests]:
    requests = SlowRequests()
    monkeypatch.setattr(api.app.state.services.submitter, "_requests", requests)
    yield requests
    requests.answers.set()


async def submissions(api: Api, slow: SlowRequests, users: list[str]) -> list[asyncio.Task[Any]]:
    """One for each of the users named, all waiting for the broker."""
    tasks = [asyncio.create_task(submit(api, user)) for user in users]
    async with asyncio.timeout(10):
        while slow.waiting < len(users):  # noqa: ASYNC110 (the app tells nobody)
            await asyncio.sleep(0)
    return tasks


async def submit(api: Api, user: str) -> Any:
    body = {
        "source_wallet_id": api.wallet(user),
        "destination_wallet_id": str(uuid4()),
        "amount": "1",
        "currency": "USD",
    }
    return await api.client.post("/v1/transfers", json=body, headers=api.headers(user))


async def test_more_than_may_be_in_progress(api: Api, slow: SlowRequests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts(api), "_count_max", 3)
    tasks = await submissions(api, slow, [str(uuid4()) for _ in range(3)])
    for path in ("/v1/wallets", "/readyz", "/nowhere", "/openapi.json"):
        answer = await api.client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert answer.headers["retry-after"] == "1"
        assert answer.headers["content-type"] == "application/problem+json"
        assert len(answer.headers["x-request-id"]) == 32
    for path in ("/healthz", "/metrics"):
        assert (await api.client.get(path)).status_code == 200
    assert "hfts_http_requests_in_progress 3.0" in (await api.client.get("/metrics")).text
    slow.answers.set()
    assert [(await task).status_code for task in tasks] == [202, 202, 202]
    assert (await api.client.get("/readyz")).status_code == 200


async def test_more_than_one_caller_may_have_in_progress(
    api: Api, slow: SlowRequests, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts(api), "_caller_max", 2)
    ada, bob = str(uuid4()), str(uuid4())
    tasks = await submissions(api, slow, [ada, ada, bob])
    answer = await submit(api, ada)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    assert answer.headers["retry-after"] == "1"
    tasks += [asyncio.create_task(submit(api, bob))]
    slow.answers.set()
    assert [(await task).status_code for task in tasks] == [202] * 4
    assert (await submit(api, ada)).status_code == 202
    assert counts(api)._of_caller == {}


async def test_every_way_out_is_counted(api: Api) -> None:
    """Refusals, faults of ours and clients that leave give back what they took."""
    user = str(uuid4())
    api.users.fault = RuntimeError("a fault")
    await api.client.get("/v1/me", headers=api.headers(user))
    await api.client.post("/v1/transfers", content=b"{", headers=api.headers(user))
    await api.client.get("/nowhere")
    await api.client.get("/v1/wallets")
    assert (counts(api)._count, counts(api)._of_caller) == (0, {})


async def test_a_client_that_leaves_is_counted_out(api: Api, slow: SlowRequests) -> None:
    [task] = await submissions(api, slow, [str(uuid4())])
    assert counts(api)._count == 1
    task.cancel()
    await asyncio.wait({task})
    assert (counts(api)._count, counts(api)._of_caller) == (0, {})


def test_the_bounds() -> None:
    bounds = InProgress()
    for _ in range(in_progress.CALLER_MAX):
        bounds.enter_caller("ada")
    with pytest.raises(ProblemError):
        bounds.enter_caller("ada")
    bounds.leave_caller("ada")
    bounds.enter_caller("ada")
    assert in_progress.CALLER_MAX < in_progress.IN_PROGRESS_MAX


def counts(api: Api) -> InProgress:
    """Those of the app."""
    [envelope] = [each for each in api.app.user_middleware if "in_progress" in each.kwargs]
    found: InProgress = envelope.kwargs["in_progress"]  # type: ignore[assignment] # put there by create_app
    return found
