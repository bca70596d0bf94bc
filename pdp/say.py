"""Prints. Nothing else in this package does, so that text of others can never steer a terminal."""

import logging
import sys
from typing import Any, TextIO

from pdp import correlation
from pdp.log_line import exception, indented
from pdp.visible import printable


def say(text: str, stream: TextIO | None = None) -> None:
    """Print text for people, on standard error if no stream is named, with its hidden characters shown.

    What the text quotes (a file's name, a key of data, another program's words) needs no further care.
    """
    stream = stream or sys.stderr
    stream.write(f"{printable(text)}\n")
    stream.flush()


def tell(text: str) -> None:
    """`say` on standard output."""
    say(text, sys.stdout)


def give(data: str) -> None:
    """Print data for programs on standard output, byte for byte: JSON, a token. It is text of our own making."""
    sys.stdout.write(f"{data}\n")
    sys.stdout.flush()


class Printable(logging.Formatter):
    """Formats a log's entries as `say` prints text. One that an HTTP request caused names the request's id."""

    def format(self, record: logging.LogRecord) -> str:
        """The entry; lines behind its first cannot be taken for entries."""
        return indented(printable(super().format(record)))

    def formatException(self, ei: Any) -> str:  # noqa: N802  # the standard library's name
        """What a line of the log says of an exception."""
        return exception(ei[1])

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the standard library's name
        """The entry's own line, before those of its traceback."""
        present = correlation.present()
        return super().formatMessage(record) + (f" [request {present}]" if present else "")
