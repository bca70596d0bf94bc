"""Where an output goes: to a new file, which gets its name when it is whole, or through a pipe.

1. A new file has no name until it is whole, where the system allows it (Linux), so that nothing is left of it even
   when the process is killed. Elsewhere it has a hidden name, which `discard_unfinished` removes.
2. A new file's mode follows the umask; a file that is replaced gives its mode to the new one.
3. A symbolic link is followed. Bytes for a FIFO or device go through at once.
"""

import contextlib
import os
import secrets
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from masker.arrow.formats import PIPE
from masker.errors import FileRefused

_MODE = 0o666
"""The mode of a new file before the umask."""
_unfinished: set[str] = set()
"""Hidden files of this process that have not got their names yet."""


def discard_unfinished() -> None:
    """Remove what a process that ends now would leave behind. For handlers of signals."""
    for name in list(_unfinished):
        with contextlib.suppress(OSError):
            Path(name).unlink()


def passes_through(path: str) -> bool:
    """Tell whether what is written there cannot be taken back: standard output, a FIFO, a device."""
    if path == PIPE:
        return True
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def refused(path: str, action: Callable[[], BinaryIO]) -> BinaryIO:
    """Open a file. Raises FileRefused with the system's reason."""
    problem = ""
    try:
        return action()
    except OSError as error:
        problem = error.strerror or "the system refuses it"
    raise FileRefused(f"{Path(path).name} cannot be written: {problem}")


def _stdout() -> BinaryIO:
    return sys.stdout.buffer


class NewFile:
    """A file under way. `file` takes the bytes, `commit` gives it its name, `close` is always called."""

    def __init__(self, path: str) -> None:
        self._target = Path(os.path.realpath(path))
        self._hidden = ""
        self.file: BinaryIO = refused(path, lambda: os.fdopen(self._descriptor(), "wb"))
        with contextlib.suppress(FileNotFoundError):
            os.fchmod(self.file.fileno(), stat.S_IMODE(self._target.stat().st_mode))

    def commit(self) -> None:
        """Give the file its name, in place of another that has it."""
        self.file.flush()
        os.fsync(self.file.fileno())
        if not self._hidden:
            self._named()
        Path(self._hidden).replace(self._target)
        self._forget()

    def close(self) -> None:
        """Close the file; it is gone unless it has been committed."""
        self.file.close()
        if self._hidden:
            Path(self._hidden).unlink(missing_ok=True)
            self._forget()

    def _descriptor(self) -> int:
        if hasattr(os, "O_TMPFILE"):
            with contextlib.suppress(OSError):  # not every file system can do it
                return os.open(self._target.parent, os.O_TMPFILE | os.O_RDWR, _MODE)
        self._hide()
        return os.open(self._hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL, _MODE)

    def _hide(self) -> None:
        self._hidden = str(self._target.parent / f".{self._target.name[:100]}.{secrets.token_hex(8)}")
        _unfinished.add(self._hidden)

    def _named(self) -> None:
        """Link the file without a name; `replace` needs one, and the directory makes `link` follow the descriptor."""
        self._hide()
        folder = os.open(self._target.parent, os.O_RDONLY)
        try:
            os.link(f"/proc/self/fd/{self.file.fileno()}", self._hidden, src_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(folder)

    def _forget(self) -> None:
        _unfinished.discard(self._hidden)
        self._hidden = ""


class Through:
    """Standard output, a FIFO or a device, which knows no position but what was written to it."""

    closed = False

    def __init__(self, path: str) -> None:
        self._is_ours = path != PIPE
        self._file = refused(path, lambda: os.fdopen(os.open(path, os.O_WRONLY), "wb")) if self._is_ours else _stdout()
        self._written = 0
        self.file: Any = self

    def write(self, data: Any) -> int:
        """Write all of it."""
        self._written += self._file.write(data)
        return len(data)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._written

    def flush(self) -> None:
        """Write what waits."""
        self._file.flush()

    def writable(self) -> bool:
        """Writing is all that it can."""
        return True

    def seekable(self) -> bool:
        """Nothing can be written twice."""
        return False

    def commit(self) -> None:
        """Write what waits."""
        self._file.flush()

    def close(self) -> None:
        """Close it, unless it is standard output."""
        if self._is_ours:
            self._file.close()
