"""FastAPI's own tracing of requests: whether it is on, and what it leaves out."""

from collections.abc import MutableMapping
from typing import Any

from fastapi.telemetry import TelemetryConfig

from sinks.tracing import tracing

UNTRACED_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked every few seconds by whoever watches the process."""


def telemetry_config() -> TelemetryConfig:
    """A span for each request if this process traces, and nothing more: asking the environment for exporters would take
    a tenth of a submitted transfer's time, spans of its parts several times as much."""
    provider = tracing().tracer_provider
    return {
        "tracing": provider is not None,
        "tracer_provider": provider,
        "operation_spans": False,
        "metrics": False,
        "logs": False,
        "auto_configure": False,
        "exclude": _is_untraced,
    }


def _is_untraced(scope: MutableMapping[str, Any]) -> bool:
    return scope["path"] in UNTRACED_PATHS
