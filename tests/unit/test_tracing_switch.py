"""When tracing is on, and what it costs when it is off: nothing is imported."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from spans import untraced
from structlog.testing import capture_logs

from schemas.settings import Settings
from sinks.tracing import chosen_exporter, exporter_fault, start_tracing, tracing

ROOT = Path(__file__).parents[2]
ENDPOINT, OF_TRACES = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"


@pytest.fixture
def settings() -> Settings:
    return Settings(_env_file=None, postgres_password="x", secret_key="x" * 32)


@pytest.fixture(autouse=True)
def _switch_back() -> Iterator[None]:
    with untraced():
        yield


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({"OTEL_SERVICE_NAME": "api", "OTEL_TRACES_SAMPLER": "always_on"}, None),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://c:4318"}, None),
        ({"OTEL_TRACES_EXPORTER": ""}, None),
        ({"OTEL_TRACES_EXPORTER": "none"}, None),
        ({"OTEL_TRACES_EXPORTER": "none", ENDPOINT: "http://c:4318"}, None),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": " OTLP "}, "otlp"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "console"),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "zipkin"),
        ({ENDPOINT: "http://c:4318"}, "otlp"),
        ({OF_TRACES: "http://c:4318/v1/traces"}, "otlp"),
        ({ENDPOINT: ""}, None),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}, None),
        ({"OTEL_SDK_DISABLED": "TRUE", ENDPOINT: "http://c:4318"}, None),
        ({"OTEL_SDK_DISABLED": "false", ENDPOINT: "http://c:4318"}, "otlp"),
        ({"OTEL_SDK_DISABLED": "1", ENDPOINT: "http://c:4318"}, "otlp"),
    ],
)
def test_the_environment_decides(environ: dict[str, str], expected: str | None) -> None:
    assert chosen_exporter(environ) == expected


@pytest.mark.parametrize(
    ("exporter", "environ", "named"),
    [
        ("zipkin", {}, "OTEL_TRACES_EXPORTER=zipkin"),
        ("otlp", {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"),
        ("otlp", {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"}, "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json"),
        (
            "otlp",
            {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            None,
        ),
        ("otlp", {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, None),
        ("console", {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, None),
        ("otlp", {}, None),
    ],
)
def test_what_cannot_be_used_is_named(exporter: str, environ: dict[str, str], named: str | None) -> None:
    fault = exporter_fault(exporter, environ)
    assert fault is None if named is None else fault is not None and fault.startswith(named)


def test_off_is_the_default(settings: Settings) -> None:
    environ = {"OTEL_TRACES_EXPORTER": "", "OTEL_TRACES_SAMPLER": "", "PATH": "/bin", "OTHER": ""}
    with capture_logs() as logs:
        start_tracing(settings, "hfts-test", environ=environ)
    assert tracing().tracer_provider is None
    assert logs == []
    assert environ == {"PATH": "/bin", "OTHER": ""}, "an empty variable counts as none, for the SDK too"


def test_what_is_wrong_is_a_warning_and_stops_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with capture_logs() as logs:
        start_tracing(settings, "hfts-test", environ={"OTEL_TRACES_EXPORTER": "jaeger"})
        monkeypatch.setitem(sys.modules, "sinks.spans", None)
        start_tracing(settings, "hfts-test", environ={"OTEL_TRACES_EXPORTER": "console"})
    assert tracing().tracer_provider is None
    assert [line["event"] for line in logs] == ["tracing.stays_off"] * 2
    assert "jaeger" in logs[0]["reason"]
    assert "tracing" in logs[1]["reason"]


PROGRAM = """
import os, sys
os.environ |= {{"POSTGRES_PASSWORD": "x", "SECRET_KEY": "x" * 32}}
import {module}
from schemas.settings import Settings
from sinks.tracing import start_tracing, tracing
settings = Settings(_env_file=None)
start_tracing(settings, "hfts-test", {{"hfts.agents": "all"}})
if "{module}" == "ingest_api.app":
    ingest_api.app.create_app(settings)
provider = tracing().tracer_provider
print(sorted({{name for name in sys.modules if name == "opentelemetry" or name.startswith("opentelemetry.sdk")}}))
print(provider and dict(provider.resource.attributes))
"""


def modules_of(module: str, **environ: str) -> tuple[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module)],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    imported, attributes = done.stdout.splitlines()[-2:]
    return imported, attributes


def test_a_worker_without_tracing_imports_nothing_of_it() -> None:
    assert modules_of("streams.worker") == ("[]", "None")


def test_an_api_without_tracing_imports_no_more_than_fastapi_does() -> None:
    assert modules_of("ingest_api.app") == ("['opentelemetry']", "None")


def test_the_environment_names_the_service() -> None:
    given = {"OTEL_TRACES_EXPORTER": "console", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"}
    _, attributes = modules_of("streams.worker", **given)
    assert "'service.name': 'hfts-test'" in attributes
    assert "'hfts.agents': 'all'" in attributes
    assert "'deployment.environment.name': 'test'" in attributes
    _, attributes = modules_of("streams.worker", **given, OTEL_SERVICE_NAME="payments")
    assert "'service.name': 'payments'" in attributes
