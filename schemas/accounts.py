"""Bodies of the HTTP API about accounts and logins."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from schemas.http import Email, Input, Output, Text, Time
from schemas.passwords import PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, check_password_length, normalise_password

PASSWORD_TYPED_CHARS_MAX = 1_000
"""Of a password that is only compared: it may be wrong in any way."""

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

    current_password: Annotated[Text, Field(max_length=PASSWORD_TYPED_CHARS_MAX)] = Field(
        json_schema_extra={"format": "password"}
    )
    new_password: Password


class User(Output):
    """An account. The password's hash stays inside."""

    user_id: str
    email: str
    status: Literal["active", "disabled"]
    role: Literal["user", "admin"]
    created_at: Time
    updated_at: Time


def _as_two_grants(schema: dict[str, Any]) -> None:
    """The form as OpenAPI has it: one set of fields for each grant."""
    fields = schema.pop("properties")
    del schema["type"]
    schema["oneOf"] = [
        {
            "type": "object",
            "title": grant,
            "properties": {
                "grant_type": {"type": "string", "const": grant},
                **{name: {"type": "string", **fields[name]["about"]} for name in names},
            },
            "required": ["grant_type", *names],
        }
        for grant, names in _FIELDS_OF_GRANT.items()
    ]


_FIELDS_OF_GRANT = {"password": ("username", "password"), "refresh_token": ("refresh_token",)}


class TokenForm(BaseModel):
    """What is shown for a token: e-mail and password, or a refresh token (RFC 6749 sections 4.3 and 6)."""

    model_config = ConfigDict(hide_input_in_errors=True, json_schema_extra=_as_two_grants)

    grant_type: Literal["password", "refresh_token"] = "password"
    username: str | None = Field(None, json_schema_extra={"about": {"description": "The e-mail."}})
    password: str | None = Field(None, json_schema_extra={"about": {"format": "password"}})
    refresh_token: str | None = Field(None, json_schema_extra={"about": {}})

    def missing_fields(self) -> list[str]:
        """Those that the grant needs and that are not there."""
        return [name for name in _FIELDS_OF_GRANT[self.grant_type] if getattr(self, name) is None]


class RevocationForm(BaseModel):
    """A refresh token to make useless (RFC 7009 section 2.1)."""

    model_config = ConfigDict(hide_input_in_errors=True)

    token: str = Field(min_length=1)
    token_type_hint: str | None = Field(None, description="Makes no difference.")


class Token(Output):
    """An access token, and a refresh token for the next one (RFC 6749 section 5.1)."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (the type of token, not a secret)
    expires_in: int = Field(description="Seconds that the access token is good for.")
    refresh_token: str = Field(description="Good once, for the next pair of tokens.")
