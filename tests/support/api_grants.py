"""What each route of the API grants, to nobody, to another user, to the owner, to an operator and to an admin.

A route that is not in the table fails a test, so that none can be added without this being decided.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from api_calls import PASSWORD
from live_api import LiveApi, Person

from ingest_api.body_limits import BATCH_PATH

CALLERS = ("nobody", "other", "owner", "ops", "admin")
ROLES = {"ops": "ops", "admin": "admin"}
"""Of those who are no plain users."""

CURRENCIES = dict(zip(CALLERS, ("CHF", "SEK", "NOK", "CZK", "DKK"), strict=True))  # a wallet can be opened once


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
        if path == BATCH_PATH:
            headers["Content-Type"] = "application/x-ndjson"
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
    for_ops: int | None = None

    @property
    def ops(self) -> int:
        """An operator is another user, but for what is theirs."""
        return self.other if self.for_ops is None else self.for_ops


def anyone(status: int, body: Body | None = None) -> Grant:
    return Grant(status, status, status, status, body)


def payment_of(wallet: str) -> Any:
    return {"source_wallet_id": wallet, "destination_wallet_id": str(uuid4()), "amount": "1", "currency": "USD"}


def payment(world: World, _: str) -> Any:
    return payment_of(world.names["wallet_id"])


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


def operators(status: int, body: Body | None = None, path: str | None = None) -> Grant:
    """A route of the dashboard."""
    return Grant(401, 403, 403, status, body, path, for_ops=status)


def no_such_letters(_: World, __: str) -> Any:
    return {"addresses": ["0:999"], "reason": "nobody needs it"}


def no_such_letters_alone(_: World, __: str) -> Any:
    return {"addresses": ["0:999"]}


GRANTS: dict[str, tuple[Grant, ...]] = {
    "GET /healthz": (anyone(200),),
    "GET /readyz": (anyone(200),),
    "GET /metrics": (anyone(200),),
    "GET /docs": (anyone(200),),
    "GET /docs/static/{name}": (Grant(200, 200, 200, 200, path="/docs/static/topics.css"),),
    "GET /docs/topics": (anyone(200),),
    "GET /asyncapi.json": (anyone(200),),
    "GET /redoc": (anyone(200),),
    "GET /openapi.json": (anyone(200),),
    "GET /v1/errors": (anyone(200),),
    "GET /v1/errors/{code}": (Grant(200, 200, 200, 200, path="/v1/errors/not_found"),),
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
    # A line at least is answered; that nobody takes money out of another's wallet, tests of batches show.
    f"POST {BATCH_PATH}": (Grant(401, 200, 200, 200, payment),),
    "POST /v1/transfers": (Grant(401, 404, 202, 202, payment),),
    "POST /v1/deposits": (Grant(401, 403, 403, 202, deposit),),
    "GET /v1/transfers/{transfer_id}": (
        Grant(401, 404, 200, 200, path="/v1/transfers/{completed_id}"),
        Grant(401, 404, 200, 200, path="/v1/transfers/{failed_id}"),
        Grant(401, 404, 200, 200, path="/v1/transfers/{pending_id}"),
        Grant(401, 404, 200, 200, path="/v1/transfers/{pending_id}?receipt={receipt}"),
        Grant(401, 404, 409, 409, path="/v1/transfers/{rejected_id}?receipt={rejected_receipt}"),
    ),
    "GET /ops": (anyone(200),),
    "GET /ops/static/{name}": (Grant(200, 200, 200, 200, path="/ops/static/main.js"),),
    "GET /ops/events": (operators(200),),
    "GET /ops/lag/{group}/{partition}": (operators(404, path="/ops/lag/none/0"),),
    "GET /ops/transfers/{transfer_id}": (operators(200, path="/ops/transfers/{completed_id}"),),
    "GET /ops/dead-letters": (operators(200),),
    "GET /ops/dead-letters/{address}": (operators(404, path="/ops/dead-letters/0:999"),),
    "POST /ops/replays": (operators(404, no_such_letters_alone),),
    "POST /ops/discards": (operators(404, no_such_letters),),
    "POST /ops/reopenings": (operators(404, no_such_letters_alone),),
}
