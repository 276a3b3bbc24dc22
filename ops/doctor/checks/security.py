"""Checks of the settings that others might make use of: secrets, encryption, and whom the API believes."""

import re
from collections.abc import Iterator
from ipaddress import ip_address

from pydantic import SecretStr

from ops.doctor.check import Check, together
from ops.doctor.facts.configuration import Configuration
from ops.doctor.finding import Finding, ok, problem, warning
from schemas.passwords import PASSWORD_CHARS_MAX
from schemas.settings import Settings
from sinks.password_rules import refusal

FRESH = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
DISTINCT_CHARS_MIN = 8
_PLACEHOLDER = re.compile(
    r"change.?me|placeholder|example|insecure|password|super.?secret|your.?secret|secret.?key|replace.?(me|this)",
    re.IGNORECASE,
)


def judge_secret_key(settings: Settings) -> list[Finding]:
    """Nobody guesses it, and no other secret is the same."""
    found = [
        problem(
            f"{name} {fault}",
            "Whoever knows or guesses it can make access tokens for any account, admins among them.",
            "Set a fresh one. Tokens signed with the old one end, unless it joins SECRET_KEYS_PREVIOUS:",
            FRESH,
        )
        for name, key in _keys(settings)
        if (fault := _weakness(key, settings)) is not None
    ]
    return found or [ok("SECRET_KEY is not easy to guess")]


def _keys(settings: Settings) -> Iterator[tuple[str, str]]:
    yield "SECRET_KEY", settings.secret_key.get_secret_value()
    for key in settings.previous_secret_keys:
        yield "a key of SECRET_KEYS_PREVIOUS", key


def _weakness(key: str, settings: Settings) -> str | None:
    others = {
        name.upper()
        for name in type(settings).model_fields
        if isinstance(value := getattr(settings, name), SecretStr)
        and not name.startswith("secret_key")
        and value.get_secret_value() == key
    }
    if others:
        return f"is the same as {' and '.join(sorted(others))}"
    if len(set(key)) < DISTINCT_CHARS_MIN:
        return f"is made of {len(set(key))} different characters only"
    if key in (key + key)[1:-1]:
        return "is the same few characters again and again"
    if _PLACEHOLDER.search(key):
        return "looks like an example"
    reason = refusal(key[:PASSWORD_CHARS_MAX])
    return None if reason is None else reason.partition(";")[0]


def judge_crash_point(settings: Settings) -> list[Finding]:
    """No process ends itself on purpose."""
    if not settings.crash_point:
        return [ok("CRASH_POINT is not set")]
    return [
        problem(
            f"CRASH_POINT is {settings.crash_point}",
            "It is for tests: each process ends itself, or stops, when it comes to that point.",
            "Take CRASH_POINT out of the environment and of .env.",
        )
    ]


def judge_encryption(settings: Settings) -> list[Finding]:
    """What crosses a network is encrypted, and we know who answers."""
    findings = []
    protocol = settings.kafka_security_protocol
    far = [server for server in settings.kafka_bootstrap_servers.split(",") if not is_near(server.rpartition(":")[0])]
    if far and not protocol.endswith("SSL"):
        findings.append(
            warning(
                f"KAFKA_SECURITY_PROTOCOL={protocol} to {', '.join(far)}",
                "Transfers cross the network in the clear, and "
                + ("so does the password." if protocol == "SASL_PLAINTEXT" else "nobody is asked who they are."),
                "Unless nobody else is on that network, give the brokers a TLS listener and set "
                "KAFKA_SECURITY_PROTOCOL=SASL_SSL.",
            )
        )
    if not is_near(settings.postgres_host) and settings.postgres_sslmode != "verify-full":
        findings.append(
            warning(
                f"POSTGRES_SSLMODE={settings.postgres_sslmode} to {settings.postgres_host}",
                "Whoever sits in between can pose as PostgreSQL, and read and change all that is said.",
                "Unless nobody else is on that network, set POSTGRES_SSLMODE=verify-full, and POSTGRES_SSL_CAFILE to "
                "the authority that signed its certificate.",
            )
        )
    return findings or [ok("what leaves this machine is encrypted")]


def is_near(host: str) -> bool:
    """Whether it is this machine itself."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host in ("localhost", "")


def judge_proxy(found: tuple[Settings, Configuration]) -> list[Finding]:
    """The API believes its proxy, and nobody else, where a request comes from."""
    settings, configuration = found
    trusted = configuration.forwarded_allow_ips
    if trusted is not None and "*" in trusted:
        return [
            warning(
                f"FORWARDED_ALLOW_IPS={trusted}",
                "Every client is believed which address it comes from, so the bound on failed logins is none.",
                "Set FORWARDED_ALLOW_IPS to the address of your proxy.",
            )
        ]
    if trusted is None and not is_near(settings.api_host):
        return [
            warning(
                f"API_HOST={settings.api_host} can be reached from elsewhere, and FORWARDED_ALLOW_IPS is not set",
                "Behind a proxy all clients have the proxy's address: one who fails to log in locks out all the "
                "others.",
                "If a proxy stands in front, set FORWARDED_ALLOW_IPS to its address for the API; if none does, put "
                "one there for TLS.",
            )
        ]
    return [ok("client addresses are the clients' own" if trusted is None else f"the proxy at {trusted} is believed")]


SECURITY = (
    Check(
        "secret-key",
        "`SECRET_KEY` that is guessed easily, looks like an example, or is another secret again",
        "Set a fresh one",
        lambda facts: facts.configuration.settings_for("SECRET_KEY"),
        judge_secret_key,
    ),
    Check(
        "crash-point",
        "`CRASH_POINT` left over from a test",
        "Take it out",
        lambda facts: facts.configuration.settings_for("CRASH_POINT"),
        judge_crash_point,
    ),
    Check(
        "encryption",
        "Kafka or PostgreSQL on another machine without TLS that checks who answers",
        "`KAFKA_SECURITY_PROTOCOL=SASL_SSL`, `POSTGRES_SSLMODE=verify-full`",
        lambda facts: facts.configuration.settings_for("KAFKA_", "POSTGRES_"),
        judge_encryption,
    ),
    Check(
        "proxy",
        "an API that can be reached from elsewhere and does not know its proxy, or believes everybody",
        "Set `FORWARDED_ALLOW_IPS` to the proxy's address",
        lambda facts: together(facts.configuration.settings_for("API_"), facts.configuration),
        judge_proxy,
    ),
)
