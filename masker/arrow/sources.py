"""Files read as streams of record batches: Parquet, CSV, JSON Lines, Arrow.

1. Every column of a CSV file is text. An unquoted empty cell is null, a quoted one is the empty string.
2. JSON Lines is one column of records.
3. Beside a CSV or JSON Lines file X, `X.placet.json` gives the metadata of its fields.
"""

import csv
import dataclasses
import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from masker.arrow import buffers, schema, table
from masker.arrow.formats import PIPE, SIDECAR, form_of, guarded
from masker.errors import FileRefused
from masker.kernels.canonical import canonical
from masker.records import COLUMN

BATCH_ROWS = 1 << 16
"""Rows of a batch read from Parquet: many enough that the work for a batch does not show, few enough for memory."""
_LINES_BYTES = 1 << 20
"""Bytes of JSON Lines that make a batch."""


@dataclasses.dataclass(frozen=True)
class Source:
    """An opened input, which closes with its context.

    `rows` is None where the file does not tell their number. `codec` is the compression of Parquet, else empty.
    """

    form: str
    schema: Any
    rows: int | None
    codec: str
    batches: Callable[[], Iterator[Any]]
    close: Callable[[], None]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def source(path: str, form: str = "", *, trim: bool = False) -> Source:
    """Open a file, or standard input for `-` (csv, jsonl or arrows). `trim` removes blanks around CSV cells."""
    form = form or ("arrows" if path == PIPE else form_of(path))
    if path == PIPE and form in {"parquet", "arrow"}:
        raise FileRefused(f"{form} cannot come through a pipe")
    file = guarded(path, lambda: _binary(path))
    try:
        opened = guarded(path, lambda: _OPEN[form](file, trim=trim))
        facts = _sidecar(path) if form in {"csv", "jsonl"} and path != PIPE else {}
    except FileRefused:
        file.close()
        raise
    described = _described(opened.schema, facts) if facts else opened.schema
    return dataclasses.replace(
        opened, schema=described, batches=lambda: _guarded_batches(path, opened.batches()), close=file.close
    )


def _binary(path: str) -> BinaryIO:
    return sys.stdin.buffer if path == PIPE else Path(path).open("rb")


def _described(plain: Any, facts: dict[str, dict[str, str]]) -> Any:
    """Give fields the metadata that the file beside remembers."""
    fields = [schema.field_with(field, field.type, nullable=False, facts=facts.get(field.name, {})) for field in plain]
    return schema.schema_with(plain, fields)


def _open_parquet(file: BinaryIO, *, trim: bool) -> Source:  # noqa: ARG001 - only CSV has blanks to trim
    opened = parquet.ParquetFile(file)
    metadata = opened.metadata
    known = metadata.num_row_groups and metadata.num_columns
    codec = metadata.row_group(0).column(0).compression.lower() if known else "zstd"
    codec = "none" if codec == "uncompressed" else codec
    batches = lambda: opened.iter_batches(BATCH_ROWS)  # noqa: E731 - a generator to be made later
    return Source("parquet", opened.schema_arrow, metadata.num_rows, codec, batches, file.close)


def _open_csv(file: BinaryIO, *, trim: bool) -> Source:
    names = _header(file)
    if not names or len(set(names)) != len(names) or not all(names):
        raise FileRefused("every column needs a name in the header, and the names must differ")
    text = pa.schema([pa.field(name, pa.string()) for name in names])
    convert = arrow_csv.ConvertOptions(
        column_types=text, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    layout = arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=len(names) > 1)
    reading = arrow_csv.ReadOptions(column_names=names, use_threads=False)

    def batches() -> Iterator[Any]:
        if not file.peek(1):  # type: ignore[attr-defined]  # both files are buffered readers
            return
        for batch in arrow_csv.open_csv(file, reading, layout, convert):
            yield _trimmed(batch) if trim else batch

    return Source("csv", text, None, "", batches, file.close)


def _open_jsonl(file: BinaryIO, *, trim: bool) -> Source:  # noqa: ARG001 - only CSV has blanks to trim
    record = table.text_schema(COLUMN)

    def batches() -> Iterator[Any]:
        while lines := file.readlines(_LINES_BYTES):
            kept = [line.strip().decode() for line in lines]
            yield pa.record_batch([pa.array([line for line in kept if line], pa.large_string())], schema=record)

    return Source("jsonl", record, None, "", batches, file.close)


def _open_arrow(file: BinaryIO, *, trim: bool) -> Source:
    if file.peek(6)[:6] != b"ARROW1":  # type: ignore[attr-defined]  # a buffered reader
        return _open_arrows(file, trim=trim)
    reader = pa.ipc.open_file(file)
    count = reader.num_record_batches
    return Source("arrow", reader.schema, None, "", lambda: (reader.get_batch(i) for i in range(count)), file.close)


def _open_arrows(file: BinaryIO, *, trim: bool) -> Source:  # noqa: ARG001 - only CSV has blanks to trim
    reader = pa.ipc.open_stream(file)
    return Source("arrows", reader.schema, None, "", lambda: iter(reader), file.close)


_OPEN = {
    "parquet": _open_parquet,
    "csv": _open_csv,
    "jsonl": _open_jsonl,
    "arrow": _open_arrow,
    "arrows": _open_arrows,
}


def _header(file: BinaryIO) -> list[str]:
    """Read the header, which quoted newlines may spread over lines."""
    text = ""
    while line := file.readline():
        text += line.decode("utf-8-sig" if not text else "utf-8")
        if text.count('"') % 2 == 0:
            break
    rows = list(csv.reader(io.StringIO(text)))
    return [name.strip() for name in rows[0]] if rows else []


def _trimmed(batch: Any) -> Any:
    """Take blanks off; a cell of blanks alone is as null as an empty one."""
    columns = []
    for column in batch.columns:
        before = buffers.text(column)
        after = canonical(before, ("trim",))
        blank = (np.diff(before.offsets) > 0) & (np.diff(after.offsets) == 0)
        columns.append(buffers.from_text(after.only(~blank), column.type))
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _sidecar(path: str) -> dict[str, dict[str, str]]:
    beside = Path(path + SIDECAR)
    return dict(json.loads(beside.read_text("utf-8"))["columns"]) if beside.exists() else {}


def _guarded_batches(path: str, batches: Iterator[Any]) -> Iterator[Any]:
    """The batches, each validated in full before anybody looks into it."""
    while (batch := guarded(path, lambda: next(batches, None))) is not None:
        if not table.is_sound(batch):
            raise FileRefused(f"{Path(path).name}: the file holds invalid Arrow data; write it anew")
        yield batch
