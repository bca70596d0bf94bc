"""Spans reach a real collector, and one that is away costs nothing but the spans."""

import asyncio
import logging
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from pdp import call_summary
from pdp.call_summary import Calls
from pdp.correlation import TraceParent
from pdp.process.mongod import MongodProcess
from pdp.telemetry import CLOSE_SECONDS, Telemetry
from pdp.traces import COMMIT, QUERY, shared
from pdp.v1.decision_pb2 import BatchAuthorizeRequest
from tests.collector import Collector, attributes, collecting
from tests.parts import Placet, asking, exporting, placet
from tests.web import evaluate, question

AUTHORIZE, BATCH = "pdp.v1.DecisionService/Authorize", "pdp.v1.DecisionService/BatchAuthorize"
EVALUATION = "POST /access/v1/evaluation"
SAID = {"pdp.rpc", "pdp.code", "pdp.effect", "pdp.decision_id", "pdp.batch_size"}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as running:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", running.url)
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")
        yield running


@asynccontextmanager
async def traced(state: Path, mongod: MongodProcess) -> AsyncIterator[Placet]:
    """A server that sends spans; at the end all have been sent."""
    spans = Telemetry()
    async with placet(state, mongod.uri, keeps_lineage=False, calls=Calls(None, spans)) as server:
        yield server
    await spans.close()


def sent(number: int, flags: str = "01") -> str:
    return f"00-{number:032x}-{number:016x}-{flags}"


async def test_calls_are_spans_below_their_callers_and_what_they_share_links_to_them(
    state: Path, mongod: MongodProcess, collector: Collector
) -> None:
    async with traced(state, mongod) as server:
        own = server.metadata("report-bot")
        calls = [
            server.decisions.Authorize(asking(), metadata=(*own, ("traceparent", sent(number))))
            for number in range(1, 9)
        ]
        ids = [answer.decision_id for answer in await asyncio.gather(*calls)]
        await evaluate(server, question(), traceparent=sent(9))
        await server.decisions.BatchAuthorize(BatchAuthorizeRequest(items=[asking()] * 5), metadata=own)
        await server.decisions.Authorize(asking(), metadata=(*own, ("traceparent", sent(10, "00"))))
        with pytest.raises(grpc.aio.AioRpcError):
            await server.decisions.Authorize(asking(), metadata=(("traceparent", sent(11)),))
    spans = {span.span_id: span for span in collector.spans}
    ones = {int.from_bytes(span.trace_id): span for span in collector.named(AUTHORIZE)}
    assert sorted(ones) == list(range(1, 9)), "a call that is not sampled, or a stranger's, has a span"
    for number, decision_id in enumerate(ids, start=1):
        assert int.from_bytes(ones[number].parent_span_id) == number
        said = {"rpc": AUTHORIZE, "code": "OK", "effect": "ALLOW", "decision_id": decision_id, "batch_size": 1}
        assert attributes(ones[number]) == {f"pdp.{name}": value for name, value in said.items()}
    [evaluation], [batch] = collector.named(EVALUATION), collector.named(BATCH)
    assert int.from_bytes(evaluation.trace_id) == int.from_bytes(evaluation.parent_span_id) == 9
    assert attributes(evaluation)["pdp.code"] == "200"
    assert (attributes(batch)["pdp.batch_size"], batch.parent_span_id) == (5, b"")
    for name in (QUERY, COMMIT):
        each = collector.named(name)
        linked = [link.span_id for span in each for link in span.links]
        assert {*linked} >= {span.span_id for span in (*ones.values(), evaluation, batch)}
        assert sum(attributes(span)["pdp.batch_size"] for span in each) >= 14
        assert all(span.parent_span_id == span.links[0].span_id for span in each)
        assert all(spans[span.parent_span_id].trace_id == span.trace_id for span in each)
    assert {key for span in spans.values() for key in attributes(span)} <= SAID
    assert {"service.name": "placet", "deployment.environment": "test"}.items() <= attributes(
        collector.exports[0].resource
    ).items()


async def test_value_of_a_caller_shows_in_no_span(state: Path, mongod: MongodProcess, collector: Collector) -> None:
    canary = "canary7f3a"
    more = ("traceparent", sent(1)), ("tracestate", f"x={canary}"), ("baggage", f"x={canary}"), ("x-request-id", canary)
    async with traced(state, mongod) as server:
        request = exporting(context={"secret": canary}, justification=canary, requestId=canary)
        request.resource.id = canary
        await server.decisions.Authorize(request, metadata=(*server.metadata("report-bot"), *more))
        request.context.fields["x"].string_value = f"{canary}\0"
        with pytest.raises(grpc.aio.AioRpcError):
            await server.decisions.Authorize(request, metadata=(*server.metadata("report-bot"), *more))
        await evaluate(server, question(resource={"type": "table", "id": canary}), **dict(more))
    assert len(collector.spans) > 4
    assert not any(canary.encode() in raw for raw in collector.raw)
    assert {attributes(span)["pdp.code"] for span in collector.named(AUTHORIZE)} == {"OK", "INVALID_ARGUMENT"}


async def test_failure_of_ours_is_marked_and_one_of_the_caller_is_not(collector: Collector) -> None:
    spans = Telemetry()
    for code in ("INVALID_ARGUMENT", "UNAVAILABLE", "404", "503"):
        with Calls(None, spans).summary(code) as call:
            assert call is not None
            call.span = spans.call(code, call.began, None)
            call.code = code
    with Calls(None, spans).summary("x"):
        call_summary.decided(1)
    await spans.close()
    marked = {span.name: span.status.code for span in collector.spans}
    assert marked == {"INVALID_ARGUMENT": 0, "UNAVAILABLE": 2, "404": 0, "503": 2}


async def test_shared_work_that_fails_is_marked_and_raises(collector: Collector) -> None:
    spans = Telemetry()
    one = spans.call("x", time.perf_counter(), TraceParent("ab" * 16, "cd" * 8, is_sampled=True))
    with pytest.raises(KeyError, match="canary"), shared(QUERY, [None, one, one], 3):
        raise KeyError("canary")
    await spans.close()
    [query] = collector.named(QUERY)
    assert (query.status.code, len(query.links), len(query.events)) == (2, 1, 0)
    assert b"canary" not in collector.raw[0]


@pytest.mark.parametrize("fault", ["away", "refuses", "silent"])
async def test_collector_that_does_not_take_spans_costs_only_the_spans(
    fault: str, collector: Collector, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        if fault == "away":
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
        elif fault == "silent":
            collector.answers.clear()
        else:
            collector.status = 401
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
        spans, began = Telemetry(), time.thread_time()
        with caplog.at_level(logging.DEBUG):
            for _ in range(5000):  # more than wait
                call = spans.call("x", time.perf_counter(), None)
                assert call is not None
                call.end("x", "OK", "", "", 1)
            assert time.thread_time() - began < 5, "the loop waited for the collector"
            await asyncio.sleep(0.1)
            ending = time.monotonic()
            await spans.close()
            assert time.monotonic() - ending < CLOSE_SECONDS + 5
    told = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert 1 <= len(told) <= 2, told
    assert all("OTEL_EXPORTER_OTLP_ENDPOINT" in one for one in told)


LOADED = """
import sys
import pdp.cli.serve, pdp.server.running, pdp.server.watched
sys.exit(any(name.partition(".")[0] == "opentelemetry" for name in sys.modules))
"""


def test_server_without_traces_loads_nothing_of_opentelemetry() -> None:
    assert subprocess.run([sys.executable, "-c", LOADED], check=False).returncode == 0
