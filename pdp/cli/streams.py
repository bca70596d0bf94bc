"""Standard output and error: how a command ends that cannot write there, and escapes for a narrow encoding."""

import codecs
import errno
import os
import sys
from contextlib import suppress
from typing import NoReturn

CLOSED = 141
"""The exit status of a command whose reader went away: 128 + 13, as of a program that SIGPIPE ended."""
_UNWRITABLE = frozenset({errno.EBADF, errno.EDQUOT, errno.EIO, errno.ENOSPC})


def prepare() -> None:
    r"""Let both streams write what their encoding lacks as `\u{…}`, as `visible` writes what is hidden."""
    codecs.register_error("visible", _escaped)
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # a stream that a program put in its place
            stream.reconfigure(errors="visible")  # type: ignore[union-attr]  # of text files alone


def is_closed(error: BaseException | None) -> bool:
    """Whether nobody reads any more, here or where this error came from."""
    seen = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, BrokenPipeError):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def unwritable(error: BaseException) -> str:
    """Why standard output takes nothing, where that is what happened; else empty. A file's error names the file."""
    if not isinstance(error, OSError) or error.filename is not None or error.errno not in _UNWRITABLE:
        return ""
    return os.strerror(error.errno)


def flushed() -> bool:
    """Whether all that was written has left."""
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except BrokenPipeError:
        return False
    except (OSError, ValueError):  # closed by us
        return True
    return True


def end_quietly(status: int = CLOSED) -> NoReturn:
    """End this process at once. What is still buffered has no reader, so Python must not complain that it cannot go."""
    os._exit(status)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(f"\\u{{{ord(one):x}}}" for one in error.object[error.start : error.end]), error.end
