"""How many calls of one kind a caller may have open in this process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from pdp.errors import Overloaded

AGAIN_SECONDS = 5.0
"""Seconds after which a caller that has too many may try again: such calls take long, so one seldom ends sooner."""


class OpenCalls:
    """The open calls of each caller: at most `most` of `what`, which is what the error names."""

    def __init__(self, most: int, what: str) -> None:
        self._most, self._what = most, what
        self._open: Counter[str] = Counter()

    @contextmanager
    def one(self, caller: str) -> Iterator[None]:
        """Count one more while the block runs. Raises `Overloaded` where the caller has the most that it may have."""
        if self._open[caller] >= self._most:
            raise Overloaded(
                f"this caller has {self._most:,} {self._what} here, which is the most; end one of them", AGAIN_SECONDS
            )
        self._open[caller] += 1
        try:
            yield
        finally:
            self._open[caller] -= 1
            self._open += Counter()  # drops callers without one
