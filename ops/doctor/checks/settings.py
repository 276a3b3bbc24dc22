"""Checks of the settings alone, which need no server: whether they are there, known by their names, and can be used."""

import difflib
import re
from collections.abc import Callable, Iterable

from ops.doctor.check import Area, Check
from ops.doctor.checks.security import FRESH, SECURITY
from ops.doctor.facts.configuration import Configuration, SettingsFile
from ops.doctor.finding import Finding, ok, problem, warning
from schemas.settings import Settings
from sinks.errors import SinkError
from sinks.kafka.options import client_options
from sinks.kafka.signing import request_signer
from sinks.postgres.pool import connection_options

OTHERS = 0o077
"""The permission bits of all but the owner."""

NOT_SETTINGS = frozenset({"ADMIN_EMAIL", "ADMIN_PASSWORD", "KAFKA_HOST_PORT", "WORKERS", "FORWARDED_ALLOW_IPS"})
"""Variables that .env holds for others: Docker Compose, `hfts create-admin`, uvicorn."""

OURS = frozenset(name.upper() for name in Settings.model_fields)
SECRETS = frozenset(
    name.upper() for name, described in Settings.model_fields.items() if "SecretStr" in str(described.annotation)
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
        *SECURITY,
    ),
)
