"""CSV: the header is the first row of the very reader that reads the rows, and a last row shows that none was lost.

1. Every column is text. An unquoted empty cell is null, a quoted one is the empty string.
2. Lines end in LF, CR LF or CR. Where there is more than one column, empty lines are left out.
3. Behind the file comes a row of our own. Where it does not come out as it went in, a quotation mark swallowed it.
4. Rows in errors count from 0, the header apart.
"""

import io
import re
import secrets
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from masker.arrow import buffers
from masker.arrow.formats import BROKEN, Layout
from masker.errors import FileRefused
from masker.kernels.canonical import canonical

BLOCK_BYTES = 1 << 22
"""Bytes that are parsed at a time, so the longest row: 4 MiB, which is also what a message of the service holds."""
_OTHER_DELIMITERS = {";": "';'", "\t": "$'\\t'", "|": "'|'", ",": "','"}
"""What separates cells elsewhere, as a shell takes it."""
_UNCLOSED = "a quotation mark opens a cell and none closes it; close it, or pass --quote '' where it is text"
_ASCII = bytes(range(128)) + b"?" * 128
"""Bytes that are not ASCII end no cell."""
_CELLS = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")
_CONVERSION = re.compile(r"In CSV column #(\d+): (?:Row #(\d+): )?")
_LONG = re.compile(r"straddl|out of sync|cannot infer number of columns")


class Delimited:
    """A CSV file whose header has been read. `batches` gives the rows."""

    def __init__(self, file: io.BufferedReader, layout: Layout, delimiter: str) -> None:
        self._layout, self._delimiter = layout, delimiter
        self._row = 0
        self.names: list[str] = []
        head = file.read(BLOCK_BYTES)
        self._width = self._columns(head)
        self._token = secrets.token_hex(16)
        end = delimiter.join([self._token] * self._width) + "\n"
        self._batches = self._opened(_Ended(head, file, end.encode()))
        self._first: Any = self._take()
        self.names = self._header()
        self.schema = pa.schema([pa.field(name, pa.string()) for name in self.names])

    def batches(self) -> Iterator[Any]:
        """Return the rows, without the header and without our own last row."""
        held = self._first.slice(1)
        self._row = 0
        while (following := self._take()) is not None:
            self._row += held.num_rows
            if held.num_rows:
                yield self._made(held)
            held = following
        last = held.slice(max(held.num_rows - 1, 0))
        if not last.num_rows or any(column[0].as_py() != self._token for column in last.columns):
            raise FileRefused(f"the last row: {_UNCLOSED}")
        if held.num_rows > 1:
            yield self._made(held.slice(0, held.num_rows - 1))

    def _columns(self, head: bytes) -> int:
        """Return how many cells the first row has, or none where there is no row."""
        if not head.strip(b"\r\n"):
            raise FileRefused("the file is empty; every column needs a name in the header")
        whole = self._parsing(ignore_empty_lines=True, invalid_row_handler=lambda _row: "skip")
        shape = head.translate(_ASCII) + b"\n"  # the handler's rows must be text
        reader = self._told(lambda: csv.open_csv(io.BytesIO(shape), _reading(), whole))
        return len(reader.schema.names)

    def _opened(self, file: Any) -> Any:
        text = {f"f{number}": pa.string() for number in range(self._width)}
        convert = csv.ConvertOptions(
            column_types=text, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        )
        parsing = self._parsing(ignore_empty_lines=self._width > 1)
        return self._told(lambda: csv.open_csv(pa.PythonFile(file, "r"), _reading(), parsing, convert))

    def _parsing(self, **options: Any) -> Any:
        quote = self._layout.quote or False
        return csv.ParseOptions(delimiter=self._delimiter, quote_char=quote, newlines_in_values=True, **options)

    def _take(self) -> Any:
        """Return the next batch that has rows; None after the last."""
        while (batch := self._told(lambda: next(self._batches, None))) is not None:
            if batch.num_rows:
                return batch
        return None

    def _header(self) -> list[str]:
        cells = [column[0].as_py() or "" for column in self._first.columns] if self._first is not None else []
        names = [cell.strip() for cell in cells] if self._layout.trim else cells
        if self._token in names:
            raise FileRefused(f"the header: {_UNCLOSED}" if len(names) > 1 else "the header is missing")
        if any(self._token in name for name in names):
            raise FileRefused(f"the header: {_UNCLOSED}")
        if not names or len(set(names)) != len(names) or not all(name.strip() for name in names):
            raise FileRefused("every column needs a name in the header, and the names must differ")
        if len(names) == 1 and not self._layout.delimiter:
            found = [told for other, told in _OTHER_DELIMITERS.items() if other in names[0]]
            if found:
                raise FileRefused(
                    f"the header is one column that holds another delimiter; pass --delimiter {found[0]}, or, if it is "
                    f"really one column, --delimiter {_OTHER_DELIMITERS[self._delimiter]}"
                )
        return names

    def _made(self, batch: Any) -> Any:
        named = pa.RecordBatch.from_arrays(batch.columns, schema=self.schema)
        return _trimmed(named) if self._layout.trim else named

    def _told(self, action: Any) -> Any:
        """Run a reader; what it says against the file becomes a sentence of ours, without content."""
        problem = ""
        try:
            return action()
        except BROKEN as error:
            problem = self._problem(str(error))
        raise FileRefused(problem)

    def _problem(self, said: str) -> str:
        if found := _CELLS.search(said):
            row, wanted, cells = map(int, found.groups())
            return (
                f"{_row(row)} has {cells} cells where the header has {wanted}; quote cells that hold the delimiter "
                "or a quotation mark"
            )
        if found := _CONVERSION.search(said):
            number, row = int(found[1]), int(found[2] or 1)
            column = f"column {self.names[number]}" if number < len(self.names) else f"column number {number + 1}"
            return (
                f"{_row(row)}, {column}: the text is not UTF-8; pass its encoding, such as --encoding latin-1 or "
                "--encoding cp1252"
            )
        if _LONG.search(said):
            place = f"after row {self._row} (rows count from 0) a row" if self.names else "the header"
            return f"{place} is longer than {BLOCK_BYTES >> 20} MiB, or {_UNCLOSED}"
        return "the file is not whole, or not in the format that its name says"


def _reading() -> Any:
    return csv.ReadOptions(autogenerate_column_names=True, use_threads=False, block_size=BLOCK_BYTES)


def _row(number: int) -> str:
    """Name a row of the reader, whose first is the header."""
    return "the header" if number <= 1 else f"row {number - 2} (rows count from 0)"


def _trimmed(batch: Any) -> Any:
    """Take blanks off; a cell of blanks alone is as null as an empty one."""
    columns = []
    for column in batch.columns:
        before = buffers.text(column)
        after = canonical(before, ("trim",))
        blank = (np.diff(before.offsets) > 0) & (np.diff(after.offsets) == 0)
        columns.append(buffers.from_text(after.only(~blank), column.type))
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


class _Ended(io.RawIOBase):
    """A file with a line of our own behind it, on a line of its own. It gives all that is asked for, up to its end."""

    def __init__(self, head: bytes, rest: io.BufferedReader, end: bytes) -> None:
        self._ready, self._rest, self._end, self._last = head, rest, end, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        size = BLOCK_BYTES if size < 0 else size
        if len(self._ready) < size:
            self._ready += self._rest.read(size - len(self._ready))
            if len(self._ready) < size and self._end:
                last = self._ready[-1:] or self._last
                self._ready += (b"" if last in {b"\n", b"\r"} else b"\n") + self._end
                self._end = b""
        taken, self._ready = self._ready[:size], self._ready[size:]
        self._last = taken[-1:]
        return taken
