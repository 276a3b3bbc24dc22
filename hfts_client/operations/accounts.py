"""Accounts and API keys."""

from collections.abc import Sequence

from hfts_client.answers import read
from hfts_client.api import Api, item_path
from hfts_client.effects import Operation, Request
from hfts_client.models import ApiKey, ApiKeyList, Id, NewApiKey, User
from hfts_client.orders import id_text
from hfts_client.paths import USERS


def register(api: Api, email: str, password: str) -> Operation[User]:
    """Open an account. Anyone may. The password needs 15 characters and must not be easy to guess."""
    return read((yield from api.send("POST", USERS, {"email": email, "password": password})), User)


def me(api: Api) -> Operation[User]:
    """The caller's account."""
    return read((yield from api.get("/v1/me")), User)


def create_service(api: Api, email: str) -> Operation[User]:
    """An account for a program, which has API keys and no password (admins only).

    ``email`` is that of the people who answer for it.
    """
    return read((yield from api.send("POST", "/v1/service-accounts", {"email": email})), User)


def create_api_key(
    api: Api, user_id: Id, *, name: str, scopes: Sequence[str], expires_in_days: int | None = None
) -> Operation[NewApiKey]:
    """A key of a program's, with no more scopes than it needs. Its ``key`` is shown once, here: keep it."""
    body: dict[str, object] = {"name": name, "scopes": list(scopes)}
    if expires_in_days is not None:
        body["expires_in_days"] = expires_in_days
    return read((yield from api.send("POST", item_path(USERS, user_id, "api-keys"), body)), NewApiKey)


def list_api_keys(api: Api, user_id: Id) -> Operation[list[ApiKey]]:
    """A program's keys, the newest first; of those that are over, the newest 20 (admins only)."""
    return read((yield from api.get(item_path(USERS, user_id, "api-keys"))), ApiKeyList).data


def revoke_api_key(api: Api, user_id: Id, key_id: Id) -> Operation[None]:
    """End a key."""
    yield from api.call(Request("DELETE", item_path(USERS, user_id, "api-keys", id_text(key_id))))
