"""Who may do what: every route of the app, asked by nobody, by another user, by the owner and by an admin.

What each route grants stands in the table of `tests/support/api_grants.py`.
"""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, get_args

import asyncpg
import pytest
from api_grants import CALLERS, GRANTS, ROLES, Grant, World, payment_of
from fastapi.routing import APIRoute
from live_api import LiveApi, Person, app_client, token_headers
from pydantic import SecretStr

from ingest_api.app import create_app
from ops.dashboard.extension import dashboard
from ops.embedded.stack import Stack
from schemas.access import Scope
from schemas.holds import hold_wallet_id
from schemas.settings import Settings
from sinks.kafka.topics import ensure_topics
from sinks.postgres.pool import connect
from tests.conftest import cloned_database

EPOCH = 1_000
UNKNOWN = "00000000-0000-4000-8000-000000000000"

INSERT_TRANSFER = """
insert into transfers (transfer_id, source_wallet_id, destination_wallet_id, amount, currency, status, reason,
    source_balance, source_version, destination_balance, destination_version, requested_at, completed_at,
    request_partition, request_offset)
values (gen_random_uuid(), $1, $2, 1, 'USD', $3, $4, $5::numeric, $5::bigint, $5::numeric, $5::bigint, now(), now(),
    0, 0)
returning transfer_id::text
"""

INSERT_WEBHOOK = "insert into webhooks (user_id, url, secret_sealed) values ($1, 'https://example.com/', '')"


def routes() -> set[str]:
    """Each route with its method. What FastAPI adds of itself has HEAD beside GET, which grants the same."""
    settings = Settings(postgres_password=SecretStr("none"), secret_key=SecretStr("none" * 8))
    app = create_app(settings, extension=dashboard())
    found = set()
    for route in app.routes:
        methods = set(getattr(route, "methods", None) or ()) - ({"HEAD"} if not isinstance(route, APIRoute) else set())
        found |= {f"{method} {getattr(route, 'path_format', '')}" for method in methods}
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


INSERT_PARENT = """
insert into transfers (transfer_id, source_wallet_id, destination_wallet_id, amount, currency, status, reference, kind,
    source_balance, source_version, destination_balance, destination_version, requested_at, completed_at,
    request_partition, request_offset)
values (gen_random_uuid(), $1, $2, 1, 'USD', 'COMPLETED', $3, $4, 1, 1, 1, 1, now(), now(), 0, 0)
returning transfer_id::text
"""


@pytest.fixture(scope="module")
async def world(stack: Stack, template: str) -> AsyncIterator[World]:
    async with cloned_database(stack, template) as settings, open_api(settings) as api:
        world = World(api)
        for name in CALLERS[1:]:
            role = ROLES.get(name, "user")
            world.people[name] = person = await api.person(name, role)
            # A token that outlives the end of all sessions, which is among what is asked for.
            person.headers = token_headers(api.app, person.user_id, role, epoch=EPOCH)
            await api.connection.execute(INSERT_WEBHOOK, person.user_id)
        owner = world.people["owner"]
        wallet = await api.wallet(owner)
        world.people["producer"].headers = await key_headers(world)
        stranger = await api.wallet(await api.person("stranger"))
        transfers = [
            await api.connection.fetchval(INSERT_TRANSFER, wallet, stranger, status, reason, balance)
            for status, reason, balance in (("COMPLETED", None, 1), ("FAILED", "insufficient_funds", None))
        ]
        pending, rejected = [(await world.ask("POST", "/v1/transfers", "owner", payment_of(wallet))) for _ in range(2)]
        world.names = {
            "user_id": owner.user_id,
            "stranger_id": api.people["stranger"].user_id,
            "producer_id": world.people["producer"].user_id,
            "wallet_id": wallet,
            "world_wallet_id": await api.connection.fetchval(
                "select wallet_id::text from wallets where kind = 'world'"
            ),
            "completed_id": transfers[0],
            "failed_id": transfers[1],
            "hold_id": await api.connection.fetchval(INSERT_PARENT, wallet, hold_wallet_id(wallet), None, "hold"),
            "received_id": await api.connection.fetchval(INSERT_PARENT, stranger, wallet, "received", None),
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


def receipt_at(api: LiveApi, accepted: Any, owner: Person, partition: int) -> str:
    from ingest_api.receipts import Receipt  # noqa: PLC0415

    receipt = Receipt(accepted["transfer_id"], owner.user_id, partition, 0)
    token: str = api.app.state.services.receipts.sign(receipt)
    return token


async def key_headers(world: World) -> dict[str, str]:
    """Those of a program whose key has every scope."""
    path = f"/v1/users/{world.people['producer'].user_id}/api-keys"
    made = await world.ask("POST", path, "admin", {"name": "all", "scopes": list(get_args(Scope))})
    return {"Authorization": f"Bearer {made.json()['key']}"}


@asynccontextmanager
async def open_api(settings: Settings) -> AsyncIterator[LiveApi]:
    await ensure_topics(settings)
    connection: asyncpg.Connection = await connect(settings)
    async with app_client(settings, dashboard()) as (app, client):
        app.state.draining.leaving.set()  # an answer without an end comes to its end at once
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
