"""JSON Lines as the bytes that they are.

1. A record is its line with its line end, and the blank lines before it; behind the last record also those at the end.
   Blanks around JSON are JSON, so records one behind the other are the file.
2. A line that is not blank is a row, so rows count without blank lines.
"""

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from masker.arrow.documents import LINES_BYTES, NOT_UTF8
from masker.errors import FileRefused
from masker.kernels.column import Bytes, Offsets

_FEED = ord("\n")
_BLANKS = b" \t\r\n"
_IS_BLANK = np.isin(np.arange(256), list(_BLANKS))


def lines(file: io.BufferedReader) -> Iterator[Any]:
    """Return the records in arrays of about a MiB."""
    data, row = file.read(LINES_BYTES), 0
    while data:
        following = file.read(max(LINES_BYTES, len(data)))  # as much again as waits: a long line is not read too often
        offsets = _ends(data, is_last=not following)
        yield from _made(data, offsets, row)
        row += offsets.size - 1
        data = data[offsets[-1] :] + following if following else b""


def stripped(records: Any) -> Any:
    """Records without the blanks around them, as other formats than JSON Lines hold them."""
    return pa.compute.ascii_trim(records, _BLANKS.decode())


def _ends(data: bytes, *, is_last: bool) -> Offsets:
    """Where the records begin and the last one ends. Before the last block the last record waits for what follows."""
    held = np.frombuffer(data, np.uint8)
    feeds = np.flatnonzero(held == _FEED) + 1
    if is_last and (not feeds.size or feeds[-1] < len(data)):
        feeds = np.append(feeds, len(data))
    full = feeds[_is_full(held, feeds)]
    if is_last and full.size:
        full[-1] = len(data)
    return np.concatenate([[0], full if is_last else full[:-1]]).astype(np.int64)


def _is_full(held: Bytes, feeds: Offsets) -> Any:
    """Whether each line has more than blanks."""
    seen = np.concatenate([[0], np.cumsum(~_IS_BLANK[held])])
    return np.diff(seen[np.concatenate([[0], feeds])]) > 0


def _made(data: bytes, offsets: Offsets, row: int) -> Iterator[Any]:
    count = offsets.size - 1
    if not count:
        return
    _check_text(data, offsets, row)
    if not row:
        _refuse_what_is_no_lines(data[: offsets[1]].strip(), is_one=count == 1)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data[: offsets[-1]])]
    yield pa.Array.from_buffers(pa.large_string(), count, buffers)


def _check_text(data: bytes, offsets: Offsets, row: int) -> None:
    problem = ""
    try:
        str(memoryview(data)[: offsets[-1]], "utf-8")
    except UnicodeDecodeError as error:
        problem = (
            f"from row {row + int(np.searchsorted(offsets, error.start, 'right')) - 1} (rows count from 0) {NOT_UTF8}"
        )
    if problem:
        raise FileRefused(problem)


def _refuse_what_is_no_lines(first: bytes, *, is_one: bool) -> None:
    if is_one and b"\r" in first:
        raise FileRefused("lines end in CR alone; convert them with tr '\\r' '\\n'")
    if first in {b"[", b"[{"}:
        raise FileRefused("the file is one JSON array; end its name in .json, or pass --format json")
    if first == b"{":
        raise FileRefused("a record takes several lines; write one on each with jq -c .")
