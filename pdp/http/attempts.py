"""How often one address may begin something in a minute."""

import time
from collections import deque
from collections.abc import Callable

from pdp.errors import Overloaded

SECONDS = 60.0
"""The time over which attempts count."""
MOST_SOURCES = 10_000
"""Addresses that are remembered. It bounds the memory; those that tried longest ago are forgotten first."""


class Attempts:
    """The attempts of all addresses at this process; `what` they are. `clock` gives seconds and never goes back."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic, what: str = "logins") -> None:
        self._most, self._clock, self._what = most, clock, what
        self._made: dict[str, deque[float]] = {}

    def require(self, source: str) -> None:
        """Count an attempt. Raises `Overloaded` where the address has made as many as it may."""
        made, now = self._recent(source), self._clock()
        made.append(now)
        if len(self._made) > MOST_SOURCES:
            self._made.pop(next(iter(self._made)))

    def require_room(self, source: str) -> None:
        """Raise `Overloaded` where the address has made as many attempts as it may. This counts none."""
        if source in self._made:
            self._recent(source)

    def _recent(self, source: str) -> deque[float]:
        now = self._clock()
        made = self._made.pop(source, None) or deque()
        while made and now - made[0] >= SECONDS:
            made.popleft()
        self._made[source] = made
        if len(made) >= self._most:
            raise Overloaded(
                f"{self._most} {self._what} a minute are the most from one address; try again later",
                SECONDS - (now - made[0]),
            )
        return made
