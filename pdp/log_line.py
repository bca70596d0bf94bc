"""What a line of the log says, as JSON for collectors or as text for people. What it quotes can forge no second line.

1. Of an exception a line has the kind and the places in our code, never its text: that may quote a value of a request.
   An error of ours has its sentence, which quotes none, and one of the operating system has that system's words.
2. Hidden characters are shown, as `pdp.say` shows them. In JSON a line has at most `MAX_BYTES`.
"""

import logging
import time
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import orjson

from pdp import correlation
from pdp.errors import PdpError
from pdp.visible import printable

MAX_BYTES = 4096
"""Bytes of a line in JSON: what systems write to a pipe in one piece."""
MAX_CHARACTERS = 2000
"""Characters of a message."""
MAX_PLACES = 12
"""Places in the code that an exception shows, from where it was raised on."""
ROOT = Path(__file__).parents[1]
CUT = "…"


class Form(Protocol):
    """How lines are written."""

    def line(self, level: int, logger: str, message: str, members: Mapping[str, object], at: float) -> bytes:
        """A line with its end; `at` is the time in seconds since 1970. Members that are empty are left out."""


class JsonForm:
    """One JSON object a line. `worker` is the number of this process among those of the server."""

    def __init__(self, worker: int | None = None) -> None:
        self._own: dict[str, object] = {} if worker is None else {"worker": worker}
        self._second, self._clock = -1, ""

    def line(self, level: int, logger: str, message: str, members: Mapping[str, object], at: float) -> bytes:
        """See `Form`."""
        head = {"time": self._time(at), "level": logging.getLevelName(level).lower(), "logger": logger}
        whole = {**head, "message": message, **members, **self._own}
        line = orjson.dumps({name: value for name, value in whole.items() if value not in ("", None)})
        most = MAX_CHARACTERS
        while len(line) >= MAX_BYTES:
            most //= 2
            line = orjson.dumps({name: _cut(value, most) for name, value in whole.items() if value not in ("", None)})
        return line + b"\n"

    def _time(self, at: float) -> str:
        """RFC 3339 in UTC with milliseconds. The seconds are written once for all lines of a second."""
        second, milliseconds = divmod(int(at * 1000), 1000)
        if second != self._second:
            self._second, self._clock = second, datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._clock}.{milliseconds:03d}Z"


class TextForm:
    """Text for people: level, logger, message and what else there is; lines behind the first are indented."""

    def line(self, level: int, logger: str, message: str, members: Mapping[str, object], _: float) -> bytes:
        """See `Form`. The time is left to what reads: a terminal's user knows it, a journal has its own."""
        rest = dict(members)
        places = rest.pop("exception", "")
        named = " ".join(f"{name}={value}" for name, value in rest.items() if value not in ("", None))
        text = f"{logging.getLevelName(level)} {logger}: {message}" + (f" [{named}]" if named else "")
        return (indented(f"{text}\n{places}" if places else text) + "\n").encode()


def shown(text: str) -> str:
    """A text that may quote others, with its hidden characters shown, and not longer than a message may be."""
    cut = text[:MAX_CHARACTERS] + CUT if len(text) > MAX_CHARACTERS else text
    return cut if cut.isascii() and cut.isprintable() else printable(cut)


def indented(text: str) -> str:
    """The text, with lines behind the first that cannot be taken for lines of their own."""
    return text.replace("\n", "\n    ")


def members_of(record: logging.LogRecord) -> dict[str, object]:
    """What a line says beside its message: by which ids the present call is known, and what went wrong."""
    error = record.exc_info[1] if record.exc_info else None
    return {
        "request_id": correlation.present(),
        "trace_id": correlation.trace_id(),
        "error_id": getattr(record, "error_id", ""),
        "exception": "" if error is None else exception(error),
    }


def exception(error: BaseException) -> str:
    """The kinds of an error and of its causes, and where each was raised; a line each."""
    return "\n".join(line for one in _chain(error) for line in _told(one))


def message_of(record: logging.LogRecord) -> str:
    """A record's message. One whose arguments do not fit shows what they should fit into."""
    try:
        return shown(record.getMessage())
    except Exception:  # noqa: BLE001  # an argument's own text may raise anything
        return shown(str(record.msg))


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen = set[int]()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)


def _told(error: BaseException) -> Iterator[str]:
    words = error.sentence if isinstance(error, PdpError) else error.strerror if isinstance(error, OSError) else ""
    yield f"{type(error).__name__}: {shown(words)}" if words else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)[-MAX_PLACES:]
    yield from (f"at {_file(frame.filename)}:{frame.lineno} {frame.name}" for frame in reversed(frames))


def _file(name: str) -> str:
    """A file's name as short as it says where it is."""
    path = Path(name)
    return f"{path.relative_to(ROOT)}" if path.is_relative_to(ROOT) else "/".join(path.parts[-2:])


def _cut(value: object, most: int) -> object:
    return value[:most] + CUT if isinstance(value, str) and len(value) > most else value


def now() -> float:
    """The time of a line that no record brings."""
    return time.time()
