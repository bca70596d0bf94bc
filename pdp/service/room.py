"""What the open calls of one kind may hold in memory, for each caller."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from pdp.errors import Overloaded


class Room:
    """The room of each caller, in one process: `most` bytes of `what`, which is what the error names."""

    def __init__(self, most: int, what: str) -> None:
        self._most, self._what = most, what
        self._held: Counter[str] = Counter()

    @contextmanager
    def taken(self, caller: str, size: int) -> Iterator[None]:
        """Hold `size` bytes while the block runs. Raises `Overloaded` where the caller holds too much already."""
        if self._held[caller] + size > self._most:
            raise Overloaded(f"{self._what} may hold {self._most >> 20} MiB at one time; try again when one has ended")
        self._held[caller] += size
        try:
            yield
        finally:
            self._held[caller] -= size
            self._held += Counter()  # drops callers that hold nothing
