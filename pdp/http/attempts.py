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
    """The attempts of all addresses at this process. `clock` gives seconds and never goes back."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._made: dict[str, deque[float]] = {}

    def require(self, source: str) -> None:
        """Count an attempt. Raises `Overloaded` where the address has made as many as it may."""
        now = self._clock()
        made = self._made.pop(source, None) or deque()
        while made and now - made[0] >= SECONDS:
            made.popleft()
        self._made[source] = made
        if len(made) >= self._most:
            raise Overloaded(
                f"{self._most} logins a minute are the most from one address; try again later",
                SECONDS - (now - made[0]),
            )
        made.append(now)
        if len(self._made) > MOST_SOURCES:
            self._made.pop(next(iter(self._made)))
