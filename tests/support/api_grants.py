"""What each route of the API grants, to nobody, to another user, to the owner, to an analyst, to a program whose key
has every scope, to an operator and to an admin.

A route that is not in the table fails a test, so that none can be added without this being decided.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from api_calls import PASSWORD
from live_api import LiveApi, Person

from ingest_api.body_limits import BATCH_PATH
from schemas.access import Role

CALLERS = ("nobody", "other", "owner", "analyst", "producer", "ops", "admin")
ROLES: dict[str, Role] = {"analyst": "analyst", "producer": "producer", "ops": "ops", "admin": "admin"}
"""Of those who are no plain users."""

# A wallet can be opened once.
CURRENCIES = dict(zip(CALLERS, ("CHF", "SEK", "NOK", "HUF", "RON", "CZK", "DKK"), strict=True))


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
    for_analyst: int | None = None
    for_producer: int | None = None

    @property
    def analyst(self) -> int:
        """An analyst is another user, but for what the role lacks, and for reading."""
        return self.other if self.for_analyst is None else self.for_analyst

    @property
    def producer(self) -> int:
        """A program is another user, but for what no key can be given."""
        return self.other if self.for_producer is None else self.for_producer

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


def hold_of(world: World, _: str) -> Any:
    return {"source_wallet_id": world.names["wallet_id"], "amount": "1", "currency": "USD"}


def capture(_: World, __: str) -> Any:
    return {"destination_wallet_id": str(uuid4())}


def everything(_: World, __: str) -> Any:
    return {}


def by_reference(world: World, _: str) -> Any:
    return {"wallet_id": world.names["wallet_id"], "reference": "received"}


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


def right_password_of_nobody(_: World, __: str) -> Any:
    return {"current_password": "not the password"}


def own(status: int, body: Body | None = None, for_analyst: int | None = None) -> Grant:
    """A route that is about nobody but the caller: `other` sees what is other's, and so on."""
    return Grant(401, status, status, status, body, for_analyst=for_analyst)


def read(status: int, path: str | None = None) -> Grant:
    """A route that shows what is the owner's."""
    return Grant(401, 404, status, status, path=path, for_analyst=status)


def admins(status: int, body: Body | None = None, path: str | None = None) -> Grant:
    """A route for admins alone."""
    return Grant(401, 403, 403, status, body, path)


def service_account(_: World, caller: str) -> Any:
    return {"email": f"service-{caller}@example.com"}


def somebody(_: World, __: str) -> Any:
    return {"email": "nobody@example.com"}


def no_reset(_: World, __: str) -> Any:
    return {"reset_token": "none", "new_password": "another good passphrase"}


def the_role_it_has(_: World, __: str) -> Any:
    return {"role": "user"}


def key_that_reads(_: World, __: str) -> Any:
    return {"name": "reads", "scopes": ["wallets:read"]}


def operators(status: int, body: Body | None = None, path: str | None = None) -> Grant:
    """A route of the dashboard."""
    return Grant(401, 403, 403, status, body, path, for_ops=status)


def webhook(_: World, __: str) -> Any:
    return {"url": "https://example.com/hook"}


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
    "POST /v1/me/deactivate": (own(403, right_password_of_nobody),),
    "DELETE /v1/users/{user_id}/sessions": (Grant(401, 404, 204, 204, for_producer=403),),
    "GET /v1/notification-preferences": (own(200),),
    "PUT /v1/notification-preferences": (Grant(401, 200, 200, 200, everything, for_producer=403),),
    "GET /v1/deliveries": (own(200),),
    "GET /v1/webhook": (own(200),),
    "PUT /v1/webhook": (Grant(401, 200, 200, 200, webhook, for_producer=403),),
    "POST /v1/webhook/secret": (Grant(401, 200, 200, 200, for_producer=403),),
    "DELETE /v1/webhook": (Grant(401, 204, 204, 204, for_producer=403),),
    "GET /v1/wallets": (
        own(200),
        Grant(401, 403, 200, 200, path="/v1/wallets?user_id={user_id}", for_analyst=200),
    ),
    "POST /v1/wallets": (
        own(201, own_wallet, for_analyst=403),
        Grant(401, 403, 201, 201, wallet_for_the_owner),
    ),
    "GET /v1/wallets/{wallet_id}": (
        read(200),
        Grant(401, 404, 404, 200, path="/v1/wallets/{world_wallet_id}", for_analyst=200),
    ),
    "GET /v1/wallets/{wallet_id}/entries": (
        read(200),
        Grant(401, 404, 404, 200, path="/v1/wallets/{world_wallet_id}/entries", for_analyst=200),
    ),
    "POST /v1/wallets/{wallet_id}/freeze": (admins(200),),
    "POST /v1/wallets/{wallet_id}/unfreeze": (admins(200),),
    "POST /v1/wallets/{wallet_id}/close": (Grant(401, 404, 200, 200, for_analyst=403),),
    "POST /v1/wallets/{wallet_id}/reopen": (admins(200),),
    "GET /v1/users": (admins(200),),
    "GET /v1/users/{user_id}": (admins(200),),
    "PUT /v1/users/{user_id}/role": (admins(200, the_role_it_has),),
    "POST /v1/users/{user_id}/password-resets": (admins(201),),
    "POST /v1/users/{user_id}/deactivate": (admins(200, path="/v1/users/{stranger_id}/deactivate"),),
    "POST /v1/users/{user_id}/reactivate": (admins(200, path="/v1/users/{stranger_id}/reactivate"),),
    "GET /v1/password-resets": (admins(200),),
    "POST /v1/password-resets": (anyone(204, somebody),),
    "POST /v1/password-resets/redeem": (anyone(403, no_reset),),
    "POST /v1/service-accounts": (admins(201, service_account),),
    "GET /v1/users/{user_id}/api-keys": (admins(200),),
    "POST /v1/users/{user_id}/api-keys": (admins(201, key_that_reads, "/v1/users/{producer_id}/api-keys"),),
    "DELETE /v1/users/{user_id}/api-keys/{key_id}": (
        admins(404, path="/v1/users/{producer_id}/api-keys/{completed_id}"),
    ),
    "GET /v1/wallets/{wallet_id}/balance": (
        read(200),
        Grant(401, 404, 404, 200, path="/v1/wallets/{world_wallet_id}/balance", for_analyst=200),
    ),
    "GET /v1/wallets/{wallet_id}/statement": (
        read(200),
        Grant(401, 404, 404, 200, path="/v1/wallets/{world_wallet_id}/statement", for_analyst=200),
    ),
    "GET /v1/wallets/{wallet_id}/pending": (
        read(200),
        Grant(401, 404, 404, 200, path="/v1/wallets/{world_wallet_id}/pending", for_analyst=200),
    ),
    "GET /v1/transfers": (
        own(200),
        read(200, "/v1/transfers?wallet_id={wallet_id}"),
        Grant(401, 404, 404, 200, path="/v1/transfers?wallet_id={world_wallet_id}", for_analyst=200),
    ),
    # A line at least is answered; that nobody takes money out of another's wallet, tests of batches show.
    f"POST {BATCH_PATH}": (Grant(401, 200, 200, 200, payment, for_analyst=403),),
    "POST /v1/transfers": (Grant(401, 404, 202, 202, payment, for_analyst=403),),
    "GET /v1/transfers/events": (
        own(200),
        Grant(401, 403, 403, 200, path="/v1/transfers/events?all=true", for_analyst=200),
    ),
    "POST /v1/holds": (Grant(401, 404, 202, 202, hold_of, for_analyst=403),),
    "GET /v1/holds": (read(200, "/v1/holds?wallet_id={wallet_id}"),),
    "GET /v1/holds/{hold_id}": (read(200),),
    "POST /v1/holds/{hold_id}/capture": (Grant(401, 404, 202, 202, capture, for_analyst=403),),
    "POST /v1/holds/{hold_id}/void": (Grant(401, 404, 202, 202, everything, for_analyst=403),),
    "POST /v1/transfers/{transfer_id}/reversals": (
        Grant(401, 404, 202, 202, everything, path="/v1/transfers/{received_id}/reversals", for_analyst=403),
        Grant(401, 404, 403, 202, everything, path="/v1/transfers/{completed_id}/reversals", for_analyst=403),
    ),
    "POST /v1/reversals": (Grant(401, 404, 202, 202, by_reference, for_analyst=403),),
    "PUT /v1/wallets/{wallet_id}/limits": (admins(200, everything),),
    "POST /v1/deposits": (Grant(401, 403, 403, 202, deposit, for_producer=202),),
    "GET /v1/transfers/{transfer_id}": (
        read(200, "/v1/transfers/{completed_id}"),
        read(200, "/v1/transfers/{failed_id}"),
        read(200, "/v1/transfers/{pending_id}"),
        read(200, "/v1/transfers/{pending_id}?receipt={receipt}"),
        read(409, "/v1/transfers/{rejected_id}?receipt={rejected_receipt}"),
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
