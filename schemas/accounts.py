"""Bodies of the HTTP API about accounts and logins."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from schemas.access import Role
from schemas.http import EXTENSIBLE, Email, Input, Output, Text, Time
from schemas.passwords import PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, check_password_length, normalise_password

PASSWORD_TYPED_CHARS_MAX = 1_000
"""Of a password that is only compared: it may be wrong in any way."""

TypedPassword = Annotated[
    Text, Field(max_length=PASSWORD_TYPED_CHARS_MAX), WithJsonSchema({"type": "string", "format": "password"})
]

Password = Annotated[
    Text,
    Field(max_length=PASSWORD_CHARS_MAX),
    AfterValidator(normalise_password),
    AfterValidator(check_password_length),
    WithJsonSchema(
        {
            "type": "string",
            "format": "password",
            "minLength": PASSWORD_CHARS_MIN,
            "maxLength": PASSWORD_CHARS_MAX,
            "description": "Any characters, counted in Unicode's form NFKC. Refused where it is easy to guess.",
        }
    ),
]


class NewUser(Input):
    """An account to open."""

    email: Email
    password: Password


class PasswordChange(Input):
    """Another password for the caller's account."""

    current_password: TypedPassword
    new_password: Password


class Deactivation(Input):
    """The password of the account that is to be closed to everybody."""

    current_password: TypedPassword


class User(Output):
    """An account. The password's hash stays inside."""

    user_id: str
    email: str
    status: Literal["active", "disabled"]
    role: Role = Field(json_schema_extra=EXTENSIBLE)
    created_at: Time
    updated_at: Time


def _as_two_grants(schema: dict[str, Any]) -> None:
    """The form as OpenAPI has it: one set of fields for each grant."""
    text = {"type": "string"}
    del schema["type"], schema["properties"]
    schema["oneOf"] = [
        {
            "title": "PasswordGrant",
            "type": "object",
            "properties": {
                "grant_type": {**text, "const": "password", "default": "password"},
                "username": {**text, "description": "The e-mail."},
                "password": {**text, "format": "password"},
            },
            "required": ["username", "password"],
        },
        {
            "title": "RefreshTokenGrant",
            "type": "object",
            "properties": {"grant_type": {**text, "const": "refresh_token"}, "refresh_token": text},
            "required": ["grant_type", "refresh_token"],
        },
    ]


class TokenForm(BaseModel):
    """What is shown for a token: e-mail and password, or a refresh token (RFC 6749 sections 4.3 and 6)."""

    model_config = ConfigDict(hide_input_in_errors=True, json_schema_extra=_as_two_grants)

    grant_type: Literal["password", "refresh_token"] = "password"
    username: str | None = None
    password: str | None = None
    refresh_token: str | None = None

    def missing_fields(self) -> list[str]:
        """Those that the grant needs and that are not there."""
        needed = ("username", "password") if self.grant_type == "password" else ("refresh_token",)
        return [name for name in needed if getattr(self, name) is None]


class RevocationForm(BaseModel):
    """What to make useless: a refresh token, an access token or an API key (RFC 7009 section 2.1)."""

    model_config = ConfigDict(hide_input_in_errors=True)

    token: str = Field(min_length=1)
    token_type_hint: str | None = Field(None, description="Makes no difference.")


class Token(Output):
    """An access token, and a refresh token for the next one (RFC 6749 section 5.1)."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (the type of token, not a secret)
    expires_in: int = Field(description="Seconds that the access token is good for.")
    refresh_token: str = Field(description="Good once, for the next pair of tokens.")
