"""The environment the pipeline runs in: where its servers are and with which credentials."""

from email.errors import HeaderParseError
from email.headerregistry import Address
from email.utils import parseaddr
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.crash_points import Crash, parse_crash
from schemas.signing_keys import parse_key, parse_keys
from schemas.smtp_url import parse_smtp_url
from schemas.topics import PARTITIONS_DEFAULT, Topic

SECRET_KEY_CHARS_MIN = 32
PREVIOUS_KEYS_MAX = 4
"""Every signature is tried with all keys."""


class Settings(BaseSettings):
    """Read from environment variables of the same names in upper case, then from ``.env``.

    Raises pydantic.ValidationError when a value is missing or wrong.
    """

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    postgres_host: str = Field("127.0.0.1", description="PostgreSQL host.")
    postgres_port: int = Field(5432, ge=1, le=65535, description="PostgreSQL port.")
    postgres_user: str = Field("hfts", description="PostgreSQL user, owner of the schema.")
    postgres_password: SecretStr = Field(description="PostgreSQL password.")
    postgres_db: str = Field("hfts_db", description="PostgreSQL database.")
    postgres_sslmode: Literal["disable", "prefer", "require", "verify-full"] = Field(
        "prefer",
        description="TLS to PostgreSQL: `disable`, `prefer`, `require`, or `verify-full`, which checks who answers.",
    )
    postgres_ssl_cafile: str | None = Field(
        None, description="PEM file of the CA that signed PostgreSQL's certificate; else the system's list."
    )

    kafka_bootstrap_servers: str = Field("127.0.0.1:9092", description="Kafka brokers, host:port, comma-separated.")
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to talk to Kafka."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "PLAIN", description="SASL mechanism, where the protocol is one of SASL_*."
    )
    kafka_sasl_username: str | None = Field(None, description="SASL user name.")
    kafka_sasl_password: SecretStr | None = Field(None, description="SASL password.")
    kafka_ssl_cafile: str | None = Field(None, description="PEM file of the CA that signed the brokers' certificates.")
    kafka_ssl_certfile: str | None = Field(
        None, description="PEM file of our own certificate, where the brokers want one."
    )
    kafka_ssl_keyfile: str | None = Field(None, description="PEM file of its key, if it is not in the same file.")

    topic_prefix: str = Field(
        "", pattern=r"^[a-zA-Z0-9._-]*$", description="Put before every topic and group, to share a cluster."
    )
    topic_partitions: int = Field(PARTITIONS_DEFAULT, ge=1, le=10_000, description="Partitions of each topic.")
    topic_replication: int = Field(1, ge=1, le=9, description="Replicas of each partition.")

    require_signed_requests: bool = Field(False, description="Workers apply only requests with a signature they know.")
    request_verify_keys: str | None = Field(
        None,
        validate_default=True,
        description="Public keys of those who may sign requests, `NAME=KEY`, comma-separated.",
    )
    request_signing_key: SecretStr | None = Field(
        None, description="Private key that the API and `hfts load` sign with, `NAME=KEY`, made by `hfts keygen`."
    )

    audit_signing_key: SecretStr | None = Field(
        None,
        description="Private key that `downstream` signs checkpoints of the audit with, `NAME=KEY`, made by "
        "`hfts keygen --audit`. Not set: one derived from SECRET_KEY.",
    )
    audit_verify_keys: str | None = Field(
        None, description="Public keys whose checkpoints of the audit are believed, `NAME=KEY`, comma-separated."
    )
    audit_checkpoint_interval_s: int = Field(
        60, ge=1, le=86_400, description="Seconds between checkpoints of the audit, if something was added."
    )

    secret_key: SecretStr = Field(
        min_length=SECRET_KEY_CHARS_MIN, description="Signs tokens and receipts. At least 32 characters."
    )
    secret_keys_previous: SecretStr | None = Field(
        None, description="Earlier values of SECRET_KEY, comma-separated: what they signed still counts."
    )
    access_token_ttl_s: int = Field(
        900, ge=60, le=86_400, description="Life of an access token in seconds; an API key is asked about as often."
    )
    refresh_token_ttl_s: int = Field(
        604_800, ge=60, le=2_592_000, description="How long a login can be renewed, in seconds."
    )
    login_failures_max: int = Field(
        20, ge=1, le=40, description="Failed logins to an account before each next one waits for a minute."
    )
    address_attempts_per_minute: int = Field(
        120,
        ge=1,
        le=100_000,
        description="Failed logins from one client address in a minute; registrations and resets likewise.",
    )
    requests_per_minute: int | None = Field(
        None,
        ge=1,
        le=10_000_000,
        description="Requests of one account in a minute, counted by each API process for itself. Not set: no limit.",
    )
    api_host: str = Field("127.0.0.1", description="Address the API listens on.")
    api_port: int = Field(8000, ge=0, le=65535, description="Port the API listens on.")
    worker_host: str = Field("127.0.0.1", description="Address a worker listens on.")
    worker_port: int | None = Field(
        None, ge=0, le=65535, description="Port of a worker's health and metrics. Not set: it does not listen."
    )
    api_shutdown_delay_s: int = Field(
        0, ge=0, le=300, description="Seconds the API serves on after SIGTERM, not ready, for load balancers to notice."
    )
    crash_point: str = Field(
        "", description="For tests: the point at which a process ends itself, such as `after_commit:3`."
    )
    debug: bool = Field(False, description="More logging, in a form for people.")
    webhook_private_addresses: bool = Field(
        False, description="Webhooks may be http and at private addresses. For tests, and where all users are trusted."
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="Mail server, `smtp://[USER:PASSWORD@]HOST[:PORT]` or `smtps://…`. "
        "Not set: notifications go to the log.",
    )
    smtp_sender: str = Field(
        "no-reply@localhost", description="Whom e-mails are from: an address, or `NAME <ADDRESS>`."
    )
    emails_per_hour: int = Field(
        20, ge=1, le=10_000, description="E-mails to one person in an hour; what comes beyond goes out as one digest."
    )
    delivery_results_kept_s: int = Field(
        3_600, ge=60, le=2_592_000, description="How long it is kept what was delivered, in seconds."
    )

    @property
    def crash(self) -> Crash | None:
        """Where this process is to end itself, if anywhere."""
        return parse_crash(self.crash_point)

    @field_validator("crash_point")
    @classmethod
    def _check_crash_point(cls, text: str) -> str:
        parse_crash(text)
        return text

    @property
    def previous_secret_keys(self) -> list[str]:
        """The values of SECRET_KEYS_PREVIOUS."""
        return _split_secrets(self.secret_keys_previous)

    @field_validator("secret_keys_previous")
    @classmethod
    def _check_previous_keys(cls, value: SecretStr | None) -> SecretStr | None:
        keys = _split_secrets(value)
        if len(keys) > PREVIOUS_KEYS_MAX or any(len(key) < SECRET_KEY_CHARS_MIN for key in keys):
            raise ValueError(f"must be at most {PREVIOUS_KEYS_MAX}, each of at least {SECRET_KEY_CHARS_MIN} characters")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _check_smtp_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_smtp_url(value.get_secret_value())
        return value

    @field_validator("smtp_sender")
    @classmethod
    def _check_smtp_sender(cls, value: str) -> str:
        name, address = parseaddr(value)
        try:
            Address(name, addr_spec=address)
        except (HeaderParseError, ValueError, IndexError):
            raise ValueError("must be an e-mail address, or NAME <ADDRESS>") from None
        return value

    @field_validator("request_verify_keys")
    @classmethod
    def _check_verify_keys(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None:
            parse_keys(value)
        elif info.data.get("require_signed_requests"):
            raise ValueError("needed with REQUIRE_SIGNED_REQUESTS")
        return value

    @field_validator("audit_verify_keys")
    @classmethod
    def _check_audit_keys(cls, value: str | None) -> str | None:
        if value is not None:
            parse_keys(value)
        return value

    @field_validator("request_signing_key", "audit_signing_key")
    @classmethod
    def _check_signing_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parse_key(value.get_secret_value())
        return value

    def topic_name(self, topic: Topic) -> str:
        """The topic's name on this cluster."""
        return self.topic_prefix + topic.name

    def group_name(self, agent: str) -> str:
        """The agent's consumer group on this cluster, which its transactional ids begin with."""
        return f"{self.topic_prefix}hfts-{agent}"


def _split_secrets(value: SecretStr | None) -> list[str]:
    if value is None:
        return []
    return [part.strip() for part in value.get_secret_value().split(",") if part.strip()]
