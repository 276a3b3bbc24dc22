"""What is told of a request's way, for distributed tracing, and the switch.

Off, which is the default, nothing is told and OpenTelemetry is not imported; a client's ``traceparent`` is passed on
to the records that follow from its request, and that is all. On, ``sinks.spans`` takes over.
"""

import os
from collections.abc import Mapping, MutableMapping, Sequence
from contextvars import ContextVar, Token
from typing import Any, Protocol, Self

import structlog

from schemas.headers import TRACEPARENT
from schemas.settings import Settings
from schemas.traceparent import trace_id_of
from sinks.kafka.positions import Position
from sinks.kafka.records import Consumed

EXPORTERS = ("otlp", "console")
PROTOCOL = "http/protobuf"

OwnHeaders = list[tuple[str, bytes]]
"""Headers of a record to send. Nobody changes such a list: the empty one is shared."""

_NO_HEADERS: OwnHeaders = []
_inherited: ContextVar[bytes | None] = ContextVar("traceparent", default=None)

_log = structlog.get_logger(__name__)


class Span(Protocol):
    """A stretch of work, told of when it is left. What is begun within it is part of it."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, *error: object) -> None:
        """End, with the error that it ends with."""

    def headers(self) -> OwnHeaders:
        """What records that are sent within it carry."""

    def stands_at(self, position: Position) -> None:
        """Note where the record that was sent stands."""

    def fail(self, error: BaseException) -> None:
        """Note that it came to nothing, though nothing is raised."""


class BatchSpan(Protocol):
    """The work on batches of records. As a context manager its last stretch, which ends it."""

    def __enter__(self) -> Self:
        """Go on with it."""

    def __exit__(self, *error: object) -> None:
        """End."""

    def step(self, name: str) -> Span:
        """A part of it."""


class _Untold:
    """A span that is none."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def headers(self) -> OwnHeaders:
        traceparent = _inherited.get()
        return _NO_HEADERS if traceparent is None else [(TRACEPARENT, traceparent)]

    def stands_at(self, position: Position) -> None:
        pass

    def fail(self, error: BaseException) -> None:
        pass

    def step(self, name: str) -> Span:  # noqa: ARG002 (as a BatchSpan has it)
        return self


_UNTOLD = _Untold()


class Tracing:
    """Tracing that is off."""

    tracer_provider: Any = None
    """What FastAPI makes its own spans of requests with; None where it makes none."""

    def sending(self, topic: str, *, records: int | None = None, partitions: Sequence[int] = ()) -> Span:  # noqa: ARG002 (as it is when on)
        """Sending records to a topic, until the brokers have them. One record, if it is not said how many."""
        return _UNTOLD

    def batch(self, agent: str, topic: str, batches: Mapping[int, Sequence[Consumed]]) -> BatchSpan:  # noqa: ARG002
        """An agent's work on what it has taken from a topic, by partition. None of them is empty."""
        return _UNTOLD

    def database(self, table: str, rows: int) -> Span:  # noqa: ARG002
        """A transaction that writes so many rows."""
        return _UNTOLD

    def name_request(self, method: str, route: str | None, request_id: str) -> None:
        """Say which route serves the HTTP request in hand."""

    def note_transfer(self, transfer_id: str) -> None:
        """Say which transfer the work in hand is about."""

    def ids(self) -> Mapping[str, str]:
        """The trace in hand, and the span in it: what a log line carries."""
        traceparent = _inherited.get()
        return {} if traceparent is None else {"trace_id": trace_id_of(traceparent)}

    def end(self) -> None:
        """Hand over what has not been handed over yet: before the process ends."""


_tracing = Tracing()


def tracing() -> Tracing:
    """What this process tells."""
    return _tracing


def use(chosen: Tracing) -> Tracing:
    """Tell it this way from now on; returns the way until now."""
    global _tracing
    before, _tracing = _tracing, chosen
    return before


def inherit(traceparent: bytes) -> Token[bytes | None]:
    """Pass this on to the records that are sent from here, while tracing is off. Give the token back in the end."""
    return _inherited.set(traceparent)


def disinherit(token: Token[bytes | None]) -> None:
    """Pass it on no more."""
    _inherited.reset(token)


def start_tracing(
    settings: Settings,
    service: str,
    attributes: Mapping[str, str] | None = None,
    environ: MutableMapping[str, str] = os.environ,
) -> None:
    """Switch tracing on if the environment says so, under this name of the service unless it names another.

    What is wrong with the environment is a warning, as OpenTelemetry's specification wants it, and tracing stays off:
    it is not worth a process that moves money.
    """
    for name in [name for name, value in environ.items() if name.startswith("OTEL_") and not value]:
        del environ[name]  # the specification takes an empty value for none, the SDK not always
    exporter = chosen_exporter(environ)
    if exporter is None:
        return
    fault = exporter_fault(exporter, environ)
    if fault is not None:
        _log.warning("tracing.stays_off", reason=fault)
        return
    try:
        from sinks.spans import recorded_tracing  # noqa: PLC0415 (imports OpenTelemetry)
    except ModuleNotFoundError as error:
        _log.warning(
            "tracing.stays_off", reason=f"{error.name} is not installed: install hfts with its extra `tracing`"
        )
        return
    use(recorded_tracing(settings, exporter, service, attributes or {}))
    _log.info("tracing.on", exporter=exporter)


def chosen_exporter(environ: Mapping[str, str]) -> str | None:
    """Where spans are to go: the value of OTEL_TRACES_EXPORTER, or ``otlp`` where only its endpoint is set.

    None: tracing is off, also where OTEL_SDK_DISABLED says so.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    if exporter == "none":
        return None
    if not exporter and any(environ.get(f"OTEL_EXPORTER_OTLP_{which}ENDPOINT") for which in ("TRACES_", "")):
        return "otlp"
    return exporter or None


def exporter_fault(exporter: str, environ: Mapping[str, str]) -> str | None:
    """What keeps this exporter from being used, with what to do."""
    if exporter not in EXPORTERS:
        return f"OTEL_TRACES_EXPORTER={exporter} is not known: set otlp, console or none"
    if exporter == "otlp":
        for name in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
            protocol = environ.get(name)
            if protocol:  # the first of the two decides
                return None if protocol == PROTOCOL else f"{name}={protocol} is not spoken here: set {PROTOCOL}"
    return None
