"""Bodies of the HTTP API about the accounts of others, API keys and forgotten passwords."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from schemas.access import PersonalRole, Scope
from schemas.accounts import Password, User
from schemas.http import Email, Input, Output, Text, Time

KEY_NAME_CHARS_MAX = 100
KEY_DAYS_MAX = 3_650
RESET_TOKEN_CHARS_MAX = 200


def _whole(number: object) -> object:
    """JSON Schema knows no difference between 7 and 7.0 (2020-12, section 4.2.3 of its core)."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


class NewServiceAccount(Input):
    """An account for a program. `email` is that of the people who answer for it."""

    email: Email


class UserPage(Output):
    """Accounts in order of their ids. With `has_more`, go on with `starting_after` = the last `user_id`."""

    data: list[User]
    has_more: bool


class RoleChange(Input):
    """What an account shall be from now on."""

    role: PersonalRole


class NewApiKey(Input):
    """A key to make. Give it no more scopes than the program needs."""

    name: Annotated[Text, Field(min_length=1, max_length=KEY_NAME_CHARS_MAX)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=10)]
    expires_in_days: Annotated[int, Field(ge=1, le=KEY_DAYS_MAX), BeforeValidator(_whole)] | None = Field(
        None, description="Left out, the key is good until it is revoked."
    )


class ApiKey(Output):
    """An API key without its secret."""

    key_id: str
    user_id: str
    name: str
    scopes: list[Scope]
    created_at: Time
    expires_at: Time | None
    last_used_at: Time | None = Field(description="To a quarter of an hour.")
    revoked_at: Time | None


class NewlyMadeApiKey(ApiKey):
    """A new API key: `key` is shown here and never again."""

    key: str = Field(description="Send it as a Bearer token.")


class ApiKeyList(Output):
    """The keys of an account, the newest first."""

    data: list[ApiKey]


class ResetRequest(Input):
    """The e-mail address of an account whose password is forgotten."""

    email: Email


class WaitingReset(Output):
    """Somebody has asked for a new password to this account."""

    user_id: str
    email: str
    requested_at: Time


class WaitingResetList(Output):
    """What waits for an admin, the oldest first."""

    data: list[WaitingReset]


class ResetToken(Output):
    """Good once, for another password. Hand it over on a way that only the account's owner reads."""

    reset_token: str
    expires_at: Time


class PasswordReset(Input):
    """Another password for the account that the token was made for."""

    reset_token: Annotated[Text, Field(max_length=RESET_TOKEN_CHARS_MAX)]
    new_password: Password
