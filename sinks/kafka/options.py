"""How every Kafka client of ours connects."""

from typing import Any

from schemas.settings import Settings
from sinks.tls import client_context

CAFILE_VARIABLE = "KAFKA_SSL_CAFILE"


def client_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments common to aiokafka's producer, consumer and admin client. Raises TlsFileError."""
    options: dict[str, Any] = {"bootstrap_servers": settings.kafka_bootstrap_servers.split(","), **security(settings)}
    return options


def security(settings: Settings) -> dict[str, Any]:
    """Those of them that say how to get in: for a single connection, too. Raises TlsFileError."""
    protocol = settings.kafka_security_protocol
    options: dict[str, Any] = {"security_protocol": protocol}
    if protocol.endswith("SSL"):
        options["ssl_context"] = client_context(
            "KAFKA_SSL", settings.kafka_ssl_cafile, settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile
        )
    if protocol.startswith("SASL"):
        password = settings.kafka_sasl_password
        options["sasl_mechanism"] = settings.kafka_sasl_mechanism
        options["sasl_plain_username"] = settings.kafka_sasl_username
        options["sasl_plain_password"] = password.get_secret_value() if password else None
    return options
