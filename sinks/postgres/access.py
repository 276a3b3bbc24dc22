"""Why PostgreSQL does not let us in, and what to do."""

import ssl

import asyncpg

from schemas.settings import Settings
from sinks.tls import explain_tls

CAFILE_VARIABLE = "POSTGRES_SSL_CAFILE"


def explain_refusal(settings: Settings, error: Exception) -> str | None:
    """One line for an error of ``connect`` that settings can mend; None for any other."""
    server = f"{settings.postgres_host}:{settings.postgres_port}"
    if isinstance(error, ssl.SSLError):
        return explain_tls(error, server, CAFILE_VARIABLE)
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):  # a wrong password among others
        return (
            f"PostgreSQL at {server} refuses user {settings.postgres_user}: check POSTGRES_USER, POSTGRES_PASSWORD, "
            "POSTGRES_SSLMODE and the server's pg_hba.conf"
        )
    # asyncpg has no class of its own for a server that answers the wish for TLS with "no".
    if type(error) is ConnectionError and settings.postgres_sslmode in {"require", "verify-full"}:
        return (
            f"PostgreSQL at {server} offers no TLS, and POSTGRES_SSLMODE={settings.postgres_sslmode} wants it: "
            "switch on ssl in the server's configuration"
        )
    return None
