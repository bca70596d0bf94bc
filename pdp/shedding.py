"""What was refused because it was too much: how many calls for each reason, and who sent most of them.

Nothing was decided about such a call. The metrics count it, and the log gets a sum of each second that has any.
"""

from collections import Counter
from dataclasses import dataclass

from pdp import metrics
from pdp.errors import Overloaded, PdpError

MOST_NAMED = 10
"""Callers that one sum names: those of which most was refused."""
_MOST_KEPT = 1000
"""Callers whose calls are counted for one sum, so that a crowd takes no memory."""


class CallerOverLimit(PdpError):
    """This caller asks more than the server's `[limits]` let one caller ask; nothing was decided."""

    code = "RESOURCE_EXHAUSTED"
    reason = "CALLER_OVER_LIMIT"
    retry_seconds = 1.0


@dataclass(frozen=True, slots=True)
class Shed:
    """What was refused since the last sum: calls by reason, and of the callers with most of them."""

    reasons: dict[str, int]
    callers: dict[str, int]


class Shedding:
    """The refused calls of one process."""

    def __init__(self) -> None:
        self._reasons: Counter[str] = Counter()
        self._callers: Counter[str] = Counter()

    def see(self, error: BaseException) -> None:
        """Count the error that a call ended with, if it is such a refusal. The edges call it, once for each call."""
        if isinstance(error, CallerOverLimit | Overloaded):
            metrics.SHED.at(error.reason).add()
            self._reasons[error.reason] += 1

    def name(self, caller: str) -> None:
        """Note who sent a call that is refused."""
        if caller in self._callers or len(self._callers) < _MOST_KEPT:
            self._callers[caller] += 1

    def taken(self) -> Shed | None:
        """What came since this was asked last; None where there was nothing."""
        if not self._reasons:
            return None
        shed = Shed(dict(self._reasons), dict(self._callers.most_common(MOST_NAMED)))
        self._reasons.clear()
        self._callers.clear()
        return shed
