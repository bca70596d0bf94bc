"""Spans of calls, of OPA's queries and of commits of the audit log. Without OpenTelemetry there are none.

A query and a commit serve many calls at once. Each has one span, below the first of these calls, with links to all.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from pdp.correlation import TraceParent

QUERY, COMMIT = "opa.query", "audit.commit"
"""The names of the spans of what serves many calls."""


class Span(Protocol):
    """The span of a call that is sampled."""

    trace_id: str

    def end(self, rpc: str, code: str, effect: str, decision_id: str, decisions: int) -> None:
        """End it, with all that it says of the call."""

    def shared(self, name: str, calls: Sequence["Span"], size: int) -> AbstractContextManager[object]:
        """A span of the block, which serves `calls` and has `size` parts."""


class Spans(Protocol):
    """Makes spans."""

    def call(self, name: str, began: float, parent: TraceParent | None) -> Span | None:
        """The span of a call that began at this time of `time.perf_counter`; None where it is not sampled."""


_NONE = nullcontext()


def shared(name: str, calls: Iterable[Span | None], size: int) -> AbstractContextManager[object]:
    """The span of a block that serves these calls; without one where none of them has a span."""
    traced = [*dict.fromkeys(call for call in calls if call is not None)]
    return traced[0].shared(name, traced, size) if traced else _NONE
