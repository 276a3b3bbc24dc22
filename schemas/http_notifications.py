"""Bodies of the HTTP API about how people want to be told of transfers."""

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from schemas.http import EXTENSIBLE, Amount, Currency, Decimals, Input, Output, Time
from schemas.notifications import WEBHOOK_URL_CHARS_MAX
from schemas.transfers import CURRENCIES

Url = Annotated[
    str,
    Field(max_length=WEBHOOK_URL_CHARS_MAX),
    WithJsonSchema(
        {
            "type": "string",
            "format": "uri",
            "maxLength": WEBHOOK_URL_CHARS_MAX,
            "description": "https, at a host of the public Internet, without user name, password and fragment.",
            "examples": ["https://example.com/hooks/transfers"],
        }
    ),
]
"""Whether a webhook may be there, `sinks.webhook_address` says."""

_EMAIL = "Tell by e-mail."
_WEBHOOK = "Tell the webhook, where there is one."
_FAILURES = "Tell of transfers that failed, whatever their amount."
_MINIMUMS = "By currency: tell of transfers that completed from this amount on, of all in currencies not named."


class NewNotificationPreferences(Input):
    """How to be told, all of it at once: what is not given is as it is for who has never set it."""

    email: bool = Field(default=True, description=_EMAIL)
    webhook: bool = Field(default=True, description=_WEBHOOK)
    failures: bool = Field(default=True, description=_FAILURES)
    minimums: dict[Currency, Amount] = Field(
        default_factory=dict,
        description=_MINIMUMS,
        json_schema_extra={"propertyNames": {"enum": [*sorted(CURRENCIES)]}},
    )


class NotificationPreferences(Output):
    """How the caller is told of transfers."""

    email: bool = Field(description=_EMAIL)
    webhook: bool = Field(description=_WEBHOOK)
    failures: bool = Field(description=_FAILURES)
    minimums: dict[str, Decimals] = Field(description=_MINIMUMS)
    updated_at: Time | None = Field(description="Null for who has never set it.")


class NewWebhook(Input):
    """Where to send notifications to."""

    url: Url


class Webhook(Output):
    """Where notifications are sent to."""

    url: str
    previous_secret_until: Time | None = Field(
        description="Until then the secret before the last rotation signs beside the present one; null if none does."
    )
    created_at: Time
    updated_at: Time


class WebhookWithSecret(Webhook):
    """Likewise, with a secret that was just made: it is shown here and never again."""

    secret: str | None = Field(
        description="What signatures are verified with (Standard Webhooks); null when none was made."
    )


class Delivery(Output):
    """A notification to the caller on one channel, and what became of it so far."""

    transfer_id: str
    recipient: Literal["sender", "receiver"] = Field(description="Which party of the transfer the caller is.")
    channel: Literal["email", "webhook"] = Field(json_schema_extra=EXTENSIBLE)
    status: Literal["pending", "delivered", "failed"] = Field(
        json_schema_extra=EXTENSIBLE,
        description="`pending` while it waits for its first try, or for another; `failed` after the last one.",
    )
    attempts: int
    digest_id: str | None = Field(description="The message that tells it together with others.")
    last_error: str | None = Field(description="Why the last try that failed did.")
    created_at: Time
    tried_at: Time | None
    next_try_at: Time | None = Field(description="Null when there is no other.")


class DeliveryPage(Output):
    """Deliveries, the newest first. With `has_more`, go on with `starting_after` = `next_cursor`."""

    data: list[Delivery]
    has_more: bool
    next_cursor: str | None
