"""How every Kafka client of ours connects."""

from typing import Any

from schemas.settings import Settings
from sinks.errors import SinkError
from sinks.tls import client_context

CAFILE_VARIABLE = "KAFKA_SSL_CAFILE"


class CredentialsMissingError(SinkError):
    """The protocol asks for a user name and a password, and there are none."""


def client_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments common to aiokafka's producer, consumer and admin client.

    Raises TlsFileError and CredentialsMissingError.
    """
    options: dict[str, Any] = {"bootstrap_servers": settings.kafka_bootstrap_servers.split(","), **security(settings)}
    return options


def security(settings: Settings) -> dict[str, Any]:
    """Those of them that say how to get in: for a single connection, too. Raises as ``client_options`` does."""
    protocol = settings.kafka_security_protocol
    options: dict[str, Any] = {"security_protocol": protocol}
    if protocol.endswith("SSL"):
        options["ssl_context"] = client_context(
            "KAFKA_SSL", settings.kafka_ssl_cafile, settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile
        )
    if protocol.startswith("SASL"):
        user, password = settings.kafka_sasl_username, settings.kafka_sasl_password
        if user is None or password is None:
            raise CredentialsMissingError(
                f"KAFKA_SECURITY_PROTOCOL={protocol} needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD"
            )
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = user
        options["sasl_plain_password"] = password.get_secret_value()
    return options
