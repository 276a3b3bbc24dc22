"""Tracing that is on: spans of OpenTelemetry, by its semantic conventions for messaging and databases.

An attribute may name a topic, a place, an id, a count or the type of an error. Amounts, addresses, tokens and the
texts of errors stay out.
"""

import os
import socket
import threading
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Self

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags, TraceState
from opentelemetry.util.types import Attributes

from schemas.headers import TRACEPARENT
from schemas.settings import Settings
from schemas.traceparent import is_sampled, parent_id_of, trace_id_of, traceparent_of
from sinks.kafka.positions import Position
from sinks.kafka.records import Consumed
from sinks.tracing import BatchSpan, OwnHeaders, Span, Tracing

LINKS_MAX = 128
"""Of one span, as OpenTelemetry has it by default."""

END_S_MAX = 2.0

_PARTITION = "messaging.destination.partition.id"
_OFFSET = "messaging.kafka.offset"


def recorded_tracing(settings: Settings, exporter: str, service: str, attributes: Mapping[str, str]) -> Tracing:
    """Tracing with this exporter, ``otlp`` or ``console``; all else is as the environment says (OTEL_*).

    Spans are handed over every few seconds by a thread.
    """
    given: dict[str, Any] = {
        SERVICE_NAME: service,
        "service.version": version("hfts"),
        "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        **attributes,
    }
    # What the environment says of itself goes first.
    resource = Resource.create({**given, **OTELResourceDetector().detect().attributes})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter() if exporter == "otlp" else ConsoleSpanExporter()))
    return RecordedTracing(settings, provider)


class RecordedTracing(Tracing):
    """Tells all of it with this provider, which nobody else has made spans with yet."""

    def __init__(self, settings: Settings, provider: TracerProvider) -> None:
        if isinstance(provider.sampler, ParentBased):
            provider.sampler = FollowingSampler(provider.sampler)
        provider.add_span_processor(WithoutQueries())
        self.tracer_provider = provider
        self._tracer = provider.get_tracer("hfts", version("hfts"))
        self._group_prefix = settings.topic_prefix
        self._database: dict[str, str | int] = {
            "db.system.name": "postgresql",
            "db.namespace": settings.postgres_db,
            "server.address": settings.postgres_host,
            "server.port": settings.postgres_port,
        }

    def sending(self, topic: str, *, records: int | None = None, partitions: Sequence[int] = ()) -> Span:
        """A producer's span."""
        attributes: dict[str, Any] = {**_messaging("send", topic), **_partitions(partitions)}
        if records is not None:
            attributes["messaging.batch.message_count"] = records
        return _Recorded(self._tracer.start_span(f"send {topic}", kind=SpanKind.PRODUCER, attributes=attributes))

    def batch(self, agent: str, topic: str, batches: Mapping[int, Sequence[Consumed]]) -> BatchSpan:
        """A consumer's span with links to the traces of the records."""
        attributes: dict[str, Any] = {
            **_messaging("process", topic),
            **_partitions(list(batches)),
            "messaging.consumer.group.name": f"{self._group_prefix}hfts-{agent}",
            "messaging.batch.message_count": sum(map(len, batches.values())),
            "hfts.first_offsets": [records[0].offset for records in batches.values()],
            "hfts.last_offsets": [records[-1].offset for records in batches.values()],
        }
        span = self._tracer.start_span(
            f"process {topic}",
            context=Context(),
            kind=SpanKind.CONSUMER,
            attributes=attributes,
            links=links_of(batches),
        )
        return _RecordedBatch(self._tracer, span)

    def database(self, table: str, rows: int) -> Span:
        """A client's span."""
        attributes = {
            **self._database,
            "db.operation.name": "COMMIT",
            "db.collection.name": table,
            "db.operation.batch.size": rows,
        }
        return _Recorded(self._tracer.start_span(f"COMMIT {table}", kind=SpanKind.CLIENT, attributes=attributes))

    def name_request(self, method: str, route: str | None, request_id: str) -> None:
        """On the span that FastAPI has made; it sees nothing of a route that is not found by its router."""
        span = trace.get_current_span()
        span.set_attribute("hfts.request_id", request_id)
        if route is not None:
            span.update_name(f"{method} {route}")
            span.set_attribute("http.route", route)

    def note_transfer(self, transfer_id: str) -> None:
        """On the current span."""
        trace.get_current_span().set_attribute("hfts.transfer_id", transfer_id)

    def ids(self) -> Mapping[str, str]:
        """Those of the current span."""
        found = trace.get_current_span().get_span_context()
        if not found.is_valid:
            return {}
        return {"trace_id": f"{found.trace_id:032x}", "span_id": f"{found.span_id:016x}"}

    def end(self) -> None:
        """Wait for the collector, for a bounded time: one that is away must not hold up a restart."""
        ending = threading.Thread(target=self.tracer_provider.shutdown, name="tracing-end", daemon=True)
        ending.start()
        ending.join(END_S_MAX)


class _Recorded:
    """A span under way, which is the current one as long as this context manager is entered."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def __enter__(self) -> Self:
        self._token = contexts.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(self, *error: object) -> None:
        contexts.detach(self._token)
        if isinstance(error[1], BaseException):
            self.fail(error[1])
        self._span.end()

    def headers(self) -> OwnHeaders:
        found = self._span.get_span_context()
        value = f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"
        return [(TRACEPARENT, value.encode())]

    def stands_at(self, position: Position) -> None:
        self._span.set_attribute(_PARTITION, str(position.partition))
        self._span.set_attribute(_OFFSET, position.offset)

    def fail(self, error: BaseException) -> None:
        self._span.set_attribute("error.type", type(error).__name__)
        self._span.set_status(StatusCode.ERROR)


class _RecordedBatch(_Recorded):
    """Steps may be entered in another task than the batch itself."""

    def __init__(self, tracer: trace.Tracer, span: trace.Span) -> None:
        super().__init__(span)
        self._tracer = tracer

    def step(self, name: str) -> Span:
        return _Recorded(self._tracer.start_span(name, context=trace.set_span_in_context(self._span, Context())))


class FollowingSampler(Sampler):
    """Records the work on a batch if somebody records one of its requests; all else as another sampler decides.

    With a ratio, that one would record few of the batches, and leave the traces of requests cut off.
    """

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def should_sample(  # noqa: PLR0917 (as the SDK calls it)
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide by the links where there are any and there is no parent."""
        sampler = self._sampler
        if links and not trace.get_current_span(parent_context).get_span_context().is_valid:
            sampler = ALWAYS_ON if any(link.context.trace_flags.sampled for link in links) else ALWAYS_OFF
        return sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """For those who read it somewhere."""
        return f"FollowingSampler{{{self._sampler.get_description()}}}"


class WithoutQueries(SpanProcessor):
    """Hides what stands behind the question mark of an URL: a receipt is a secret, and people put anything there."""

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:  # noqa: ARG002 (as it is called)
        """Called before anybody can read the span."""
        if span.attributes and "url.query" in span.attributes:
            span.set_attribute("url.query", "REDACTED")


def links_of(batches: Mapping[int, Sequence[Consumed]]) -> list[Link]:
    """Links to the first traces that records belong to, each once, and to those first that somebody records."""
    sampled: dict[bytes, Consumed] = {}
    others: dict[bytes, Consumed] = {}
    for records in batches.values():
        for record in records:
            if record.headers and (found := traceparent_of(record.headers)) is not None:
                chosen = sampled if is_sampled(found) else others
                if len(chosen) < LINKS_MAX:
                    chosen.setdefault(found, record)
                elif chosen is sampled:
                    return _links(sampled)
    return _links(dict(list((sampled | others).items())[:LINKS_MAX]))


def _links(chosen: Mapping[bytes, Consumed]) -> list[Link]:
    return [
        Link(_context_of(traceparent), {_PARTITION: str(record.partition), _OFFSET: record.offset})
        for traceparent, record in chosen.items()
    ]


def _context_of(traceparent: bytes) -> SpanContext:
    return SpanContext(
        trace_id=int(trace_id_of(traceparent), 16),
        span_id=int(parent_id_of(traceparent), 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED if is_sampled(traceparent) else TraceFlags.DEFAULT),
    )


def _messaging(operation: str, topic: str) -> dict[str, str]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": topic,
    }


def _partitions(partitions: Sequence[int]) -> dict[str, Any]:
    if len(partitions) == 1:
        return {_PARTITION: str(partitions[0])}
    return {"hfts.partitions": list(partitions)} if partitions else {}
