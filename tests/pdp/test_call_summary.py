"""What is told of a call once it has ended."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext, suppress

import pytest

from pdp import call_summary, correlation, deadline
from pdp.call_summary import Calls, CallSummary
from pdp.correlation import TraceParent

RPC = "pdp.v1.DecisionService/Authorize"


class Kept:
    """A span that keeps what is said of it."""

    def __init__(self, name: str, parent: TraceParent | None) -> None:
        self.name, self.parent, self.trace_id, self.said = name, parent, "ab" * 16, tuple[object, ...]()

    def end(self, *said: object) -> None:
        self.said = said

    def shared(self, name: str, calls: Sequence["Kept"], size: int) -> nullcontext[None]:
        raise NotImplementedError  # a single call shares no span


class Spans:
    """Makes spans of the calls that are sampled."""

    def __init__(self) -> None:
        self.made: list[Kept] = []

    def call(self, name: str, _: float, parent: TraceParent | None) -> Kept | None:
        if parent is not None and not parent.is_sampled:
            return None
        self.made.append(Kept(name, parent))
        return self.made[-1]


async def test_where_no_one_wants_to_be_told_nothing_is_noted() -> None:
    calls = Calls()
    with calls.summary(RPC) as summary:
        calls.proven()
        call_summary.decided(1, "ALLOW", "dec_1")
        call_summary.answered("INTERNAL")
        assert (summary, call_summary.span()) == (None, None)


async def test_summary_has_the_decision_and_the_ids() -> None:
    ended: list[CallSummary] = []
    with Calls(ended.append).summary(RPC):
        correlation.begin("a1", TraceParent("cd" * 16, "ef" * 8, is_sampled=True))
        await asyncio.create_task(decides())
    [call] = ended
    assert (call.rpc, call.code, call.effect, call.decision_id) == (RPC, "OK", "DENY", "dec_2")
    assert (call.decisions, call.request_id, call.trace_id) == (2, "a1", "cd" * 16)


async def decides() -> None:
    call_summary.decided(1, "ALLOW", "dec_1")
    call_summary.decided(1, "DENY", "dec_2")


async def test_many_decisions_have_no_effect_of_their_own() -> None:
    ended: list[CallSummary] = []
    with Calls(ended.append).summary(RPC):
        call_summary.decided(50)
    assert (ended[0].decisions, ended[0].effect, ended[0].decision_id) == (50, "", "")


async def test_call_of_http_has_its_route_and_status() -> None:
    ended: list[CallSummary] = []
    with Calls(ended.append).summary():
        call_summary.named(RPC, "POST /access/v1/evaluation")
        call_summary.answered("200")
    assert (ended[0].rpc, ended[0].name, ended[0].code) == (RPC, "POST /access/v1/evaluation", "200")


@pytest.mark.parametrize(("left", "code"), [(60.0, "CANCELLED"), (0.001, "DEADLINE_EXCEEDED")])
async def test_call_that_was_cut_off_says_so(left: float, code: str) -> None:
    ended: list[CallSummary] = []

    async def call() -> None:
        with Calls(ended.append).summary(RPC):
            deadline.begin(left)
            await asyncio.sleep(60)

    task = asyncio.create_task(call())
    await asyncio.sleep(0.01)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert ended[0].code == code


async def test_span_begins_once_the_caller_is_known_and_ends_with_the_call() -> None:
    spans, ended = Spans(), list[CallSummary]()
    calls = Calls(ended.append, spans)
    with calls.summary(RPC):
        assert call_summary.span() is None
        calls.proven()
        calls.proven()
        call_summary.decided(1, "ALLOW", "dec_1")
    [span] = spans.made
    assert (span.name, span.parent, span.said) == (RPC, None, (RPC, "OK", "ALLOW", "dec_1", 1))
    assert ended[0].trace_id == span.trace_id
    with calls.summary(RPC):
        correlation.begin("", TraceParent("cd" * 16, "ef" * 8, is_sampled=False))
        calls.proven()
    assert len(spans.made) == 1
