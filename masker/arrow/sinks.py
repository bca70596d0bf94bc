"""Files written from record batches: beside their target, and renamed when they are whole.

Beside a CSV or JSON Lines file X stands `X.placet.json`, with the metadata of its fields.
"""

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import pyarrow as pa
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from masker.arrow import schema
from masker.arrow.formats import PIPE, SIDECAR, form_of, guarded
from masker.errors import FileRefused
from masker.records import COLUMN


class Sink:
    """An output file that appears when its context ends without an error, and not before. `write` adds a batch."""

    def __init__(self, path: str, output_schema: Any, form: str = "", *, codec: str = "zstd") -> None:
        self.path, self.schema = path, output_schema
        self.form = form or ("arrows" if path == PIPE else form_of(path))
        self._codec = codec
        self._temporary = ""
        self._last: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._file = self._open()
        try:
            self._writer: Any = guarded(self.path, lambda: _writer(self.form, self._file, self.schema, self._codec))
        except FileRefused:
            self._discard()
            raise
        return self

    def write(self, batch: Any) -> None:
        """Append a batch of the output schema."""
        unified = self._unified(batch) if self.form == "arrow" else batch
        guarded(self.path, lambda: self._writer.write_batch(unified))

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._writer.close()
                self._commit()
            elif self.path != PIPE:
                with contextlib.suppress(pa.ArrowException, OSError):
                    self._writer.close()  # before its file: a Parquet writer closes itself when it is collected
        finally:
            self._discard()

    def _discard(self) -> None:
        """Close the file, and remove it unless it has its own name by now."""
        if self.path != PIPE:
            self._file.close()
            Path(self._temporary).unlink(missing_ok=True)

    def _open(self) -> BinaryIO:
        if self.path == PIPE:
            return sys.stdout.buffer
        target = Path(self.path)
        problem = ""
        try:
            descriptor, self._temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
            return os.fdopen(descriptor, "wb")
        except OSError as error:
            problem = str(error.strerror)
        raise FileRefused(f"{target.name} cannot be written: {problem}")

    def _commit(self) -> None:
        self._file.flush()
        if self.path == PIPE:
            return
        os.fsync(self._file.fileno())
        if self.form in {"csv", "jsonl"}:
            _write_sidecar(self.path, self.schema)
        Path(self._temporary).replace(self.path)

    def _unified(self, batch: Any) -> Any:
        """An Arrow file has one dictionary a column, which may only grow."""
        columns = list(batch.columns)
        for number, column in enumerate(columns):
            if schema.is_dictionary(column.type):
                before = self._last.get(number, column.slice(0, 0))
                columns[number] = pa.chunked_array([before, column]).unify_dictionaries().chunk(1)
                self._last[number] = columns[number].slice(0, 0)
        return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


class _JsonLines:
    """Writes the one column of records, a line each."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write_batch(self, batch: Any) -> None:
        self._file.write("".join(f"{line}\n" for line in batch.column(0).to_pylist()).encode())

    def close(self) -> None:
        self._file.flush()


def _writer(form: str, file: BinaryIO, output: Any, codec: str) -> Any:
    if form == "parquet":
        return _Batches(parquet.ParquetWriter(file, output, compression=codec))
    if form == "csv":
        return _Batches(arrow_csv.CSVWriter(file, output))
    if form == "jsonl":
        if output.names != [COLUMN]:
            raise FileRefused("JSON Lines can only be written from records")
        return _JsonLines(file)
    if form == "arrow":
        return pa.ipc.new_file(file, output, options=pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True))
    return pa.ipc.new_stream(file, output)


class _Batches:
    """Gives Parquet and CSV writers the one method of the others."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def write_batch(self, batch: Any) -> None:
        self._writer.write_batch(batch)

    def close(self) -> None:
        self._writer.close()


def _write_sidecar(path: str, output: Any) -> None:
    document = {"format": 1, "columns": {field.name: schema.facts(field) for field in output}}
    target = Path(path + SIDECAR)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=2, ensure_ascii=False)
    Path(name).replace(target)
