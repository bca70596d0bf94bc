"""What one caller's open calls of a kind may take in this process: bytes, or a number of calls."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from pdp.errors import Overloaded

SOON_SECONDS = 0.5
"""Seconds after which a caller may try again where its calls are short."""
LATER_SECONDS = 5.0
"""The same where they take long: waits, watches and streams, of which one seldom ends sooner."""


class Room:
    """The room of each caller: at most `most` at a time. The error says `full`, and when to try again."""

    def __init__(self, most: int, full: str, again_seconds: float = SOON_SECONDS) -> None:
        self._most, self._full, self._again_seconds = most, full, again_seconds
        self._held: Counter[str] = Counter()
        self._left: dict[str, asyncio.Event] = {}

    @contextmanager
    def taken(self, caller: str, size: int = 1) -> Iterator[None]:
        """Hold `size` while the block runs. Raises `Overloaded` if the caller holds too much already."""
        if self._held[caller] + size > self._most:
            raise Overloaded(self._full, self._again_seconds)
        self._held[caller] += size
        try:
            yield
        finally:
            self._held[caller] -= size
            self._held += Counter()  # drops callers that hold nothing

    async def enter(self, caller: str, size: int) -> None:
        """Hold `size` until `leave`, as soon as there is room. A caller that holds nothing has room for any size."""
        while self._held[caller] and self._held[caller] + size > self._most:
            await self._left.setdefault(caller, asyncio.Event()).wait()
        self._held[caller] += size

    def add(self, caller: str, size: int) -> None:
        """Hold `size` more at once, even beyond the room."""
        self._held[caller] += size

    def leave(self, caller: str, size: int) -> None:
        """Hold `size` less, so that what waits may enter."""
        self._held[caller] -= size
        if not self._held[caller]:
            del self._held[caller]
        if left := self._left.pop(caller, None):
            left.set()
