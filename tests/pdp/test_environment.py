"""What the environment says of traces."""

import pytest

from pdp.environment import TRACE_PROTOCOL, Environment

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
TRACED = {
    "nothing is said": ({}, False),
    "an endpoint": (ENDPOINT, True),
    "an endpoint for traces": ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
    "an endpoint for metrics": ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://collector:4318"}, False),
    "an exporter": ({"OTEL_TRACES_EXPORTER": "console, otlp"}, True),
    "no exporter": ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, False),
    "all is off": ({**ENDPOINT, "OTEL_SDK_DISABLED": "True"}, False),
}


@pytest.mark.parametrize("case", TRACED)
def test_spans_are_sent_where_the_environment_asks_for_it(case: str) -> None:
    variables, is_traced = TRACED[case]
    assert Environment.read(variables).is_traced is is_traced


def test_protocol_for_traces_counts_before_the_one_for_all() -> None:
    every, own = "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
    assert Environment.read({}).trace_protocol == TRACE_PROTOCOL
    assert Environment.read({every: "grpc"}).trace_protocol == "grpc"
    assert Environment.read({every: "grpc", own: TRACE_PROTOCOL}).trace_protocol == TRACE_PROTOCOL
