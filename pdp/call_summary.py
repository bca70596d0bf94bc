"""What is told of a call once it has ended: its line of the access log, and its span. Nothing of the request.

The edge begins it; what decides notes its decision. Where no one wants to be told, nothing is noted.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from contextvars import ContextVar
from types import TracebackType
from typing import Self

from pdp import correlation, deadline, metrics
from pdp.traces import Span, Spans

_IN_FLIGHT = metrics.IN_FLIGHT.at()
_present: ContextVar["CallSummary | None"] = ContextVar("call_summary", default=None)


class CallSummary:
    """One call, as far as it has come. `http` are the method and the path's pattern, of a call by HTTP."""

    __slots__ = (
        "_told", "began", "code", "decision_id", "decisions", "effect", "http", "request_id", "rpc", "span", "trace_id",
    )  # fmt: skip

    def __init__(self, rpc: str, told: Callable[["CallSummary"], None]) -> None:
        self.rpc, self.http, self.code = rpc, "", "OK"
        self.effect, self.decision_id, self.decisions = "", "", 0
        self.request_id = self.trace_id = ""
        self.span: Span | None = None
        self.began, self._told = time.perf_counter(), told

    @property
    def name(self) -> str:
        """What was called."""
        return self.http or self.rpc

    def __enter__(self) -> Self:
        _present.set(self)
        return self

    def __exit__(self, _: object, error: BaseException | None, __: TracebackType | None) -> None:
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            self.code = "DEADLINE_EXCEEDED" if deadline.left() <= 0 else "CANCELLED"
        self.request_id, self.trace_id = correlation.present(), self.trace_id or correlation.trace_id()
        _present.set(None)
        self._told(self)


class _Nothing:
    """Stands for a summary that is not wanted."""

    def __enter__(self) -> None:
        return

    def __exit__(self, *_: object) -> None:
        return


_NOTHING = _Nothing()


class Calls:
    """The calls of one process. `write` gets each that has ended; `spans` makes a span for each whose caller is known.

    Each may be left out. Where `counts` says so, calls are counted as `pdp.metrics.CALLS` too.
    """

    def __init__(self, write: Callable[[CallSummary], None] | None = None, spans: Spans | None = None) -> None:
        self._write, self._spans, self.counts = write, spans, False

    def count(self, names: Collection[str]) -> None:
        """Calls of these names are counted each under its own."""
        metrics.CALLS.allow("rpc_method", names)

    def summary(self, rpc: str = "") -> CallSummary | _Nothing:
        """The summary of a call that lasts as long as its block."""
        if self._write is None and self._spans is None and not self.counts:
            return _NOTHING
        _IN_FLIGHT.add(1)
        return CallSummary(rpc, self._ended)

    def proven(self) -> None:
        """The present call's caller is known, so that it may have a span: strangers fill no trace."""
        call = _present.get()
        if self._spans is None or call is None or call.span is not None:
            return
        call.span = self._spans.call(call.name, call.began, correlation.parent())
        if call.span is not None:
            call.trace_id = call.span.trace_id

    def _ended(self, call: CallSummary) -> None:
        _IN_FLIGHT.add(-1)
        if self.counts:
            metrics.CALLS.at(call.name, call.code).observe(time.perf_counter() - call.began)
        if call.span is not None:
            call.span.end(call.rpc, call.code, call.effect, call.decision_id, call.decisions)
        if self._write is not None:
            self._write(call)


def named(rpc: str, http: str) -> None:
    """What the present call of HTTP calls."""
    call = _present.get()
    if call is not None:
        call.rpc, call.http = rpc, http


def answered(code: str) -> None:
    """With which code the present call ends: the name of a gRPC status, or the number of an HTTP one."""
    call = _present.get()
    if call is not None:
        call.code = code


def decided(count: int, effect: str = "", decision_id: str = "") -> None:
    """Add a number of decisions. Of a single one there are its effect and its id."""
    call = _present.get()
    if call is not None:
        call.decisions += count
        call.effect, call.decision_id = effect, decision_id


def span() -> Span | None:
    """The span of the present call; None where it has none."""
    call = _present.get()
    return call.span if call is not None else None
