"""The ids by which others know the present call. Each line of the log about it has them.

`x-request-id` and `traceparent` (W3C Trace Context) come as headers of HTTP or as metadata of gRPC. The first is not
the idempotent `request_id` of a question.
"""

import re
from collections.abc import Sequence
from contextvars import ContextVar
from typing import NamedTuple

REQUEST_ID, TRACE_PARENT = "x-request-id", "traceparent"
"""The names of both."""
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_TRACE_PARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED = 1
_present: ContextVar[str] = ContextVar("request_id", default="")
_parent: ContextVar["TraceParent | None"] = ContextVar("trace_parent", default=None)


class TraceParent(NamedTuple):
    """A caller's span, in which the present call happens."""

    trace_id: str
    span_id: str
    is_sampled: bool


def begin(request_id: str, parent: TraceParent | None = None) -> None:
    """A request begins. What its call starts and awaits belongs to it, too."""
    _present.set(request_id)
    _parent.set(parent)


def present() -> str:
    """The id of the present request; empty outside of one, and where its caller did not say it."""
    return _present.get()


def parent() -> TraceParent | None:
    """The span of the present call's caller."""
    return _parent.get()


def trace_id() -> str:
    """The id of the trace to which the present call belongs; empty where its caller did not say it."""
    above = _parent.get()
    return above.trace_id if above else ""


def request_id(sent: Sequence[str]) -> str:
    """The id that a caller sent, if it sent one that a line of a log can have; else empty."""
    return sent[0] if len(sent) == 1 and _REQUEST_ID.fullmatch(sent[0]) else ""


def trace_parent(sent: Sequence[str]) -> TraceParent | None:
    """The span that a caller sent; None where it is not as the standard says, or was sent twice."""
    match = _TRACE_PARENT.fullmatch(sent[0]) if len(sent) == 1 else None
    if match is None or (match[1] == "00" and match[5]):
        return None
    return TraceParent(match[2], match[3], bool(int(match[4], 16) & _SAMPLED))
