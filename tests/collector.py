"""A collector of OpenTelemetry's: a server of HTTP that takes real exports and keeps their spans."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass
class Collector:
    """What came. `status` is what it answers; while `holds` it answers nothing."""

    url: str = ""
    status: int = 200
    raw: list[bytes] = field(default_factory=list)
    tries: int = 0
    answers: threading.Event = field(default_factory=threading.Event)

    @property
    def exports(self) -> list[Any]:
        """The resources with their spans."""
        return [one for body in self.raw for one in ExportTraceServiceRequest.FromString(body).resource_spans]

    @property
    def spans(self) -> list[Any]:
        """All spans, in the order in which they came."""
        return [span for one in self.exports for scope in one.scope_spans for span in scope.spans]

    def named(self, name: str) -> list[Any]:
        """The spans of this name."""
        return [span for span in self.spans if span.name == name]


def attributes(span: Any) -> dict[str, Any]:
    """What a span says."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a free port, until the block ends."""
    collector = Collector()
    collector.answers.set()

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.tries += 1
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.answers.wait()
            if collector.status == 200 and self.path == "/v1/traces":
                collector.raw.append(body)
            self.send_response(collector.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Takes)
    collector.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        collector.answers.set()
        server.shutdown()
        server.server_close()
        thread.join()
