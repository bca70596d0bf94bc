"""A line for each call, once it has ended. It has nothing of the request."""

import logging
import time
from collections.abc import Callable

from pdp.call_summary import CallSummary
from pdp.log_line import Form

NAME = "pdp.access"
"""The logger of these lines."""


class AccessLog:
    """Writes the lines past the loggers, which would cost a fifth of what the rest of a call costs."""

    def __init__(self, form: Form, put: Callable[[bytes], None]) -> None:
        self._form, self._put = form, put

    def write(self, call: CallSummary) -> None:
        """Write a call's line."""
        members: dict[str, object] = {
            "rpc": call.rpc,
            "http": call.http,
            "code": call.code,
            "effect": call.effect,
            "decision_id": call.decision_id,
            "decisions": call.decisions if call.decisions > 1 else "",
            "milliseconds": round((time.perf_counter() - call.began) * 1000, 1),
            "request_id": call.request_id,
            "trace_id": call.trace_id,
        }
        self._put(self._form.line(logging.INFO, NAME, f"{call.name} {call.code}", members, time.time()))
