"""CSV and JSON written from record batches.

1. A cell of CSV is quoted where it must be: when it is the empty string, which an unquoted cell is not, and when it
   holds the delimiter, a quotation mark, a line end or a blank at an end. Null is an unquoted empty cell.
2. JSON records are written as they are: a line each, or the elements of an array.
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masker.errors import FileRefused


class Rows:
    """Writes CSV with its header."""

    def __init__(self, file: Any, output: Any, delimiter: str) -> None:
        self._file, self._delimiter, self._names = file, delimiter, output.names
        for field in output:
            _text_of(pa.array([], field.type), field.name)
        self._file.write(self._lines([pa.array([name], pa.large_string()) for name in output.names]))

    def write_batch(self, batch: Any) -> None:
        """Write the rows of a batch."""
        if batch.num_rows:
            self._file.write(
                self._lines([_text_of(column, name) for column, name in zip(batch.columns, self._names, strict=True)])
            )

    def close(self) -> None:
        """Write what waits."""
        self._file.flush()

    def _lines(self, columns: list[Any]) -> Any:
        if not columns:
            return b"\n"
        quoted = [self._quoted(column) for column in columns]
        separator, end = pa.scalar(self._delimiter, pa.large_string()), pa.scalar("\n", pa.large_string())
        options = {"null_handling": "replace", "null_replacement": ""}
        cells = quoted if len(quoted) == 1 else [pc.binary_join_element_wise(*quoted, separator, **options)]
        lines = pc.binary_join_element_wise(*cells, pa.scalar("", pa.large_string()), end, **options)
        _, offsets, data = lines.buffers()  # fresh, so that its bytes lie one after the other from the first on
        return memoryview(data)[: np.frombuffer(offsets, np.int64)[len(lines)]]

    def _quoted(self, column: Any) -> Any:
        special = rf'^$|^[ \t\v\f]|[ \t\v\f]$|[{re.escape(self._delimiter)}"\r\n]'
        needs = pc.match_substring_regex(column, special)
        if not pc.any(needs).as_py():
            return column
        mark = pa.scalar('"', pa.large_string())
        whole = pc.binary_join_element_wise(
            mark, pc.replace_substring(column, '"', '""'), mark, pa.scalar("", pa.large_string())
        )
        return pc.if_else(needs, whole, column)


def _text_of(column: Any, name: str) -> Any:
    problem = ""
    try:
        return column.cast(pa.large_string())
    except (pa.ArrowException, ValueError):
        problem = f"column {name}: CSV cannot hold {column.type} that is not text; write Parquet"
    raise FileRefused(problem)


class Lines:
    """Writes the one column of records, a line each; with `has_line_ends` they are the lines, behind `mark`."""

    def __init__(self, file: Any, mark: bytes = b"", *, has_line_ends: bool = False) -> None:
        self._file, self._end = file, "" if has_line_ends else "\n"
        self._file.write(mark)

    def write_batch(self, batch: Any) -> None:
        """Write the records of a batch."""
        empty, end = pa.scalar("", pa.large_string()), pa.scalar(self._end, pa.large_string())
        records = batch.column(0).cast(pa.large_string())
        joined = pc.binary_join_element_wise(records, end, empty) if self._end else records
        self._file.write(b"".join(_bytes(joined)))

    def close(self) -> None:
        """Write what waits."""
        self._file.flush()


def _bytes(texts: Any) -> Iterator[Any]:
    """The bytes of texts one behind the other."""
    if len(texts):
        _, ends, data = texts.buffers()
        first, last = np.frombuffer(ends, np.int64)[[texts.offset, texts.offset + len(texts)]]
        yield memoryview(data or b"")[first:last]


class Elements:
    """Writes the one column of records as an array, an element a line."""

    def __init__(self, file: Any) -> None:
        self._file, self._before = file, "[\n"

    def write_batch(self, batch: Any) -> None:
        """Write the records of a batch."""
        for element in batch.column(0).to_pylist():
            self._file.write(f"{self._before}{element}".encode())
            self._before = ",\n"

    def close(self) -> None:
        """Write the end of the array."""
        self._file.write(b"\n]\n" if self._before != "[\n" else b"[]\n")
        self._file.flush()
