"""Accounts."""

from hfts_client.answers import read
from hfts_client.api import Api
from hfts_client.effects import Operation
from hfts_client.models import User


def register(api: Api, email: str, password: str) -> Operation[User]:
    """Open an account. Anyone may. The password needs 15 characters and must not be easy to guess."""
    return read((yield from api.send("POST", "/v1/users", {"email": email, "password": password})), User)


def me(api: Api) -> Operation[User]:
    """The caller's account."""
    return read((yield from api.get("/v1/me")), User)
