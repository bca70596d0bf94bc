"""By which ids a call is known."""

import pytest

from pdp import correlation
from pdp.correlation import TraceParent, request_id, trace_parent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
BAD = (
    "", "x", f"00-{TRACE}-{SPAN}", f"00-{TRACE}-{SPAN}-01-more", f"ff-{TRACE}-{SPAN}-01",
    f"00-{TRACE.upper()}-{SPAN}-01",
    f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE}-{SPAN}-01\n", f"00-{TRACE}-{SPAN}-0",
)  # fmt: skip


def test_callers_span_is_read_as_the_standard_says() -> None:
    assert trace_parent([f"00-{TRACE}-{SPAN}-01"]) == TraceParent(TRACE, SPAN, is_sampled=True)
    assert trace_parent([f"00-{TRACE}-{SPAN}-02"]) == TraceParent(TRACE, SPAN, is_sampled=False)
    assert trace_parent([f"01-{TRACE}-{SPAN}-01-later"]) == TraceParent(TRACE, SPAN, is_sampled=True)


@pytest.mark.parametrize("sent", BAD)
def test_other_text_is_no_span(sent: str) -> None:
    assert trace_parent([sent]) is None


def test_what_is_sent_twice_counts_for_nothing() -> None:
    assert trace_parent([f"00-{TRACE}-{SPAN}-01"] * 2) is None
    assert request_id(["a", "a"]) == ""


def test_request_id_is_one_that_a_line_can_have() -> None:
    assert request_id(["agent-7/3"]) == "agent-7/3"
    assert [request_id([sent]) for sent in ("", "a b", "a\n", "\x1b[2J", "é", "x" * 129)] == [""] * 6


def test_outside_of_a_call_there_are_none() -> None:
    assert (correlation.present(), correlation.parent(), correlation.trace_id()) == ("", None, "")
