"""Spans on their way to a collector, as the environment says."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from spans import untraced

from schemas.settings import Settings
from sinks.tracing import start_tracing, tracing


class Collector(HTTPServer):
    """Keeps what it is sent: paths, tokens and bodies."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str | None, bytes]] = []
        super().__init__(("127.0.0.1", 0), Receiving)


class Receiving(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, self.headers["authorization"], body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield server
        server.shutdown()
        serving.join()


def test_the_end_hands_over_what_is_left(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20of-the-collector")
    monkeypatch.setattr("sinks.spans.END_S_MAX", 60)
    settings = Settings(_env_file=None, postgres_password="x", secret_key="x" * 32)
    with untraced():
        start_tracing(settings, "hfts-worker", {"hfts.agents": "transfers"})
        with tracing().database("transfers", 7):
            pass
        tracing().end()
    [(path, token, body)] = collector.requests
    assert (path, token) == ("/v1/traces", "Bearer of-the-collector")
    [spans] = ExportTraceServiceRequest.FromString(body).resource_spans
    told = {attribute.key: attribute.value.string_value for attribute in spans.resource.attributes}
    assert (told["service.name"], told["hfts.agents"]) == ("hfts-worker", "transfers")
    [scope] = spans.scope_spans
    assert [(span.name, len(span.attributes)) for span in scope.spans] == [("COMMIT transfers", 7)]
