"""Files in memory, as pyarrow reads and writes streams."""

from collections import deque
from typing import Any


class Pending:
    """A file that holds the bytes that have arrived and were not read yet."""

    closed = False

    def __init__(self) -> None:
        self._parts: deque[memoryview] = deque()

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def put(self, message: bytes | memoryview) -> None:
        """Add what has arrived."""
        self._parts.append(memoryview(message))

    def read(self, size: int = -1) -> bytes:
        """Take bytes, all that wait where `size` is negative."""
        wanted, taken = len(self) if size < 0 else size, list[memoryview]()
        while wanted and self._parts:
            part = self._parts.popleft()
            taken.append(part[:wanted])
            if len(part) > wanted:
                self._parts.appendleft(part[wanted:])
            wanted -= len(taken[-1])
        return b"".join(taken)

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """No."""
        return False

    def close(self) -> None:
        """Note that nobody reads or writes any more."""
        self.closed = True


class Sink:
    """A file that keeps what was written until `taken` is called."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: Any) -> int:
        """Keep a copy."""
        self._parts.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)

    def flush(self) -> None:
        """Do nothing: nothing is buffered."""

    def writable(self) -> bool:
        """Yes."""
        return True

    def close(self) -> None:
        """Note that nobody reads or writes any more."""
        self.closed = True
