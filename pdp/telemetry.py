"""Spans by OpenTelemetry, sent by OTLP over HTTP. Only this file imports it, and it is imported only where they are on.

1. The environment alone configures it, by the variables `OTEL_*` of OpenTelemetry.
2. A span has the RPC, how the call ended, the effect, the decision's id and the size of what many calls share. Of the
   request, of the caller and of what a caller's trace carries beside its ids it has nothing.
3. Spans are sent from a thread. Where they cannot be sent, they wait and then are lost; decisions notice nothing.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)
from opentelemetry.trace import Span as OtelSpan

from pdp import __version__
from pdp.correlation import TraceParent
from pdp.traces import Span

NAME = "placet"
"""What the service is called where `OTEL_SERVICE_NAME` does not say it."""
CLOSE_SECONDS = 3.0
"""Seconds that the last spans may take when the server ends."""
TOLD_SECONDS = 60.0
"""Seconds between two lines in the log that say that spans are lost."""
_UNNAMED = "unknown_service"
_NANOSECONDS = 1e9
_OUR_FAULTS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})
"""The codes of gRPC by which OpenTelemetry says that a server failed, as those from 500 on are of HTTP."""

log = logging.getLogger(__name__)


class Telemetry:
    """Makes and sends the spans of this process, until it is closed."""

    def __init__(self) -> None:
        logging.getLogger("opentelemetry").handlers = [_Losses()]
        logging.getLogger("opentelemetry").propagate = False
        logging.getLogger("opentelemetry.sdk._shared_internal").setLevel(logging.ERROR)  # a warning a lost span
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer(NAME)

    def call(self, name: str, began: float, parent: TraceParent | None) -> "CallSpan | None":
        """See `traces.Spans`."""
        start = time.time_ns() - int((time.perf_counter() - began) * _NANOSECONDS)
        span = self._tracer.start_span(name, _below(parent), SpanKind.SERVER, start_time=start)
        return CallSpan(span, self._tracer) if span.is_recording() else None

    async def close(self) -> None:
        """Send what waits. A collector that does not answer is given up after `CLOSE_SECONDS`."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # the loop did not wait for it
                loop.call_soon_threadsafe(done.set)

        threading.Thread(target=shut_down, name="last spans", daemon=True).start()
        try:
            await asyncio.wait_for(done.wait(), CLOSE_SECONDS)
        except TimeoutError:
            log.warning("the last spans are lost: what OTEL_EXPORTER_OTLP_ENDPOINT names did not take them in time")


class CallSpan:
    """See `traces.Span`."""

    def __init__(self, span: OtelSpan, tracer: Tracer) -> None:
        self._span, self._tracer, self.context = span, tracer, span.get_span_context()
        self.trace_id = f"{self.context.trace_id:032x}"

    def end(self, rpc: str, code: str, effect: str, decision_id: str, decisions: int) -> None:
        """See `traces.Span`."""
        said: dict[str, str | int] = {
            "rpc": rpc,
            "code": code,
            "effect": effect,
            "decision_id": decision_id,
            "batch_size": decisions,
        }
        self._span.set_attributes({f"pdp.{name}": value for name, value in said.items() if value})
        if code in _OUR_FAULTS or code.startswith("5"):
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()

    def shared(self, name: str, calls: Sequence[Span], size: int) -> AbstractContextManager[object]:
        """See `traces.Span`."""
        return self._shared(name, calls, size)

    @contextmanager
    def _shared(self, name: str, calls: Sequence[Span], size: int) -> Iterator[None]:
        below = set_span_in_context(self._span, Context())
        links = [Link(call.context) for call in calls if isinstance(call, CallSpan)]
        span = self._tracer.start_span(name, below, SpanKind.CLIENT, {"pdp.batch_size": size}, links)
        try:
            yield
        except BaseException:
            span.set_status(Status(StatusCode.ERROR))
            raise
        finally:
            span.end()


class _Losses(logging.Handler):
    """Says once in `TOLD_SECONDS` that spans are lost, in place of a line for each try and without others' words."""

    _told = -TOLD_SECONDS

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING and time.monotonic() - self._told >= TOLD_SECONDS:
            self._told = time.monotonic()
            log.warning("spans are lost: what OTEL_EXPORTER_OTLP_ENDPOINT names does not take them; see if it answers")


def _resource() -> Resource:
    resource = Resource.create()
    own: dict[str, str] = {SERVICE_VERSION: __version__}
    if str(resource.attributes.get(SERVICE_NAME, _UNNAMED)).startswith(_UNNAMED):
        own[SERVICE_NAME] = NAME
    return resource.merge(Resource(own))


def _below(parent: TraceParent | None) -> Context:
    """The context of a span below the caller's. What else a caller's trace carries is left behind."""
    if parent is None:
        return Context()
    flags = TraceFlags(TraceFlags.SAMPLED if parent.is_sampled else TraceFlags.DEFAULT)
    above = SpanContext(int(parent.trace_id, 16), int(parent.span_id, 16), is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(above), Context())
