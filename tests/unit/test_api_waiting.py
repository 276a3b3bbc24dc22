"""`Prefer: wait`: the answer is the outcome, where that is told in time."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from told_outcomes import failed, letter, outcome_of, told

from ingest_api import acceptance, waits
from ingest_api.routes import transfers as transfers_route
from ingest_api.told import row_of
from ingest_api.waiting import Deadline
from ingest_api.waits import Waits
from schemas.transfers import decode_request
from sinks.kafka.positions import Position
from tests.unit.conftest import Api

USER, OTHER = str(uuid4()), str(uuid4())
WAIT = {"Prefer": "wait=20"}

Then = Callable[[bytes, Position], None]


def waits_of(api: Api) -> Waits:
    found: Waits = api.app.state.services.outcomes.waits
    return found


def order(source: str, destination: str | None = None, **more: Any) -> dict[str, Any]:
    ids = {"source_wallet_id": source, "destination_wallet_id": destination or str(uuid4())}
    return {**ids, "amount": "12.5", "currency": "USD", **more}


async def post(api: Api, sent: Any, user: str = USER, role: str = "user", **headers: str) -> Any:
    return await api.client.post("/v1/transfers", json=sent, headers=api.headers(user, role, **headers))


def completes(api: Api, **changes: Any) -> Then:
    """Whatever is published is applied and told at once, before its producer is answered."""

    def tell(value: bytes, _position: Position) -> None:
        request, _ = decode_request(value)
        waits_of(api).tell_outcomes([told(outcome_of(request, **changes))])

    return tell


def is_set_aside(api: Api, cause: str, *, elsewhere: bool = False) -> Then:
    """Whatever is published becomes a dead letter; or what somebody else has published under the same id."""

    def tell(value: bytes, position: Position) -> None:
        waits_of(api).tell_letters([letter(value, cause, position.partition, position.offset + elsewhere)])

    return tell


def soon(act: Callable[[], None]) -> Then:
    def call_soon(_value: bytes, _position: Position) -> None:
        asyncio.get_running_loop().call_soon(act)

    return call_soon


@pytest.fixture
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for longer than this."""
    for module in (acceptance, transfers_route):
        monkeypatch.setattr(module, "Deadline", lambda _: Deadline(0.01))


async def test_the_outcome_is_the_answer(api: Api) -> None:
    api.requests.then = completes(api)
    answer = await post(api, order(api.wallet(USER), api.wallet(OTHER), reference="rent"), **WAIT)
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=20")
    seen = answer.json()
    assert answer.headers["content-location"] == f"/v1/transfers/{seen['transfer_id']}"
    assert (seen["status"], seen["amount"], seen["reference"]) == ("COMPLETED", "12.5000", "rent")
    assert (seen["source_balance"], seen["destination_balance"]) == ("9.0000", None)
    assert not waits_of(api)


async def test_an_admin_and_who_pays_themselves_see_both_balances(api: Api) -> None:
    api.requests.then = completes(api)
    for user, role, payee in ((USER, "user", USER), (OTHER, "admin", str(uuid4()))):
        seen = (await post(api, order(api.wallet(USER), api.wallet(payee)), user, role, **WAIT)).json()
        assert (seen["source_version"], seen["destination_version"]) == (2, 5)


async def test_a_failure_is_an_outcome_like_any_other(api: Api) -> None:
    api.requests.then = completes(api, **{name: getattr(failed(), name) for name in ("status", "reason")})
    answer = await post(api, order(api.wallet(USER)), **WAIT)
    assert (answer.status_code, answer.json()["reason"]) == (200, "insufficient_funds")


async def test_a_deposit_may_be_waited_for(api: Api) -> None:
    api.requests.then = completes(api)
    sent = {"wallet_id": api.wallet(USER), "amount": "100", "currency": "USD"}
    answer = await api.client.post("/v1/deposits", json=sent, headers=api.headers(OTHER, "admin", **WAIT))
    assert (answer.status_code, answer.json()["status"]) == (200, "COMPLETED")


async def test_without_a_database_it_is_waited_all_the_same(api: Api) -> None:
    source = api.wallet(USER)
    await post(api, order(source))
    api.wallets.is_away = api.transfers.is_away = True
    api.requests.then = completes(api)
    answer = await post(api, order(source), **WAIT)
    assert (answer.status_code, answer.json()["source_balance"]) == (200, "9.0000")


async def test_no_statement_is_made_for_an_outcome_that_is_told(api: Api) -> None:
    source, destination = api.wallet(USER), api.wallet(OTHER)
    api.requests.then = completes(api)
    await post(api, order(source, destination), **WAIT)
    statements = api.wallets.statements
    await post(api, order(source, destination), **WAIT)
    assert (api.wallets.statements, api.transfers.asked) == (statements, [])


@pytest.mark.usefixtures("in_no_time")
async def test_what_takes_too_long_has_a_receipt(api: Api) -> None:
    answer = await post(api, order(api.wallet(USER)), **WAIT)
    assert (answer.status_code, answer.json()["status"]) == (202, "PENDING")
    assert answer.headers["preference-applied"] == "wait=20"
    assert answer.headers["location"] == answer.json()["location"]
    assert not waits_of(api)


@pytest.mark.usefixtures("in_no_time")
async def test_what_was_not_told_is_looked_up_once_at_the_end(api: Api) -> None:
    def apply(value: bytes, _position: Position) -> None:
        request, _ = decode_request(value)
        api.transfers.rows[request.transfer_id] = row_of(outcome_of(request), USER, OTHER)

    api.requests.then = apply
    answer = await post(api, order(api.wallet(USER)), **WAIT)
    assert (answer.status_code, answer.json()["status"]) == (200, "COMPLETED")
    api.requests.then, api.transfers.next_offset = (lambda _value, _position: None), 10
    answer = await post(api, order(api.wallet(USER)), **WAIT)
    assert (answer.status_code, answer.json()["code"]) == (409, "transfer_rejected")


async def test_without_kafka_it_is_as_ever(api: Api) -> None:
    api.requests.is_away = api.following.is_away = True
    answer = await post(api, order(api.wallet(USER)), **WAIT)
    assert (answer.status_code, answer.json()["code"]) == (503, "broker_unavailable")
    assert not waits_of(api)


@pytest.mark.parametrize("end", ["end_all", "close"])
async def test_who_can_be_told_nothing_more_is_answered_at_once(api: Api, end: str) -> None:
    api.requests.then = soon(getattr(waits_of(api), end))
    answer = await post(api, order(api.wallet(USER)), **WAIT)
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "wait=20")


async def test_a_process_that_leaves_lets_nobody_wait(api: Api) -> None:
    api.requests.then = soon(lambda: api.app.state.draining.end_at(2.0**40))
    assert (await post(api, order(api.wallet(USER)), **WAIT)).status_code == 202
    answer = await post(api, order(api.wallet(USER)), **WAIT)
    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers


@pytest.mark.parametrize("bound", ["WAITS_MAX", "CALLER_MAX"])
async def test_beyond_the_bounds_nobody_waits(api: Api, monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    monkeypatch.setattr(waits, bound, 0)
    answer = await post(api, order(api.wallet(USER)), **WAIT)
    assert answer.status_code == 202
    assert "preference-applied" not in answer.headers


@pytest.mark.parametrize(
    ("cause", "status", "code"),
    [("transfer_id_reused", 422, "idempotency_key_reused"), ("unsigned_request", 409, "transfer_rejected")],
)
async def test_a_dead_letter_is_an_answer(api: Api, cause: str, status: int, code: str) -> None:
    api.requests.then = is_set_aside(api, cause)
    answer = await post(api, order(api.wallet(USER)), **WAIT)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.usefixtures("in_no_time")
async def test_anothers_dead_letter_is_none(api: Api) -> None:
    api.requests.then = is_set_aside(api, "transfer_id_reused", elsewhere=True)
    assert (await post(api, order(api.wallet(USER)), **WAIT)).status_code == 202


async def test_of_a_key_that_is_in_use_elsewhere_the_outcome_is_that_of_its_first_use(api: Api) -> None:
    source, key = api.wallet(USER), {"Idempotency-Key": "1"}
    api.requests.then = completes(api)
    assert (await post(api, order(source), **WAIT, **key)).status_code == 200
    api.requests.then = completes(api, amount="99.0000")
    answer = await post(api, order(source), **WAIT, **{"Idempotency-Key": "2"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_repeat_is_answered_from_the_ledger(api: Api) -> None:
    sent = order(api.wallet(USER))
    headers = {"Idempotency-Key": "1", **WAIT}
    api.requests.then = completes(api)
    first = await post(api, sent, **headers)
    [(_, value)] = api.requests.records
    request, _ = decode_request(value)
    transfer_id = str(uuid5(UUID(USER), "1"))
    api.transfers.rows[transfer_id] = row_of(outcome_of(request), USER, OTHER)
    second = await post(api, sent, **headers)
    assert (second.status_code, second.headers["idempotent-replayed"]) == (200, "true")
    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert len(api.requests.records) == 1


async def test_a_client_that_leaves_frees_its_place(api: Api) -> None:
    published = asyncio.Event()
    api.requests.then = lambda _value, _position: published.set()
    waiting = asyncio.create_task(leave(api, published))
    await waiting
    assert not waits_of(api)


async def leave(api: Api, published: asyncio.Event) -> None:
    """One who sends a request that wants to wait, and hangs up once it is accepted."""
    body = str(order(api.wallet(USER))).replace("'", '"').encode()
    headers = {**api.headers(USER), "Content-Type": "application/json", **WAIT}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/transfers",
        "raw_path": b"/v1/transfers",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    messages = iter([{"type": "http.request", "body": body}])

    async def receive() -> Any:
        for message in messages:
            return message
        await published.wait()
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        """Nobody reads it."""

    await api.app(scope, receive, send)


async def test_a_pending_transfer_may_be_waited_for(api: Api) -> None:
    accepted = await post(api, order(api.wallet(USER)))
    [(_, value)] = api.requests.records
    request, _ = decode_request(value)

    async def look(transfer_id: str, partition: int | None) -> Any:
        """The first look finds nothing; then it is applied and told."""
        api.transfers.find = find  # type: ignore[method-assign]
        found = await find(transfer_id, partition)
        api.transfers.rows[transfer_id] = row_of(outcome_of(request), USER, OTHER)
        waits_of(api).tell_outcomes([told(outcome_of(request))])
        return found

    find = api.transfers.find
    api.transfers.find = look  # type: ignore[method-assign]
    answer = await api.client.get(accepted.headers["location"], headers=api.headers(USER, **WAIT))
    assert (answer.status_code, answer.json()["status"]) == (200, "COMPLETED")
    assert answer.headers["preference-applied"] == "wait=20"


@pytest.mark.usefixtures("in_no_time")
async def test_and_still_be_pending_then(api: Api) -> None:
    accepted = await post(api, order(api.wallet(USER)))
    answer = await api.client.get(accepted.headers["location"], headers=api.headers(USER, **WAIT))
    assert (answer.status_code, answer.json()["status"]) == (200, "PENDING")
    unknown = await api.client.get(f"/v1/transfers/{uuid4()}", headers=api.headers(USER, **WAIT))
    assert unknown.status_code == 404


async def test_a_receipt_of_other_content_is_not_that_of_the_transfer(api: Api) -> None:
    accepted = await post(api, order(api.wallet(USER)), **{"Idempotency-Key": "1"})
    [(_, value)] = api.requests.records
    request, _ = decode_request(value)
    row = row_of(outcome_of(request), USER, OTHER)
    api.transfers.rows[request.transfer_id] = row
    location = accepted.headers["location"]
    assert (await api.client.get(location, headers=api.headers(USER))).json()["status"] == "COMPLETED"
    api.transfers.rows[request.transfer_id] = row_of(outcome_of(request, amount="99.0000"), USER, OTHER)
    answer = await api.client.get(location, headers=api.headers(USER))
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")
    bare = await api.client.get(location.partition("?")[0], headers=api.headers(USER))
    assert (bare.status_code, bare.json()["amount"]) == (200, "99.0000")
