"""Who may do what: every route of the app, asked by nobody, by another user, by the owner and by an admin.

The table below says what each route grants. A route that is not in it fails a test, so that none can be added without
this being decided.
"""

import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import pytest
from fastapi.routing import APIRoute
from pydantic import SecretStr

from ingest_api.app import create_app
from ops.embedded.stack import Stack
from schemas.settings import Settings
from sinks.kafka.topics import ensure_topics
from sinks.postgres.pool import connect
from tests.conftest import cloned_database
from tests.integration.conftest import PASSWORD, LiveApi, Person

CALLERS = ("nobody", "other", "owner", "admin")
CURRENCIES = dict(zip(CALLERS, ("CHF", "SEK", "NOK", "DKK"), strict=True))  # a wallet can be opened once
UNKNOWN = "00000000-0000-4000-8000-000000000000"

INSERT_TRANSFER = """
insert into transfers (transfer_id, source_wallet_id, destination_wallet_id, amount, currency, status, reason,
    source_balance, source_version, destination_balance, destination_version, requested_at, completed_at,
    request_partition, request_offset)
values (gen_random_uuid(), $1, $2, 1, 'USD', $3, $4, $5::numeric, $5::bigint, $5::numeric, $5::bigint, now(), now(),
    0, 0)
returning transfer_id::text
"""


@dataclass
class World:
    """One owner with something of everything."""

    api: LiveApi
    people: dict[str, Person] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # what stands in the table's paths for a real one

    async def ask(self, method: str, path: str, caller: str, body: Any = None) -> Any:
        person = self.people.get(caller)
        headers = dict(person.headers if person else {}, **{"X-Request-Id": "same"})
        how = {"data": body} if isinstance(body, dict) and path.startswith("/v1/auth/") else {"json": body}
        return await self.api.client.request(method, path, headers=headers, **({} if body is None else how))


Body = Callable[[World, str], Any]


@dataclass(frozen=True, slots=True)
class Grant:
    """What becomes of a request of the owner's things, by who sends it."""

    nobody: int
    other: int
    owner: int
    admin: int
    body: Body | None = None
    path: str | None = None  # where the route's own path asks for things of several kinds


def anyone(status: int, body: Body | None = None) -> Grant:
    return Grant(status, status, status, status, body)


def payment(world: World, _: str) -> Any:
    return {
        "source_wallet_id": world.names["wallet_id"],
        "destination_wallet_id": str(uuid4()),
        "amount": "1",
        "currency": "USD",
    }


def deposit(world: World, _: str) -> Any:
    return {"wallet_id": world.names["wallet_id"], "amount": "1", "currency": "USD"}


def wallet_for_the_owner(world: World, caller: str) -> Any:
    return {"currency": CURRENCIES[caller], "user_id": world.people["owner"].user_id}


def own_wallet(_: World, caller: str) -> Any:
    return {"currency": CURRENCIES[caller].replace("NOK", "PLN")}


def account(_: World, caller: str) -> Any:
    return {"email": f"new-{caller}@example.com", "password": PASSWORD}


def wrong_login(world: World, _: str) -> Any:
    return {"grant_type": "password", "username": world.people["owner"].email, "password": "not the password"}


def no_token(_: World, __: str) -> Any:
    return {"token": "none"}


def wrong_password(_: World, __: str) -> Any:
    return {"current_password": "not the password", "new_password": "another good passphrase"}


def own(status: int, body: Body | None = None) -> Grant:
    """A route that is about nobody but the caller: `other` sees what is other's, and so on."""
    return Grant(401, status, status, status, body)


GRANTS: dict[str, tuple[Grant, ...]] = {
    "GET /healthz": (anyone(200),),
    "GET /readyz": (anyone(200),),
    "GET /metrics": (anyone(200),),
    "GET /docs": (anyone(200),),
    "GET /docs/oauth2-redirect": (anyone(200),),
    "GET /redoc": (anyone(200),),
    "GET /openapi.json": (anyone(200),),
    "POST /v1/users": (anyone(201, account),),
    "POST /v1/auth/token": (anyone(401, wrong_login),),
    "POST /v1/auth/revoke": (anyone(200, no_token),),
    "GET /v1/me": (own(200),),
    "PUT /v1/me/password": (own(403, wrong_password),),
    "DELETE /v1/users/{user_id}/sessions": (Grant(401, 404, 204, 204),),
    "GET /v1/wallets": (own(200),),
    "POST /v1/wallets": (own(201, own_wallet), Grant(401, 403, 201, 201, wallet_for_the_owner)),
    "GET /v1/wallets/{wallet_id}": (
        Grant(401, 404, 200, 200),
        Grant(401, 404, 404, 200, path="/v1/wallets/{world_wallet_id}"),
    ),
    "GET /v1/wallets/{wallet_id}/entries": (
        Grant(401, 404, 200, 200),
        Grant(401, 404, 404, 200, path="/v1/wallets/{world_wallet_id}/entries"),
    ),
    "POST /v1/transfers": (Grant(401, 404, 202, 202, payment),),
    "POST /v1/deposits": (Grant(401, 403, 403, 202, deposit),),
    "GET /v1/transfers/{transfer_id}": (
        Grant(401, 404, 200, 200, path="/v1/transfers/{completed_id}"),
        Grant(401, 404, 200, 200, path="/v1/transfers/{failed_id}"),
        Grant(401, 404, 200, 200, path="/v1/transfers/{pending_id}"),
        Grant(401, 404, 200, 200, path="/v1/transfers/{pending_id}?receipt={receipt}"),
        Grant(401, 404, 409, 409, path="/v1/transfers/{rejected_id}?receipt={rejected_receipt}"),
    ),
}


def routes() -> set[str]:
    """Each route with its method. What FastAPI adds of itself has HEAD beside GET, which grants the same."""
    app = create_app(Settings(postgres_password=SecretStr("none"), secret_key=SecretStr("none" * 8)))
    found = set()
    for route in app.routes:
        methods = set(getattr(route, "methods", None) or ()) - ({"HEAD"} if not isinstance(route, APIRoute) else set())
        found |= {f"{method} {getattr(route, 'path', '')}" for method in methods}
    return found


def cases() -> list[Any]:
    return [
        pytest.param(name, grant, caller, id=f"{name}-{number}-{caller}")
        for name, grants in GRANTS.items()
        for number, grant in enumerate(grants)
        for caller in CALLERS
    ]


def test_every_route_is_decided() -> None:
    assert routes() == set(GRANTS)


@pytest.fixture(scope="module")
async def world(stack: Stack, template: str) -> AsyncIterator[World]:
    async with cloned_database(stack, template) as settings, open_api(settings) as api:
        world = World(api)
        for name in CALLERS[1:]:
            world.people[name] = await api.person(name, "admin" if name == "admin" else "user")
        owner = world.people["owner"]
        wallet = await api.wallet(owner)
        stranger = await api.wallet(await api.person("stranger"))
        transfers = [
            await api.connection.fetchval(INSERT_TRANSFER, wallet, stranger, status, reason, balance)
            for status, reason, balance in (("COMPLETED", None, 1), ("FAILED", "insufficient_funds", None))
        ]
        pending, rejected = [(await world.ask("POST", "/v1/transfers", "owner", payment_of(wallet))) for _ in range(2)]
        world.names = {
            "user_id": owner.user_id,
            "wallet_id": wallet,
            "world_wallet_id": await api.connection.fetchval(
                "select wallet_id::text from wallets where kind = 'world'"
            ),
            "completed_id": transfers[0],
            "failed_id": transfers[1],
            "pending_id": pending.json()["transfer_id"],
            "receipt": pending.json()["receipt"],
            "rejected_id": rejected.json()["transfer_id"],
            # The same receipt, as it would be had the request stood before all that has been applied.
            "rejected_receipt": receipt_at(api, rejected.json(), owner, partition=7),
        }
        await api.connection.execute(
            "insert into stream_progress (topic, partition, next_offset) values ($1, 7, 1)", pending.json()["topic"]
        )
        yield world


def payment_of(wallet: str) -> Any:
    return {"source_wallet_id": wallet, "destination_wallet_id": str(uuid4()), "amount": "1", "currency": "USD"}


def receipt_at(api: LiveApi, accepted: Any, owner: Person, partition: int) -> str:
    from ingest_api.receipts import Receipt  # noqa: PLC0415

    receipt = Receipt(accepted["transfer_id"], owner.user_id, partition, 0)
    token: str = api.app.state.services.receipts.sign(receipt)
    return token


@asynccontextmanager
async def open_api(settings: Settings) -> AsyncIterator[LiveApi]:
    await ensure_topics(settings)
    connection: asyncpg.Connection = await connect(settings)
    app = create_app(settings)
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://api", timeout=30) as client,
    ):
        yield LiveApi(app, client, connection, settings)
    await connection.close()


@pytest.mark.parametrize(("name", "grant", "caller"), cases())
async def test_what_is_granted(world: World, name: str, grant: Grant, caller: str) -> None:
    method, _, route = name.partition(" ")
    body = grant.body(world, caller) if grant.body else None
    answer = await world.ask(method, (grant.path or route).format(**world.names), caller, body)
    assert answer.status_code == getattr(grant, caller), answer.text
    if answer.status_code == 401 and "/auth/" not in route:
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["code"] == "unauthenticated"


@pytest.mark.parametrize(
    ("name", "grant"), [(name, grant) for name, grants in GRANTS.items() for grant in grants if grant.other == 404]
)
async def test_what_is_anothers_looks_like_what_is_not_there(world: World, name: str, grant: Grant) -> None:
    """But for the id that was sent itself, in `instance`."""
    method, _, route = name.partition(" ")
    foreign = (grant.path or route).format(**world.names)
    body = grant.body(world, "other") if grant.body else None
    missing, absent_body = foreign, body
    for named, value in world.names.items():
        if named.endswith("_id"):
            missing = missing.replace(value, UNKNOWN)
            absent_body = json.loads(json.dumps(absent_body).replace(value, UNKNOWN))
    assert (missing, absent_body) != (foreign, body)
    answers = [
        await world.ask(method, path, "other", content) for path, content in ((foreign, body), (missing, absent_body))
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() | {"instance": ""} == answers[1].json() | {"instance": ""}
    assert dict(answers[0].headers) | {"content-length": ""} == dict(answers[1].headers) | {"content-length": ""}


@pytest.mark.parametrize("with_receipt", [True, False])
async def test_a_receipt_of_anothers_helps_nobody(world: World, with_receipt: bool) -> None:
    """Nor does one's own for another's transfer, nor one that was altered."""
    names = world.names
    own = (await world.ask("POST", "/v1/transfers", "other", payment_of(await others_wallet(world)))).json()
    raw = bytearray(base64.urlsafe_b64decode(names["receipt"] + "=" * (-len(names["receipt"]) % 4)))
    raw[20] ^= 1
    forged = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    for receipt in (names["receipt"], own["receipt"], forged) if with_receipt else ("",):
        answer = await world.ask("GET", f"/v1/transfers/{names['pending_id']}?receipt={receipt}", "other")
        assert (answer.status_code, answer.json()["code"]) == (404, "transfer_not_found")


async def others_wallet(world: World) -> str:
    for wallet in (await world.ask("GET", "/v1/wallets", "other")).json()["data"]:
        return str(wallet["wallet_id"])
    return await world.api.wallet(world.people["other"])


async def test_one_sees_ones_own_only(world: World) -> None:
    """What is about the caller shows nothing of the owner's."""
    for path in ("/v1/me", "/v1/wallets"):
        answer = await world.ask("GET", path, "other")
        assert answer.status_code == 200
        for value in (*world.names.values(), world.people["owner"].email):
            assert value not in answer.text


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer x", "Basic b3duZXI6cGFzc3dvcmQ=", "bearer x.y.z", "Bearer " + "x" * 10_000],
)
async def test_no_good_token_is_no_token(world: World, authorization: str) -> None:
    for name, grants in GRANTS.items():
        if grants[0].nobody != 401 or "/auth/" in name:
            continue
        method, _, route = name.partition(" ")
        path = (grants[0].path or route).format(**world.names)
        answer = await world.api.client.request(method, path, headers={"Authorization": authorization})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), name
