"""The elements of one JSON array, one by one, as they are written."""

import io
import json
import re
from collections.abc import Iterator

from masker.errors import FileRefused

LINES_BYTES = 1 << 20
"""Bytes of records that make a batch."""
_LONGEST = 1 << 26
"""Characters of one record of an array at most, 64 Mi: beyond it a broken array would be read again and again."""
_BLANK = re.compile(r"[ \t\n\r]*")
NOT_UTF8 = "the text is not UTF-8; pass its encoding, such as --encoding latin-1 or --encoding cp1252"
"""What to do about bytes that are not text."""


def elements(file: io.BufferedReader) -> Iterator[list[str]]:
    """Return the elements of the array that the file is, as they are written, in lists of about a MiB."""
    text = io.TextIOWrapper(file, "utf-8", newline="")
    array, made, size = _Array(text), list[str](), 0
    for element in array.elements():
        made.append(element)
        size += len(element)
        if size >= LINES_BYTES:
            yield made
            made, size = [], 0
    text.detach()
    yield made


class _Array:
    """Text of an array, of which only what is needed is in memory."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text, self._buffer, self._at, self._rows = text, "", 0, 0
        self._decoder = json.JSONDecoder(parse_int=str, parse_float=str)

    def elements(self) -> Iterator[str]:
        if self._next() != "[":
            raise FileRefused("the file is not a JSON array; where each line is a record, end its name in .jsonl")
        self._at += 1
        if self._next() == "]":
            self._at += 1
        else:
            yield self._element()
            while self._separator() == ",":
                yield self._element()
        if self._next():
            raise FileRefused("text follows the array; one file is one array")

    def _separator(self) -> str:
        found = self._next()
        self._at += 1
        if found not in {",", "]"}:
            raise self._broken()
        return found

    def _next(self) -> str:
        """Return the next character that is not blank; empty at the end."""
        while True:
            blank = _BLANK.match(self._buffer, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def _element(self) -> str:
        self._next()
        while True:
            end = self._end()
            if end is not None and end < len(self._buffer):  # a number at the very end may go on
                element, self._at = self._buffer[self._at : end], end
                self._rows += 1
                return element
            if len(self._buffer) - self._at > _LONGEST or not self._more():
                raise self._broken()

    def _end(self) -> int | None:
        try:
            return self._decoder.raw_decode(self._buffer, self._at)[1]
        except (ValueError, RecursionError):
            return None

    def _more(self) -> bool:
        """Read as much again as is waiting, so that a long record is not parsed too often."""
        problem = ""
        try:
            more = self._text.read(max(LINES_BYTES, len(self._buffer) - self._at))
        except UnicodeError:
            problem = f"from row {self._rows} (rows count from 0) {NOT_UTF8}"
        if problem:
            raise FileRefused(problem)
        self._buffer, self._at = self._buffer[self._at :] + more, 0
        return bool(more)

    def _broken(self) -> FileRefused:
        return FileRefused(f"row {self._rows} (rows count from 0) is not JSON, or the array is not whole")
