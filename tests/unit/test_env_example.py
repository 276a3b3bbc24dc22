""".env.example names every setting, each with a sentence, and no secret that would work by accident."""

import itertools
import re
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError
from pydantic_core import PydanticUndefined

from schemas.settings import Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"
LINES = EXAMPLE.read_text().splitlines()
VALUES = dict(line.split("=", 1) for line in LINES if re.match(r"[A-Z_]+=", line))
# Read by OpenTelemetry's SDK itself.
TRACING = {name for name in VALUES if name.startswith("OTEL_")}
COMPOSE_ONLY = {"ADMIN_EMAIL", "ADMIN_PASSWORD", "KAFKA_HOST_PORT", "WORKERS"} | TRACING


def test_names_every_setting_and_nothing_else() -> None:
    assert set(VALUES) == {name.upper() for name in Settings.model_fields} | COMPOSE_ONLY


def test_every_value_has_a_sentence() -> None:
    for before, line in itertools.pairwise(LINES):
        if re.match(r"[A-Z_]+=", line):
            assert before.startswith("# ")


def test_values_are_the_defaults() -> None:
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, PydanticUndefined) else str(field.default)
        assert VALUES[name.upper()].lower() == default.lower()


def test_secrets_are_empty() -> None:
    secrets = {name.upper() for name, field in Settings.model_fields.items() if SecretStr in _types(field.annotation)}
    assert secrets == {
        "POSTGRES_PASSWORD",
        "KAFKA_SASL_PASSWORD",
        "AUDIT_SIGNING_KEY",
        "REQUEST_SIGNING_KEY",
        "SECRET_KEY",
        "SECRET_KEYS_PREVIOUS",
        "SMTP_URL",
    }
    assert all(VALUES[name] == "" for name in secrets | {"ADMIN_EMAIL", "ADMIN_PASSWORD"})


def test_tracing_is_off() -> None:
    assert {VALUES[name] for name in TRACING} == {""}


def test_does_not_work_unedited(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VALUES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValidationError) as caught:
        Settings(_env_file=EXAMPLE)
    assert {error["loc"] for error in caught.value.errors()} == {("postgres_password",), ("secret_key",)}


def _types(annotation: object) -> tuple[object, ...]:
    return getattr(annotation, "__args__", (annotation,))
