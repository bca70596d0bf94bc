"""The log of a server: one stream of lines on standard error, of our own parts, of OPA, and of what the server says."""

import asyncio
import logging
import re
import sys
import threading
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pdp.access_log import AccessLog
from pdp.log_line import Form, JsonForm, TextForm, members_of, message_of, now, shown
from pdp.log_outlet import Outlet
from pdp.visible import printable

OWN = ("pdp", "masker", "opa", "mongod")
"""The loggers to which `--log-level` applies. Those of libraries stay at warnings: below, drivers log what is sent."""
SAYS = "pdp.server"
"""The logger of what the server says of itself. It is written at every level."""
ERROR_STREAM = 2
"""The descriptor of standard error."""
_WARNS = "warning: "
_PLAIN = re.compile(r"[A-Za-z' ]*")

log = logging.getLogger(__name__)


class LogFormat(StrEnum):
    """How lines are written: AUTO is CONSOLE on a terminal and JSON elsewhere."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """The least level of a line."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Logs:
    """The log of this process, from its making to `close`. `worker` is its number among those of the server."""

    def __init__(
        self,
        form: LogFormat = LogFormat.AUTO,
        level: LogLevel = LogLevel.INFO,
        *,
        worker: int | None = None,
        descriptor: int = ERROR_STREAM,
    ) -> None:
        self.is_json = form is LogFormat.JSON or (form is LogFormat.AUTO and not sys.stderr.isatty())
        self._form: Form = JsonForm(worker) if self.is_json else TextForm()
        self._outlet = Outlet(descriptor, self._lost)
        self.access = AccessLog(self._form, self._outlet.put)
        self._take(level)

    def _take(self, level: LogLevel) -> None:
        """Let all loggers write here."""
        logging.basicConfig(level=logging.WARNING, handlers=[Into(self._form, self._outlet)], force=True)
        for name in OWN:
            logging.getLogger(name).setLevel(level.upper())
        logging.captureWarnings(capture=True)

    def say(self, text: str) -> None:
        """Take a sentence of the server for its operator. On a console it is the sentence alone."""
        self._put(logging.WARNING if text.startswith(_WARNS) else logging.INFO, text)

    def pass_on(self, line: str, name: str) -> None:
        """Take a line that another process of this server, called `name`, wrote for its log."""
        if self.is_json and line.startswith("{"):
            self._outlet.put(f"{line}\n".encode())
        else:
            self.say(f"{name}: {line}")

    def fail(self, text: str) -> None:
        """Take the reason why the server ends."""
        self._put(logging.CRITICAL, text)

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Log what fails where nothing waits for it: on the loop, in a thread, or while an object ends."""
        loop.set_exception_handler(_unhandled)
        threading.excepthook = _failed_alone
        sys.unraisablehook = _failed_alone

    def close(self) -> None:
        """Write what waits. What is logged afterwards is lost."""
        self._outlet.close()

    def _put(self, level: int, text: str) -> None:
        if self.is_json:
            self._outlet.put(self._form.line(level, SAYS, shown(text), {}, now()))
        else:
            self._outlet.put(f"{printable(text)}\n".encode())

    def _lost(self, count: int) -> bytes:
        told = f"{count} lines are lost: what reads this log did not take them in time"
        return self._form.line(logging.WARNING, __name__, told, {}, now())


class Into(logging.Handler):
    """Writes records into an outlet."""

    def __init__(self, form: Form, outlet: Outlet) -> None:
        super().__init__()
        self._form, self._outlet = form, outlet

    def emit(self, record: logging.LogRecord) -> None:
        """Write one."""
        members: Mapping[str, object] = members_of(record)
        self._outlet.put(self._form.line(record.levelno, record.name, message_of(record), members, record.created))


def _failed_alone(failed: Any) -> None:
    """What Python would print with the error's text, in lines that are not of the log."""
    log.error("what nothing waits for failed", exc_info=failed.exc_value)


def _unhandled(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What the loop says has failed; behind its first words stand arguments and results."""
    words = _PLAIN.match(str(context.get("message", "")))
    log.error("%s", (words and words[0].strip()) or "a task failed", exc_info=context.get("exception"))
