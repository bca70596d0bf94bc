"""What the open streams of a caller may hold in memory."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from pdp.errors import Overloaded

MAX_BYTES = 32 << 20
"""Bytes of the starts of one caller's open streams, in one process: eight of the largest. In memory a start takes four
times as much."""


class Room:
    """The room of each caller, in one process."""

    def __init__(self) -> None:
        self._held: Counter[str] = Counter()

    @contextmanager
    def taken(self, caller: str, size: int) -> Iterator[None]:
        """Hold `size` bytes while the block runs. Raises `Overloaded` where the caller holds too much already."""
        if self._held[caller] + size > MAX_BYTES:
            raise Overloaded(
                f"the starts of your open unmaskings hold {MAX_BYTES >> 20} MiB, which is the most; try again when one "
                "has ended"
            )
        self._held[caller] += size
        try:
            yield
        finally:
            self._held[caller] -= size
            self._held += Counter()  # drops callers that hold nothing
