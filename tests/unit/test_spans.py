"""Spans of the agents' work: what they are linked to, which are recorded, and what they do not tell."""

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence

import pytest
from builders import REQUESTED_AT, MemoryTopics, an_order, consumed
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode
from spans import context_of, is_child, traced, traceparent_of_span, untraced
from structlog.contextvars import clear_contextvars

from schemas.headers import SOURCE_OFFSET, TRACEPARENT
from schemas.settings import Settings
from sinks.kafka.positions import Position
from sinks.kafka.records import Consumed, Record
from sinks.ledger.rules import decide
from sinks.spans import LINKS_MAX, links_of
from sinks.tracing import disinherit, inherit, tracing
from streams.line import Line
from streams.outcomes import outcome_record
from streams.stage import Commit, Output, Outputs
from streams.traces import headers_after, traces_of
from tests.unit.test_line import Event, spin
from tests.unit.test_line import Stage as PlainStage

TOPIC = "transfers.requested"
NEVER = ParentBased(TraceIdRatioBased(0))
"""What begins a trace is not recorded."""


def traceparent(number: int, *, sampled: bool = True) -> bytes:
    return f"00-{number:032x}-{number:016x}-0{int(sampled)}".encode()


def in_trace(offset: int, value: bytes | None, *, partition: int = 0) -> Consumed:
    headers = [("own", b"x")] if value is None else [("own", b"x"), (TRACEPARENT, value)]
    return consumed(offset, b"v", partition=partition, topic=TOPIC, headers=headers)


@pytest.fixture
def settings() -> Settings:
    return Settings(_env_file=None, postgres_password="x", secret_key="x" * 32, topic_prefix="t.")


@pytest.fixture(autouse=True)
def _off_before() -> Iterator[None]:
    with untraced():
        yield
    clear_contextvars()


def test_links_are_bounded_and_each_trace_has_one() -> None:
    records = [in_trace(n, traceparent(1 + n // 2)) for n in range(1000)]
    found = links_of({0: records[:600], 1: records[600:]})
    assert [link.context.trace_id for link in found] == list(range(1, LINKS_MAX + 1))
    assert found[1].attributes == {"messaging.destination.partition.id": "0", "messaging.kafka.offset": 2}
    assert all(link.context.is_remote for link in found)


def test_who_records_is_linked_first() -> None:
    unrecorded = [in_trace(n, traceparent(1 + n, sampled=False)) for n in range(200)]
    recorded = [in_trace(200 + n, traceparent(1000 + n)) for n in range(3)]
    found = links_of({0: [*unrecorded, in_trace(300, None), *recorded]})
    assert [link.context.trace_id for link in found][:4] == [1000, 1001, 1002, 1]
    assert len(found) == LINKS_MAX


def test_records_without_a_valid_trace_have_no_link() -> None:
    assert links_of({0: [in_trace(1, None), in_trace(2, b"nonsense"), consumed(3, b"v")]}) == []


@pytest.mark.parametrize(
    ("sampler", "values", "expected"),
    [
        (ParentBased(ALWAYS_ON), [None], True),
        (ParentBased(ALWAYS_ON), [traceparent(1)], True),
        (ParentBased(ALWAYS_ON), [traceparent(1, sampled=False), None], False),
        (NEVER, [None], False),
        (NEVER, [traceparent(1, sampled=False), traceparent(2)], True),
        (ALWAYS_OFF, [traceparent(1)], False),
        (ALWAYS_ON, [traceparent(1, sampled=False)], True),
    ],
)
def test_a_batch_is_recorded_if_one_of_its_requests_is(
    settings: Settings, sampler: Sampler, values: list[bytes | None], expected: bool
) -> None:
    with traced(settings, sampler) as told:
        with tracing().batch("transfers", TOPIC, {0: [in_trace(n, value) for n, value in enumerate(values)]}):
            pass
        assert [span.name for span in told.all()] == [f"process {TOPIC}"] * expected


def test_what_a_batch_says_of_itself(settings: Settings) -> None:
    with traced(settings) as told:
        with tracing().batch("audit", TOPIC, {2: [in_trace(4, None), in_trace(9, None)], 0: [in_trace(1, None)]}):
            pass
        with tracing().batch("audit", TOPIC, {7: [in_trace(4, None)]}):
            pass
    many, one = told.spans(f"process {TOPIC}")
    assert many.kind is SpanKind.CONSUMER
    assert many.attributes == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": TOPIC,
        "messaging.consumer.group.name": "t.hfts-audit",
        "messaging.batch.message_count": 3,
        "hfts.partitions": (2, 0),
        "hfts.first_offsets": (4, 1),
        "hfts.last_offsets": (9, 1),
    }
    assert one.attributes is not None
    assert one.attributes["messaging.destination.partition.id"] == "7"


async def test_the_steps_of_a_line_are_one_trace(settings: Settings) -> None:
    class TracedStage(PlainStage):
        async def prepare(self, batches: Mapping[int, Sequence[Consumed]]) -> Commit:
            with tracing().database("wallets", 0):
                pass

            async def commit() -> Outputs:
                with tracing().database("transfers", 1):
                    await asyncio.sleep(0)
                return [[], [Output("out", 0, [(Record(None, b"x", []),)])]]

            return commit

    event = Event(0, 1)
    event.value = [in_trace(1, traceparent(5))]
    with traced(settings) as told:
        line = Line(TracedStage(), MemoryTopics(), records_max=10, bytes_max=1000)
        running = asyncio.create_task(line.run())
        await line.put(event)
        await spin()
        running.cancel()
    batch = told.span("process in")
    assert [link.context.trace_id for link in batch.links] == [5]
    assert batch.parent is None
    assert is_child(told.span("decide"), batch)
    assert is_child(told.span("COMMIT wallets"), told.span("decide"))
    assert is_child(told.span("COMMIT transfers"), batch)
    assert is_child(told.span("send out"), batch)
    commit = told.span("COMMIT transfers")
    assert commit.kind is SpanKind.CLIENT
    assert commit.attributes == {
        "db.system.name": "postgresql",
        "db.namespace": "hfts_db",
        "server.address": "127.0.0.1",
        "server.port": 5432,
        "db.operation.name": "COMMIT",
        "db.collection.name": "transfers",
        "db.operation.batch.size": 1,
    }


def test_an_error_is_told_by_its_type_alone(settings: Settings) -> None:
    with traced(settings) as told:
        with pytest.raises(LookupError), tracing().database("transfers", 1):
            raise LookupError("ada@example.com has 5.0000")
        span = told.span("COMMIT transfers")
    assert span.status.status_code is StatusCode.ERROR
    assert (span.status.description, list(span.events)) == (None, [])
    assert span.attributes is not None
    assert span.attributes["error.type"] == "LookupError"
    assert "ada@" not in str(span.to_json())  # three letters alone may stand in an id


def test_a_record_that_is_sent_carries_its_span(settings: Settings) -> None:
    with traced(settings) as told:
        with tracing().sending(TOPIC) as span:
            [(name, value)] = span.headers()
            span.stands_at(Position(3, 17))
        with tracing().sending(TOPIC, records=2) as span:
            span.fail(TimeoutError())
    one, many = told.spans(f"send {TOPIC}")
    assert (name, value) == (TRACEPARENT, traceparent_of_span(one))
    assert one.attributes is not None
    assert one.kind is SpanKind.PRODUCER
    assert one.attributes["messaging.destination.partition.id"] == "3"
    assert one.attributes["messaging.kafka.offset"] == 17
    assert many.attributes is not None
    assert many.attributes["messaging.batch.message_count"] == 2
    assert many.status.status_code is StatusCode.ERROR


def test_what_is_not_recorded_says_so_to_those_behind(settings: Settings) -> None:
    with traced(settings, NEVER) as told, tracing().sending(TOPIC) as span:
        [(_, value)] = span.headers()
    assert value.endswith((b"-00", b"-02"))  # the other flag says that the id is random
    assert told.all() == []


def test_off_a_clients_trace_is_passed_on_and_nothing_else() -> None:
    with tracing().sending(TOPIC) as span:
        assert span.headers() == []
    assert tracing().ids() == {}
    token = inherit(traceparent(7))
    with tracing().sending(TOPIC) as span:
        assert span.headers() == [(TRACEPARENT, traceparent(7))]
    assert tracing().ids() == {"trace_id": f"{7:032x}"}
    disinherit(token)
    assert tracing().ids() == {}
    with tracing().batch("audit", TOPIC, {0: [in_trace(0, traceparent(1))]}) as batch, batch.step("decide") as step:
        assert step.headers() == []


def test_the_log_gets_the_ids_of_the_current_span(settings: Settings) -> None:
    with traced(settings) as told:
        assert tracing().ids() == {}
        with tracing().database("transfers", 1):
            ids = tracing().ids()
    context = context_of(told.span("COMMIT transfers"))
    assert ids == {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


def test_a_collector_that_does_not_answer_holds_up_no_end(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(SpanProcessor):
        def __init__(self) -> None:
            self.may_end = threading.Event()
            self.has_ended = threading.Event()

        def shutdown(self) -> None:
            self.may_end.wait()
            self.has_ended.set()

    monkeypatch.setattr("sinks.spans.END_S_MAX", 0)
    silent = Silent()
    with traced(settings) as told:
        told.provider.add_span_processor(silent)
        tracing().end()
        assert not silent.has_ended.is_set()
        silent.may_end.set()
        assert silent.has_ended.wait(60)


def test_queries_are_hidden(settings: Settings) -> None:
    with traced(settings) as told:
        tracer = told.provider.get_tracer("fastapi")
        tracer.start_span("GET", attributes={"url.query": "receipt=AQGQ", "url.path": "/v1/transfers/1"}).end()
    span = told.span("GET")
    assert span.attributes == {"url.query": "REDACTED", "url.path": "/v1/transfers/1"}


def test_a_trace_goes_on_in_what_follows_from_its_request() -> None:
    records = [in_trace(0, traceparent(1)), in_trace(1, None), consumed(2, b"v"), in_trace(3, b"nonsense")]
    traces = traces_of({4: records})
    assert traces == {(4, 0): traceparent(1)}
    [transfer] = decide([an_order(0)], {}, REQUESTED_AT)[0]
    assert outcome_record(transfer).headers == [(SOURCE_OFFSET, b"0")]
    assert outcome_record(transfer, traces[4, 0]).headers == [(TRACEPARENT, traceparent(1)), (SOURCE_OFFSET, b"0")]
    assert headers_after(records[0]) == [(TRACEPARENT, traceparent(1)), (SOURCE_OFFSET, b"0")]
    assert [headers_after(record) for record in records[1:]] == [
        [(SOURCE_OFFSET, b"1")],
        [(SOURCE_OFFSET, b"2")],
        [(SOURCE_OFFSET, b"3")],
    ]
