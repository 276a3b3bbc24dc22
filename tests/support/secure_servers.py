"""Servers that speak TLS, and let in only whom the documentation knows."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from certificates import Authority
from documented_rights import documented_rights, grant_rights
from pydantic import SecretStr
from tls_front import tls_front

from ops.embedded.plan import ListenerOption, StackOptions
from ops.embedded.stack import Stack
from schemas.settings import Settings

SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
PASSWORD = "of-a-{}-and-secret"


@dataclass
class Secure:
    """Servers that speak TLS and let in only whom they know."""

    stack: Stack
    folder: Path
    authority: Authority
    postgres_port: int

    def settings_astray(self) -> Settings:
        """How to get in by a listener that sends its clients elsewhere."""
        [listener] = [one for one in self.stack.plan.nodes[0].listeners if one.name == "ASTRAY"]
        server = {"kafka_bootstrap_servers": f"127.0.0.1:{listener.port}"}
        return self.stack.settings().model_copy(update=server)

    def settings(self, user: str, **changes: Any) -> Settings:
        """How this Kafka user gets at them."""
        values = {
            "kafka_sasl_mechanism": "SCRAM-SHA-512",
            "kafka_sasl_username": user,
            "kafka_sasl_password": SecretStr(PASSWORD.format(user)),
            "kafka_ssl_cafile": str(self.authority.cafile),
            "postgres_port": self.postgres_port,
            "postgres_sslmode": "verify-full",
            "postgres_ssl_cafile": str(self.authority.cafile),
        }
        return self.stack.settings("SAFE").model_copy(update=values | changes)


@asynccontextmanager
async def secure_servers() -> AsyncIterator[Secure]:
    """Servers of their own, with the documented rights. Listener SAFE asks for a password, MUTUAL for a certificate;
    ASTRAY sends its clients to a port where nobody listens."""
    folder = Path(tempfile.mkdtemp(prefix="hfts-secure-"))  # not tmp_path: PostgreSQL must be able to pass through
    authority = Authority(folder, "ours")
    stack = Stack(folder, _options(authority))
    try:
        await stack.start()
        async with tls_front(stack.plan.postgres_port, authority.issue("postgres", "127.0.0.1")) as port:
            await grant_rights(stack.settings())
            yield Secure(stack, folder, authority, port)
    finally:
        await stack.stop()
        shutil.rmtree(folder)


def _options(authority: Authority) -> StackOptions:
    keys = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(authority.issue("broker", "127.0.0.1")),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.cafile),
    }
    both = {f"listener.name.{name}.{key}": value for name in ("safe", "mutual") for key, value in keys.items()}
    return StackOptions(
        partitions=2,
        small=True,
        listeners=(
            ListenerOption("SAFE", "SASL_SSL"),
            ListenerOption("MUTUAL", "SSL"),
            ListenerOption("ASTRAY", proxied=True),
        ),
        broker_properties={
            **both,
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.safe.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.safe.scram-sha-512.sasl.jaas.config": SCRAM,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",  # who comes by the plain listener, as the brokers themselves
        },
        scram_passwords={user: PASSWORD.format(user) for user, *_ in documented_rights()},
    )
