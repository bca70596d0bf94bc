"""Quotation marks of CSV, read as RFC 4180 has them: what opens a cell closes it, and then the cell ends."""

import io
import re
from collections.abc import Iterator

import numpy as np

from masker.errors import FileRefused
from masker.kernels.column import Bytes
from masker.kernels.quoted import BEGIN, CLOSED, PLAIN, QUOTED, behind_closing

UNCLOSED = "a quotation mark opens a cell and none closes it; close it, or pass --quote '' where it is text"
_BEHIND = "text follows a closing quotation mark; double a mark that is text (\"\"), or pass --quote ''"
_ENDS = b"\r\n"
_RETURN, _FEED = _ENDS
BLOCK_BYTES = 1 << 22
"""Bytes that are parsed at a time, so the longest row: 4 MiB, which is also what a message of the service holds."""


def row_name(number: int) -> str:
    """Name a row of a file whose row 1 is the header."""
    return "the header" if number <= 1 else f"row {number - 2} (rows count from 0)"


def header_cells(head: bytes, delimiter: str, quote: str) -> tuple[int, int]:
    """Return how many cells the first row has, and where it ends. `head` is a file, or as much of it as makes a block.

    Raises FileRefused where there is no row, or where it does not end.
    """
    at, cells = len(head) - len(head.lstrip(_ENDS)), 1
    if at == len(head):
        raise FileRefused("the file is empty; every column needs a name in the header")
    cell = _cell(delimiter, quote)
    while found := cell.match(head, at):
        at = found.end()
        following = head[at : at + 1]
        if not following and len(head) >= BLOCK_BYTES:
            raise FileRefused(f"the header is longer than {BLOCK_BYTES >> 20} MiB")
        if not following or following in _ENDS:
            return cells, at
        if following != delimiter.encode():
            break
        at += 1
        cells += 1
    raise FileRefused(f"the header: {UNCLOSED if head[at : at + 1] == quote.encode() else _BEHIND}")


def _cell(delimiter: str, quote: str) -> re.Pattern[bytes]:
    """A cell, as far as it goes. Where marks do not close, it is empty, and the mark follows."""
    apart = f"{re.escape(delimiter)}\\r\\n"
    if not quote:
        return re.compile(f"[^{apart}]*+".encode())
    mark = re.escape(quote)
    return re.compile(f"(?:{mark}[^{mark}]*+(?:{mark}{mark}[^{mark}]*+)*+{mark}|(?!{mark})[^{apart}]*+|)".encode())


class Blocks:
    """A file cut into blocks of whole rows. Raises FileRefused, with the row, where quotation marks are wrong."""

    def __init__(self, head: bytes, rest: io.BufferedReader, delimiter: str, quote: str, *, skips_blank: bool) -> None:
        self._head, self._rest = head, rest
        self._delimiter, self._quote, self._blank = ord(delimiter), quote.encode(), 0 if skips_blank else 1
        self._state = np.array([BEGIN, 0, 1, 0, 0], np.int64)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Give the number of the first row of a block (the header is row 1) and the block, whose last row ends."""
        first, kept, read = 1, b"", self._head
        while read:
            if read.endswith(b"\r"):
                read += self._rest.read(1)  # no cut between CR and LF
            end = self._look(read)
            if end:
                yield first, kept + read[:end]
                first, kept = int(self._state[1]) + 1, b""
            kept += read[end:]
            if len(kept) > BLOCK_BYTES:
                place = "the header" if first <= 1 else f"after row {first - 3} (rows count from 0) a row"
                raise FileRefused(f"{place} is longer than {BLOCK_BYTES >> 20} MiB, or {UNCLOSED}")
            read = self._rest.read(BLOCK_BYTES)
        if self._state[0] == QUOTED:
            raise FileRefused(f"the last row: {UNCLOSED}")
        if kept:
            yield first, kept + b"\n"

    def _look(self, read: bytes) -> int:
        """Return how many bytes the rows that end here have. Without marks it needs no compiler."""
        data = np.frombuffer(read, np.uint8)
        self._state[4] = 0
        if self._state[0] in {QUOTED, CLOSED} or (self._quote and self._quote in read):
            if behind_closing(data, self._delimiter, self._quote[0], self._blank, self._state):
                raise FileRefused(f"{row_name(int(self._state[1]) + 1)}: {_BEHIND}")
        else:
            self._count(data)
        return int(self._state[4])

    def _count(self, data: Bytes) -> None:
        before = np.empty_like(data)
        before[0], before[1:] = self._state[3], data[:-1]
        is_return = data == _RETURN
        ends = is_return | ((data == _FEED) & (before != _RETURN))
        empty = (before == _FEED) | (before == _RETURN)
        empty[0] = self._state[2]
        last = int(data[-1])
        places = np.flatnonzero(is_return | (data == _FEED))
        self._state[0] = BEGIN if last in {*_ENDS, self._delimiter} else PLAIN
        self._state[1] += int((ends & ~empty).sum()) + self._blank * int((ends & empty).sum())
        self._state[2:] = last in _ENDS, last, places[-1] + 1 if places.size else 0
