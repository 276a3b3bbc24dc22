"""Checks of the settings alone: no server is needed for them."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address

from pydantic import SecretStr

from ops.doctor.check import Area, Check, together
from ops.doctor.facts.configuration import Configuration, SettingsFile
from ops.doctor.finding import Finding, ok, problem, warning
from schemas.passwords import PASSWORD_CHARS_MAX
from schemas.settings import Settings
from sinks.errors import SinkError
from sinks.kafka.options import client_options
from sinks.kafka.signing import request_signer
from sinks.password_rules import refusal
from sinks.postgres.pool import connection_options

FRESH = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
OTHERS = 0o077
"""The permission bits of all but the owner."""

NOT_SETTINGS = frozenset({"ADMIN_EMAIL", "ADMIN_PASSWORD", "KAFKA_HOST_PORT", "WORKERS", "FORWARDED_ALLOW_IPS"})
"""Variables that .env holds for others: Docker Compose, `hfts create-admin`, uvicorn."""

OURS = frozenset(name.upper() for name in Settings.model_fields)
SECRETS = frozenset(
    name.upper() for name, described in Settings.model_fields.items() if "SecretStr" in str(described.annotation)
)

DISTINCT_CHARS_MIN = 8
_PLACEHOLDER = re.compile(
    r"change.?me|placeholder|example|insecure|password|super.?secret|your.?secret|secret.?key|replace.?(me|this)",
    re.IGNORECASE,
)
_ALIKE_IN_FILE, _ALIKE_IN_ENVIRONMENT = 0.8, 0.9
"""How similar a name must be to a setting's to be taken for it. The environment is full of others' names."""

_SERVERS = re.compile(r"(KAFKA|POSTGRES|TOPIC)_")


def judge_file(file: SettingsFile) -> list[Finding]:
    """Readable for us, and where it holds secrets for nobody else."""
    if file.mode is None:
        return [ok(f"there is no {file.path} here: all settings come from the environment")]
    if file.fault is not None:
        return [
            problem(
                f"{file.path} cannot be read: {file.fault}",
                "No command starts without it, and what stands in it does not count.",
                "Make it a plain UTF-8 file that belongs to whoever runs hfts:",
                f'sudo chown "$(id -un)" {file.path} && chmod 600 {file.path}',
            )
        ]
    if file.mode & OTHERS and file.names & SECRETS:
        return [
            warning(
                f"others on this machine may read {file.path} (mode {file.mode:03o}), and it holds secrets",
                "Whoever reads SECRET_KEY can log in as anybody.",
                "Keep it to yourself:",
                f"chmod 600 {file.path}",
            )
        ]
    return [ok(f"{file.path} can be read, and by nobody else" if file.names & SECRETS else f"{file.path} can be read")]


def judge_values(configuration: Configuration) -> list[Finding]:
    """Every variable that is needed is there, and has a value that can be."""
    if not configuration.wrong:
        return [ok("whatever is needed is set, and can be read")]
    return [
        problem(
            f"{name}: {fault}",
            "No command starts like this.",
            f"Set the environment variable {name}, or write it into .env."
            + (" A fresh one:" if name == "SECRET_KEY" else ""),
            FRESH if name == "SECRET_KEY" else "",
        )
        for name, fault in configuration.wrong.items()
    ]


def judge_names(configuration: Configuration) -> list[Finding]:
    """No name that is nearly a setting's."""
    meant = {
        **_meant(configuration.environment, _ALIKE_IN_ENVIRONMENT, "the environment"),
        **_meant(configuration.file.names, _ALIKE_IN_FILE, str(configuration.file.path)),
    }
    unknown = [
        warning(
            f"{name} in {where} is no setting" + (f"; {right} is one" if right else ""),
            "Names that nobody knows are passed over in silence, and the default counts.",
            f"Rename it to {right}, or take it out."
            if right
            else "Look the name up with `hfts config`, or take it out.",
        )
        for name, (right, where) in sorted(meant.items())
    ]
    return unknown or [ok("no misspelt names")]


def _meant(names: Iterable[str], alike: float, where: str) -> dict[str, tuple[str | None, str]]:
    """Names that are none of ours, with the setting that was meant."""
    found: dict[str, tuple[str | None, str]] = {}
    for name in set(names) - OURS - NOT_SETTINGS:
        close = difflib.get_close_matches(name, sorted(OURS - set(names)), n=1, cutoff=alike)
        is_for_us = alike == _ALIKE_IN_FILE and _SERVERS.match(name)
        if close or is_for_us:
            found[name] = (close[0] if close else None, where)
    return found


def judge_files_and_keys(settings: Settings) -> list[Finding]:
    """What is built from the settings alone: TLS contexts, credentials, the key for signatures."""
    faults = [fault for build in (connection_options, client_options) if (fault := _fault(build, settings))]
    findings = [
        problem(fault, "No process of ours gets to its servers like this.", "Mend the file or the setting it names.")
        for fault in faults
    ]
    unsigned = _fault(request_signer, settings)
    if unsigned is not None:
        findings.append(
            warning(
                unsigned,
                "The API does not start like this. Workers do: they only check signatures, and better have no key.",
                "If these are the settings of an API, make a pair of keys and set REQUEST_SIGNING_KEY:",
                "hfts keygen api",
            )
        )
    return findings or [ok("certificates, credentials and keys can be used")]


def _fault(build: Callable[[Settings], object], settings: Settings) -> str | None:
    try:
        build(settings)
    except SinkError as error:
        return str(error)
    return None


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
                "the "
                "authority that signed its certificate.",
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
                "one there "
                "for TLS.",
            )
        ]
    return [ok("client addresses are the clients' own" if trusted is None else f"the proxy at {trusted} is believed")]


AREA = Area(
    "Settings",
    (
        Check(
            "settings-file",
            "`.env` that cannot be read, or that others on the machine can read",
            "`chmod 600 .env`, and let it belong to whoever runs `hfts`",
            lambda facts: facts.configuration.file,
            judge_file,
        ),
        Check(
            "settings",
            "a setting that is missing or cannot be what it is",
            "Set the variable that it names",
            lambda facts: facts.configuration,
            judge_values,
        ),
        Check(
            "setting-names",
            "a misspelt variable, which would be passed over in silence",
            "Rename it as it says",
            lambda facts: facts.configuration,
            judge_names,
        ),
        Check(
            "certificates",
            "certificates, keys and credentials that are missing or do not fit, also for signed requests",
            "Mend the file, or the setting that names it",
            lambda facts: facts.settings,
            judge_files_and_keys,
        ),
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
    ),
)
