"""Files written from record batches: they appear when they are whole, and not before.

Beside a file X of text stands `X.placet.json`, with the metadata of its fields.
"""

import contextlib
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
from pyarrow import parquet

from masker.arrow import cells, schema
from masker.arrow.formats import BROKEN, PIPE, RECORDS, SIDECAR, TEXT, delimiter_of, form_of, is_gzip
from masker.arrow.json_lines import stripped
from masker.arrow.targets import NewFile, Through, passes_through
from masker.errors import FileRefused
from masker.records import COLUMN


class Sink:
    """An output that appears when its context ends without an error. `write` adds a batch; `rows` counts them.

    `codec` is the compression of Parquet, `delimiter` that of CSV where the name does not say it. With `has_line_ends`
    the records are those of JSON Lines with all around them, and `mark` stands before the first.
    """

    def __init__(
        self,
        path: str,
        output_schema: Any,
        form: str = "",
        *,
        codec: str = "zstd",
        delimiter: str = "",
        mark: bytes = b"",
        has_line_ends: bool = False,
    ) -> None:
        self.path, self.schema = path, output_schema
        self.form = form or ("arrows" if path == PIPE else form_of(path))
        self._codec = codec
        self._delimiter = delimiter or delimiter_of(path)
        self._mark, self._has_line_ends = mark, has_line_ends
        self._last: dict[int, Any] = {}
        self.rows = 0

    def __enter__(self) -> Self:
        self._is_through = passes_through(self.path)
        if Path(self.path).is_dir():
            raise FileRefused(f"{Path(self.path).name} is a folder; name a file")
        self._target: Any = Through(self.path) if self._is_through else NewFile(self.path)
        packed = is_gzip(self.path) and self.form in TEXT
        self._file: Any = gzip.GzipFile("", "wb", fileobj=self._target.file, mtime=0) if packed else self._target.file
        try:
            self._writer: Any = self._guarded(self._opened)
        except FileRefused:
            self._target.close()
            raise
        return self

    def write(self, batch: Any) -> None:
        """Append a batch of the output schema."""
        if not self.schema.names and self.form in {"parquet", "csv"} and batch.num_rows:
            raise FileRefused(f"{self.form} cannot keep the rows of a table without columns; write Arrow")
        if self._has_line_ends and self.form != "jsonl":
            batch = pa.record_batch([stripped(batch.column(0))], schema=batch.schema)
        unified = self._unified(batch) if self.form == "arrow" else batch
        self._guarded(lambda: self._writer.write_batch(unified))
        self.rows += batch.num_rows

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._guarded(self._finish)
            elif not self._is_through:
                with contextlib.suppress(OSError, *BROKEN):
                    self._writer.close()  # before its file: a Parquet writer closes itself when it is collected
        finally:
            self._target.close()

    def _finish(self) -> None:
        self._writer.close()
        if self._file is not self._target.file:
            self._file.close()
        if self.form in TEXT and not self._is_through:
            _write_sidecar(self.path, self.schema)
        self._target.commit()

    def _opened(self) -> Any:
        if self.form in RECORDS and self.schema.names != [COLUMN]:
            raise FileRefused("JSON can only be written from records")
        if self.form == "jsonl":
            return cells.Lines(self._file, self._mark, has_line_ends=self._has_line_ends)
        return _WRITERS[self.form](self._file, self.schema, self._codec, self._delimiter)

    def _guarded(self, action: Callable[[], Any]) -> Any:
        """Turn errors of a writer into FileRefused, which does not quote the data."""
        problem = ""
        try:
            return action()
        except FileRefused as refused:
            problem = str(refused)
        except BrokenPipeError:
            raise
        except OSError as error:
            problem = f"cannot be written: {error.strerror or 'the file system refuses it'}"
        except BROKEN:
            problem = f"{self.form} cannot hold a column of one of these types: {_types(self.schema)}"
        raise FileRefused(f"{Path(self.path).name}: {problem}")

    def _unified(self, batch: Any) -> Any:
        """An Arrow file has one dictionary a column, which may only grow."""
        columns = list(batch.columns)
        for number, column in enumerate(columns):
            if schema.is_dictionary(column.type):
                before = self._last.get(number, column.slice(0, 0))
                columns[number] = pa.chunked_array([before, column]).unify_dictionaries().chunk(1)
                self._last[number] = columns[number].slice(0, 0)
        return pa.RecordBatch.from_arrays(columns, schema=batch.schema) if columns else batch


_WRITERS: dict[str, Callable[[Any, Any, str, str], Any]] = {
    "parquet": lambda file, output, codec, _delimiter: parquet.ParquetWriter(file, output, compression=codec),
    "csv": lambda file, output, _codec, delimiter: cells.Rows(file, output, delimiter),
    "json": lambda file, _output, _codec, _delimiter: cells.Elements(file),
    "arrow": lambda file, output, _codec, _delimiter: pa.ipc.new_file(
        file, output, options=pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    ),
    "arrows": lambda file, output, _codec, _delimiter: pa.ipc.new_stream(file, output),
}
"""What writes each format but JSON Lines: write_batch, then close."""


def _types(output: Any) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in list(output)[:8])


def _write_sidecar(path: str, output: Any) -> None:
    document = {"format": 1, "columns": {field.name: schema.facts(field) for field in output}}
    target = NewFile(path + SIDECAR)
    try:
        target.file.write(json.dumps(document, indent=2, ensure_ascii=False).encode())
        target.commit()
    finally:
        target.close()
