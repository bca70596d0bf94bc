"""Carries lines to a stream from a thread of its own, so that a reader that stops reading never stops the server.

1. Lines leave in the order in which they came. Up to `MAX_BYTES` of them wait; what comes then is counted and lost.
2. Lines are written together, whole ones of at most `ATOMIC_BYTES` at a time. Other processes that write to the same
   pipe cannot come between, because the system writes so many bytes in one piece.
3. When the reader goes on, a line says how many were lost.
"""

import os
import select
import threading
from collections.abc import Callable, Iterable, Iterator

MAX_BYTES = 4 * 1024 * 1024
"""Bytes of lines that wait: about 15,000 lines of calls."""
ATOMIC_BYTES = 4096
"""Bytes that Linux writes to a pipe in one piece (PIPE_BUF, pipe(7))."""
PAUSE_SECONDS = 0.1
"""Seconds between two writes, in which lines gather: each time that the thread wakes, it takes
the interpreter from the event loop."""
CLOSE_SECONDS = 1.0
"""Seconds that the last lines may take when the server ends."""


class Outlet:
    """One stream, by its descriptor. `lost` makes the line that says how many lines were lost."""

    def __init__(self, descriptor: int, lost: Callable[[int], bytes], most: int = MAX_BYTES) -> None:
        self._descriptor, self._most, self._lost = descriptor, most, lost
        self._lines: list[bytes] = []
        self._waiting = self._dropped = 0
        self._lock, self._wake, self._closing = threading.Lock(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def put(self, line: bytes) -> None:
        """Take a line, with its end. It never waits, and any thread may call it."""
        with self._lock:
            if self._waiting + len(line) > self._most:
                self._dropped += 1
                return
            self._lines.append(line)
            self._waiting += len(line)
        if not self._wake.is_set():
            self._wake.set()

    def close(self) -> None:
        """Write what waits and end. A reader that does not read is given up after `CLOSE_SECONDS`."""
        self._closing.set()
        self._wake.set()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._wake.wait()
            self._wake.clear()
            self._write_all()
            self._closing.wait(PAUSE_SECONDS)
        self._write_all()

    def _write_all(self) -> None:
        while lines := self._taken():
            for part in together(lines):
                self._write(part)

    def _taken(self) -> list[bytes]:
        """What waits. While it is written, as much again may gather."""
        with self._lock:
            lines, dropped = self._lines, self._dropped
            self._lines, self._waiting, self._dropped = [], 0, 0
        return [*lines, self._lost(dropped)] if dropped else lines

    def _write(self, part: bytes) -> None:
        """Write it, for as long as that takes. Where nothing reads any more, it is lost."""
        while part:
            try:
                part = part[os.write(self._descriptor, part) :]
            except BlockingIOError:  # another process has made the stream so
                select.select([], [self._descriptor], [])
            except OSError:
                return


def together(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines in parts of at most `ATOMIC_BYTES`; a longer line is a part of its own."""
    part = b""
    for line in lines:
        if part and len(part) + len(line) > ATOMIC_BYTES:
            yield part
            part = b""
        part += line
    if part:
        yield part
