"""A stack's addresses and credentials, as settings and as environment variables."""

import shlex
from collections.abc import Mapping
from functools import partial

from pydantic import ValidationError

from ops.configuration import explain
from ops.embedded.kafka_config import replication
from ops.embedded.layout import Secrets
from ops.embedded.plan import Plan
from ops.errors import CommandError
from schemas.settings import Settings

ADMIN_EMAIL = "admin@example.com"

# What the stack leaves to whoever starts it.
_INHERITED = frozenset(
    {
        "DEBUG",
        "SMTP_URL",
        "SMTP_SENDER",
        "EMAILS_PER_HOUR",
        "DELIVERY_RESULTS_KEPT_S",
        "WEBHOOK_PRIVATE_ADDRESSES",
        "ACCESS_TOKEN_TTL_S",
        "REQUIRE_SIGNED_REQUESTS",
        "REQUEST_VERIFY_KEYS",
        "REQUEST_SIGNING_KEY",
        "AUDIT_SIGNING_KEY",
        "AUDIT_VERIFY_KEYS",
        "AUDIT_CHECKPOINT_INTERVAL_S",
        "REFRESH_TOKEN_TTL_S",
        "LOGIN_FAILURES_MAX",
        "ADDRESS_ATTEMPTS_PER_MINUTE",
    }
)


def stack_settings(plan: Plan, secrets: Secrets, listener: str | None = None) -> Settings:
    """The settings that reach a stack's servers, the brokers through this listener of theirs.

    Raises CommandError where an inherited variable is wrong, and KeyError for an unknown listener.
    """
    try:
        return _settings(plan, secrets, listener)
    except ValidationError as error:
        raise CommandError(explain(error)) from None


def _settings(plan: Plan, secrets: Secrets, listener: str | None) -> Settings:
    make = partial(Settings, _env_file=None)
    return make(
        postgres_host="127.0.0.1",
        postgres_port=plan.postgres_port,
        postgres_user="hfts",
        postgres_password=secrets.postgres_password,
        postgres_db="hfts_db",
        kafka_bootstrap_servers=plan.bootstrap_servers(listener),
        kafka_security_protocol=plan.protocol(listener),
        topic_prefix="",
        topic_partitions=plan.partitions,
        topic_replication=replication(len(plan.nodes)),
        secret_key=secrets.secret_key,
        api_host="127.0.0.1",
        api_port=plan.api_port,
    )


def variables(settings: Settings, secrets: Secrets) -> dict[str, str]:
    """What a client of the stack needs to know, by the names of the environment."""
    return {
        "POSTGRES_HOST": settings.postgres_host,
        "POSTGRES_PORT": str(settings.postgres_port),
        "POSTGRES_USER": settings.postgres_user,
        "POSTGRES_PASSWORD": settings.postgres_password.get_secret_value(),
        "POSTGRES_DB": settings.postgres_db,
        "KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "KAFKA_SECURITY_PROTOCOL": settings.kafka_security_protocol,
        "TOPIC_PARTITIONS": str(settings.topic_partitions),
        "TOPIC_REPLICATION": str(settings.topic_replication),
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "API_PORT": str(settings.api_port),
        "API_URL": api_url(settings),
        "ADMIN_EMAIL": ADMIN_EMAIL,
        "ADMIN_PASSWORD": secrets.admin_password,
    }


def api_url(settings: Settings) -> str:
    """Where the API answers."""
    return f"http://{settings.api_host}:{settings.api_port}"


def render(values: Mapping[str, str]) -> str:
    """``KEY=VALUE`` lines for a shell, quoted where they need it."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def child_environment(outer: Mapping[str, str], settings: Settings, secrets: Secrets) -> dict[str, str]:
    """The environment of the API and the workers: the outer one, but with this stack's servers and no others'."""
    decided = {name.upper() for name in Settings.model_fields} - _INHERITED | {"ADMIN_EMAIL", "ADMIN_PASSWORD"}
    kept = {name: value for name, value in outer.items() if name.upper() not in decided}
    ours = {name: value for name, value in variables(settings, secrets).items() if name in decided}
    del ours["ADMIN_EMAIL"], ours["ADMIN_PASSWORD"]
    return {**kept, **ours, "API_HOST": settings.api_host, "PYTHONUNBUFFERED": "1"}
