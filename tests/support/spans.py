"""Tracing that is on in this process, and what it tells."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import SpanContext

from schemas.settings import Settings
from sinks.spans import RecordedTracing
from sinks.tracing import Tracing, tracing, use


class Told:
    """The spans that have ended."""

    def __init__(self, sampler: Sampler | None = None) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def spans(self, name: str) -> list[ReadableSpan]:
        """Those of this name, in the order in which they ended."""
        return [span for span in self._exporter.get_finished_spans() if span.name == name]

    def span(self, name: str) -> ReadableSpan:
        """The only one of this name."""
        [found] = self.spans(name)
        return found

    def all(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def clear(self) -> None:
        self._exporter.clear()


@contextmanager
def traced(settings: Settings, sampler: Sampler | None = None) -> Iterator[Told]:
    """Trace in here."""
    told = Told(sampler)
    before = use(RecordedTracing(settings, told.provider))
    try:
        yield told
    finally:
        use(before)
        told.provider.shutdown()


@contextmanager
def untraced() -> Iterator[Tracing]:
    """Trace nothing in here, whatever is done to the switch; it is put back afterwards."""
    before = use(Tracing())
    try:
        yield tracing()
    finally:
        use(before)


def context_of(span: ReadableSpan) -> SpanContext:
    """Which span it is."""
    context: SpanContext | None = span.context
    assert context is not None
    return context


def traceparent_of_span(span: ReadableSpan) -> bytes:
    """What a record sent within it carries."""
    context = context_of(span)
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}".encode()


def is_child(child: ReadableSpan, parent: ReadableSpan) -> bool:
    """Whether the one was begun directly within the other."""
    return (
        child.parent is not None
        and child.parent.span_id == context_of(parent).span_id
        and child.parent.trace_id == context_of(parent).trace_id
    )


def is_linked(span: ReadableSpan, to: ReadableSpan) -> bool:
    """Whether the one has a link to the other."""
    wanted = context_of(to)
    return any(
        (link.context.trace_id, link.context.span_id) == (wanted.trace_id, wanted.span_id) for link in span.links
    )
