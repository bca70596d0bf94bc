"""Where bytes come from: a file, or a pipe whose read ends when nobody waits for it any more."""

import io
import os
import select
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from masker.arrow.formats import PIPE

_BUFFER_BYTES = 1 << 20
"""Bytes of a pipe that are read ahead."""


def binary(path: str) -> tuple[BinaryIO, Callable[[], None]]:
    """Open a file, or standard input for `-`, and return besides what ends a read that waits, from any thread.

    A read that is ended, and each after it, raises OSError. The read of a file on a disk never waits for anybody.
    """
    file = _opened(path)
    if os.name != "posix" or not _may_wait(file):
        return file, lambda: None
    pipe = Pipe(file)
    return io.BufferedReader(pipe, _BUFFER_BYTES), pipe.stop


def _opened(path: str) -> BinaryIO:
    return sys.stdin.buffer if path == PIPE else Path(path).open("rb")


def _may_wait(file: BinaryIO) -> bool:
    try:
        return not stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except OSError:  # no file of the system
        return False


class Pipe(io.RawIOBase):
    """A pipe, socket or terminal. `stop` ends the read that waits for more of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._stopped, self._stopping = os.pipe()

    def readable(self) -> bool:
        """Reading is all that it can."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Wait for bytes. Raises OSError after `stop`."""
        ready, _, _ = select.select([self._file.fileno(), self._stopped], [], [])
        if self._stopped in ready:
            raise OSError("nobody reads this pipe any more")
        return os.readv(self._file.fileno(), [buffer])

    def stop(self) -> None:
        """End a read that waits. It may be called again, and after `close`."""
        if not self.closed:
            os.write(self._stopping, b"\0")

    def close(self) -> None:
        """Close it; standard input belongs to the process and stays."""
        if not self.closed:
            super().close()
            os.close(self._stopped)
            os.close(self._stopping)
            if self._file is not sys.stdin.buffer:
                self._file.close()
