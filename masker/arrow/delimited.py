"""CSV: the header is the first row of the very reader that reads the rows.

1. Every column is text. An unquoted empty cell is null, a quoted one is the empty string.
2. Lines end in LF, CR LF or CR. Where there is more than one column, empty lines are left out.
3. A quotation mark that is not closed is refused, and text behind a closing one: such marks may have swallowed rows.
4. Rows in errors count from 0, the header apart.
"""

import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from masker.arrow import buffers
from masker.arrow.formats import BROKEN, Layout
from masker.arrow.quotes import BLOCK_BYTES, Blocks, header_cells, row_name
from masker.errors import FileRefused
from masker.kernels.canonical import canonical
from masker.path import render

_OTHER_DELIMITERS = {";": "';'", "\t": "$'\\t'", "|": "'|'", ",": "','"}
"""What separates cells elsewhere, as a shell takes it."""
_SHOWN = 60
"""Characters of a column's name that an error shows."""
_CELLS = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")
_CONVERSION = re.compile(r"In CSV column #(\d+): (?:Row #(\d+): )?")


class Delimited:
    """A CSV file whose header has been read. `batches` gives the rows."""

    def __init__(self, file: io.BufferedReader, layout: Layout, delimiter: str) -> None:
        self._layout, self._delimiter = layout, delimiter
        self.names: list[str] = []
        head = file.read(BLOCK_BYTES)
        self._width, end = header_cells(head, delimiter, layout.quote)
        self._blocks = iter(Blocks(head, file, delimiter, layout.quote, skips_blank=self._width > 1))
        self.names = self._header(self._read(1, head[:end] + b"\n"))
        self._first: Any = next(self._parsed())
        self.schema = pa.schema([pa.field(name, pa.string()) for name in self.names])

    def batches(self) -> Iterator[Any]:
        """Return the rows, without the header."""
        yield from self._made(self._first.slice(1))
        for batch in self._parsed():
            yield from self._made(batch)

    def _parsed(self) -> Iterator[Any]:
        for first, block in self._blocks:
            if self._width == 1 or block.strip(b"\r\n"):
                yield from self._read(first, block).combine_chunks().to_batches()

    def _read(self, first: int, block: bytes) -> Any:
        """Parse rows by themselves, so that pyarrow has nothing to read but memory."""
        text = dict.fromkeys(self._numbered(), pa.string())
        convert = csv.ConvertOptions(
            column_types=text, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        )
        parsing = csv.ParseOptions(
            delimiter=self._delimiter,
            quote_char=self._layout.quote or False,
            newlines_in_values=True,
            ignore_empty_lines=self._width > 1,
        )
        return self._told(first, block, parsing, convert)

    def _numbered(self) -> list[str]:
        """Names that nobody sees. Without them each block could have another number of columns."""
        return [f"f{number}" for number in range(self._width)]

    def _header(self, row: Any) -> list[str]:
        cells = [column[0].as_py() or "" for column in row.columns]
        names = [cell.strip() for cell in cells] if self._layout.trim else cells
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

    def _made(self, batch: Any) -> Iterator[Any]:
        if batch.num_rows:
            named = pa.RecordBatch.from_arrays(batch.columns, schema=self.schema)
            yield _trimmed(named) if self._layout.trim else named

    def _told(self, first: int, block: bytes, parsing: Any, convert: Any) -> Any:
        """Parse a block; what the reader says against it becomes a sentence of ours, without content."""
        reading = csv.ReadOptions(column_names=self._numbered(), use_threads=False, block_size=len(block) + 1)
        try:
            return csv.read_csv(pa.BufferReader(block), reading, parsing, convert)
        except BROKEN as error:
            problem = self._problem(str(error), first - 1)
        raise FileRefused(problem)

    def _problem(self, said: str, before: int) -> str:
        if found := _CELLS.search(said):
            row, wanted, cells = map(int, found.groups())
            return (
                f"{row_name(before + row)} has {cells} cells where the header has {wanted}; quote cells that hold the "
                "delimiter or a quotation mark"
            )
        if found := _CONVERSION.search(said):
            number, row = int(found[1]), int(found[2] or 1)
            column = (
                f"column {_shown(self.names[number])}" if number < len(self.names) else f"column number {number + 1}"
            )
            return (
                f"{row_name(before + row)}, {column}: the text is not UTF-8; pass its encoding, such as --encoding "
                "latin-1 or --encoding cp1252"
            )
        return "the file is not whole, or not in the format that its name says"


def _shown(name: str) -> str:
    """A name as a path, on one line and not too long."""
    path = render((name,))
    return path if len(path) <= _SHOWN else f"{path[:_SHOWN]}…"


def _trimmed(batch: Any) -> Any:
    """Take blanks off; a cell of blanks alone is as null as an empty one."""
    columns = []
    for column in batch.columns:
        before = buffers.text(column)
        after = canonical(before, ("trim",))
        blank = (np.diff(before.offsets) > 0) & (np.diff(after.offsets) == 0)
        columns.append(buffers.from_text(after.only(~blank), column.type))
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)
