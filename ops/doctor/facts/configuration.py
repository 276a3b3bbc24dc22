"""The settings, also where some of them are wrong, and the file that they may come from."""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from ops.configuration import faults
from ops.doctor.finding import Unknown
from schemas.settings import Settings

FILE = Path(".env")

_NAME = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=", re.MULTILINE)
_STAND_IN = "a stand-in for what is missing, of some length"


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """``mode`` has the permission bits, None where there is no file; ``fault`` is why it cannot be read."""

    path: Path
    mode: int | None = None
    fault: str | None = None
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Configuration:
    """``settings`` hold something else where a variable is among the ``wrong``, each with what is wrong with it.

    ``environment`` has the names of all variables of the environment.
    """

    file: SettingsFile
    settings: Settings | Unknown
    wrong: Mapping[str, str] = field(default_factory=dict)
    environment: frozenset[str] = frozenset()
    forwarded_allow_ips: str | None = None

    def settings_for(self, *prefixes: str) -> Settings | Unknown:
        """The settings, if the variables whose names begin like this are right."""
        wrong = [name for name in self.wrong if name.startswith(prefixes)]
        return Unknown(f"{' and '.join(wrong)} must be set right first") if wrong else self.settings


def read_configuration(file: Path = FILE) -> Configuration:
    """From the environment and the file, as every command reads it."""
    found = read_settings_file(file)
    env_file = file if found.mode is not None and found.fault is None else None
    settings, wrong = _settings(env_file)
    return Configuration(
        found,
        settings,
        wrong,
        environment=frozenset(os.environ),
        forwarded_allow_ips=os.environ.get("FORWARDED_ALLOW_IPS"),
    )


def read_settings_file(path: Path) -> SettingsFile:
    """The file's permissions and the names that it sets."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return SettingsFile(path)
    except OSError as error:
        return SettingsFile(path, 0, error.strerror)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        return SettingsFile(path, mode, error.strerror)
    except UnicodeDecodeError:
        return SettingsFile(path, mode, "it is no text in UTF-8")
    return SettingsFile(path, mode, None, frozenset(name.upper() for name in _NAME.findall(text)))


def _settings(env_file: Path | None) -> tuple[Settings | Unknown, Mapping[str, str]]:
    try:
        return Settings(_env_file=env_file), {}
    except ValidationError as error:
        wrong = faults(error)
    # With one variable missing, the servers behind all the others can still be looked at.
    try:
        return Settings(_env_file=env_file, **_stand_ins(wrong)), wrong
    except ValidationError:
        return Unknown("the settings must be mended first"), wrong


def _stand_ins(wrong: Mapping[str, str]) -> dict[str, Any]:
    """A value that will do for each of these variables."""
    values: dict[str, Any] = {}
    for name, described in Settings.model_fields.items():
        if name.upper() in wrong:
            values[name] = _STAND_IN if described.default is PydanticUndefined else described.default
    if "request_verify_keys" in values:  # without them, signatures cannot be required
        values["require_signed_requests"] = False
    return values
