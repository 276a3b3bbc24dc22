"""TLS towards the servers: what a client trusts, who it is, and what to do when they do not agree."""

import ssl

from sinks.errors import SinkError

_VERSION_MIN = ssl.TLSVersion.TLSv1_2
"""RFC 8996 retires everything older."""

# X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL.
_WRONG_NAME = frozenset({62, 64})


class TlsFileError(SinkError):
    """A certificate or key cannot be used. The message names the variable and the file."""


def client_context(
    variables: str, cafile: str | None, certfile: str | None = None, keyfile: str | None = None
) -> ssl.SSLContext:
    """Checks the server's certificate and host name against ``cafile``, or else the system's authorities.

    With ``certfile`` (PEM, the chain behind it) and ``keyfile`` (PEM, without a passphrase; by default the same file)
    the client shows a certificate of its own. Raises TlsFileError; ``variables`` is how the names of the environment
    variables begin, ``KAFKA_SSL`` or ``POSTGRES_SSL``.
    """
    try:
        context = ssl.create_default_context(cafile=cafile)
    except OSError as error:
        raise _unusable(f"{variables}_CAFILE", cafile, error) from None
    context.minimum_version = _VERSION_MIN
    if certfile is not None:
        try:
            context.load_cert_chain(certfile, keyfile, password=_no_passphrase)
        except (OSError, ValueError) as error:
            raise _unusable(f"{variables}_CERTFILE", f"{certfile} with {keyfile or 'its key'}", error) from None
    return context


def explain_tls(error: ssl.SSLError, server: str, cafile_variable: str) -> str:
    """Why there is no TLS with ``server``, and the next step."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS with {server} failed ({error.reason or 'no reason given'}): does this port speak TLS 1.2 or newer?"
    if error.verify_code in _WRONG_NAME:
        return (
            f"the certificate of {server} is made out to another host ({error.verify_message}): connect by a name that "
            "it holds, or have one made that holds this name"
        )
    return (
        f"the certificate of {server} is not to be trusted ({error.verify_message}): let {cafile_variable} name the "
        "PEM file of the authority that signed it"
    )


def _no_passphrase() -> str:
    """Otherwise OpenSSL asks for one at the terminal."""
    return ""


def _unusable(variable: str, path: str | None, error: Exception) -> TlsFileError:
    if isinstance(error, ssl.SSLError):
        why = "it holds no PEM certificate that fits" if "CAFILE" in variable else "certificate and key do not fit"
    else:
        why = getattr(error, "strerror", None) or "the key wants a passphrase"
    return TlsFileError(f"{variable}: {path} cannot be used ({why})")
