"""Why the brokers do not let us in. aiokafka only says that it cannot bootstrap."""

import asyncio
import ssl
from typing import Any

from aiokafka import errors
from aiokafka.conn import create_conn
from aiokafka.protocol.metadata import MetadataRequest

from schemas.settings import Settings
from sinks.kafka.options import CAFILE_VARIABLE, security
from sinks.tls import explain_tls

ANSWER_TIMEOUT_S = 5.0


async def access_fault(settings: Settings) -> str | None:
    """What keeps us from the brokers and what to do, in one line; None as soon as one of them lets us in.

    Asks each broker of the settings once, for at most 5 s. Raises as ``client_options`` does.
    """
    options = security(settings)
    servers = settings.kafka_bootstrap_servers.split(",")
    faults = []
    for server in servers:
        fault = await _fault_of(server, settings, options)
        if fault is None:
            return None
        faults.append(fault)
    return "; ".join(dict.fromkeys(faults))


async def _fault_of(server: str, settings: Settings, options: dict[str, Any]) -> str | None:
    host, _, port = server.rpartition(":")
    connect: Any = create_conn  # has no annotations
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            connection = await connect(host, int(port), request_timeout_ms=int(1000 * ANSWER_TIMEOUT_S), **options)
            try:
                await connection.send(MetadataRequest([]))  # a broker that wants SASL hangs up only now
            finally:
                connection.close()
    except ssl.SSLError as error:
        return explain_tls(error, server, CAFILE_VARIABLE)
    except errors.SaslAuthenticationFailed:
        return (
            f"Kafka at {server} refuses user {settings.kafka_sasl_username}: check KAFKA_SASL_USERNAME, "
            "KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM"
        )
    except errors.UnsupportedSaslMechanismError:
        return (
            f"Kafka at {server} does not take {settings.kafka_sasl_mechanism}: set KAFKA_SASL_MECHANISM to what it "
            "offers"
        )
    except (TimeoutError, ConnectionResetError, errors.KafkaError, ValueError):
        # A listener of another protocol hangs up, or waits for more; ValueError: a broker that fails SCRAM itself.
        return (
            f"what listens at {server} does not talk as KAFKA_SECURITY_PROTOCOL={settings.kafka_security_protocol} "
            "wants it: check address and protocol"
        )
    except OSError as error:
        return f"Kafka at {server} does not answer ({error.strerror or type(error).__name__}): is it up?"
    return None
