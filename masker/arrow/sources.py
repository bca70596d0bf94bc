"""Files read as streams of record batches: Parquet, CSV, JSON Lines, JSON arrays, Arrow.

1. Every column of a CSV file is text. An unquoted empty cell is null, a quoted one is the empty string.
2. JSON is one column of records.
3. Beside a file X of text, `X.placet.json` gives the metadata of its fields.
4. Where the file says how many rows it has, another number is an error.
5. No thread of pyarrow reads a Python file: one that still does when the interpreter ends aborts the process.
"""

import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Self

import pyarrow as pa
from pyarrow import parquet

from masker.arrow import documents, inputs, int96, json_lines, schema, table
from masker.arrow.delimited import Delimited
from masker.arrow.formats import PIPE, RECORDS, SIDECAR, TEXT, USUAL, Layout, delimiter_of, form_of, guarded, is_gzip
from masker.arrow.text import mark_of, recognized, utf8
from masker.errors import FileRefused
from masker.records import COLUMN

SIDECAR_BYTES = 16 * 1024 * 1024
"""Bytes of the file beside, which has at most some hundred for a column."""
BATCH_ROWS = 1 << 16
"""Rows of a batch read from Parquet: many enough that the work for a batch does not show, few enough for memory."""
_WRITABLE = frozenset({"none", "snappy", "gzip", "brotli", "zstd", "lz4"})
"""Compressions of Parquet that can also be written."""


@dataclasses.dataclass(frozen=True)
class Source:
    """An opened input, which closes with its context.

    `rows` is None where the file does not tell their number. `codec` is the compression of Parquet that an output can
    have too, `delimiter` that of CSV, `mark` what stands before the first record of JSON Lines, else empty. `note` is
    what people should know, or empty. `stop` ends a read that waits for a pipe, from any thread; the batches end with
    an error then.
    """

    form: str
    schema: Any
    rows: int | None
    batches: Callable[[], Iterator[Any]]
    close: Callable[[], None]
    codec: str = ""
    delimiter: str = ""
    note: str = ""
    mark: bytes = b""
    stop: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def has_line_ends(self) -> bool:
        """Whether its records hold their line ends, so that they are its file."""
        return self.form == "jsonl"

    @property
    def is_records(self) -> bool:
        """Whether it is one column of JSON records."""
        return self.form in RECORDS


def source(path: str, form: str = "", layout: Layout = USUAL, *, content: BinaryIO | None = None) -> Source:
    """Open a file, or standard input for `-` (csv, jsonl, json or arrows).

    With `content`, a file that stays open, all of it is read instead, and `path` is only its name.
    """
    form = form or ("arrows" if path == PIPE else form_of(path))
    if form not in _OPEN:
        raise FileRefused(f"there is no format of this name; it is one of {', '.join(sorted(_OPEN))}")
    if path == PIPE and content is None and form in {"parquet", "arrow"}:
        raise FileRefused(f"{form} cannot come through a pipe")
    file, stop = guarded(path, lambda: inputs.binary(path) if content is None else (_again(content), lambda: None))
    with ExitStack() as closing:
        closing.callback(file.close)
        opened = guarded(path, lambda: _OPEN[form](file, path, layout))
        closing.callback(opened.close)
        closing.callback(stop)
        facts = _sidecar(path) if form in TEXT and path != PIPE else {}
        described = _described(opened.schema, facts) if facts else opened.schema
        return dataclasses.replace(
            opened,
            schema=described,
            batches=lambda: _checked(path, opened.batches(), opened.rows),
            close=closing.pop_all().close,
            stop=stop,
        )


def _again(content: BinaryIO) -> BinaryIO:
    """A file of the same bytes, at its beginning, which can be closed for itself."""
    file = os.fdopen(os.dup(content.fileno()), "rb")
    file.seek(0)
    return file


def _described(plain: Any, facts: dict[str, dict[str, str]]) -> Any:
    """Give fields the metadata that the file beside remembers."""
    fields = [schema.field_with(field, field.type, nullable=False, facts=facts.get(field.name, {})) for field in plain]
    return schema.schema_with(fields)


def _open_parquet(file: BinaryIO, path: str, layout: Layout) -> Source:  # noqa: ARG001 - it has a layout of its own
    native = _native(file, b"PAR1")
    unit = int96.unit(native, parquet.ParquetFile(native, pre_buffer=False), BATCH_ROWS)
    # a buffer that is filled before would keep the whole file until its last row is read
    opened = parquet.ParquetFile(native, coerce_int96_timestamp_unit=unit, pre_buffer=False)
    metadata = opened.metadata
    known = metadata.num_row_groups and metadata.num_columns
    codec = metadata.row_group(0).column(0).compression.lower() if known else "zstd"
    codec = "none" if codec == "uncompressed" else codec
    note = (
        ""
        if codec in _WRITABLE
        else f"its compression ({codec}, as Hadoop's LZ4 is) cannot be written; the output has zstd"
    )
    batches = lambda: opened.iter_batches(BATCH_ROWS)  # noqa: E731 - a generator to be made later
    codec = codec if codec in _WRITABLE else "zstd"
    return Source("parquet", opened.schema_arrow, metadata.num_rows, batches, native.close, codec=codec, note=note)


def _open_csv(file: BinaryIO, path: str, layout: Layout) -> Source:
    delimiter = layout.delimiter or delimiter_of(path)
    rows = Delimited(utf8(file, layout.encoding, packed=is_gzip(path)), layout, delimiter)
    return Source("csv", rows.schema, None, rows.batches, file.close, delimiter=delimiter)


def _open_jsonl(file: BinaryIO, path: str, layout: Layout) -> Source:
    text = utf8(file, layout.encoding, packed=is_gzip(path))
    source = _records("jsonl", file, lambda: json_lines.lines(text))
    return dataclasses.replace(source, mark=b"" if layout.encoding else mark_of(text))


def _open_json(file: BinaryIO, path: str, layout: Layout) -> Source:
    text = utf8(file, layout.encoding, packed=is_gzip(path))
    arrays = lambda: (pa.array(part, pa.large_string()) for part in documents.elements(text))  # noqa: E731
    return _records("json", file, arrays)


def _records(form: str, file: BinaryIO, arrays: Callable[[], Iterator[Any]]) -> Source:
    described = table.text_schema(COLUMN)

    def batches() -> Iterator[Any]:
        return (pa.record_batch([array], schema=described) for array in arrays())

    return Source(form, described, None, batches, file.close)


def _open_arrow(file: BinaryIO, path: str, layout: Layout) -> Source:
    if file.peek(6)[:6] != b"ARROW1":  # type: ignore[attr-defined]  # a buffered reader
        return _open_arrows(file, path, layout)
    native = _native(file, b"ARROW1")
    reader = pa.ipc.open_file(native)
    count = reader.num_record_batches
    return Source("arrow", reader.schema, None, lambda: (reader.get_batch(i) for i in range(count)), native.close)


def _open_arrows(file: BinaryIO, path: str, layout: Layout) -> Source:  # noqa: ARG001 - it has a layout of its own
    _refuse_another_kind(file, b"\xff\xff\xff\xff")
    reader = pa.ipc.open_stream(file)
    return Source("arrows", reader.schema, None, lambda: iter(reader), file.close)


_OPEN = {
    "parquet": _open_parquet,
    "csv": _open_csv,
    "jsonl": _open_jsonl,
    "json": _open_json,
    "arrow": _open_arrow,
    "arrows": _open_arrows,
}


def _native(file: BinaryIO, mark: bytes) -> Any:
    """Open a file anew for pyarrow, whose threads then read it without Python."""
    _refuse_another_kind(file, mark)
    if not file.seekable():
        raise FileRefused("this format cannot come through a pipe")
    name = f"/dev/fd/{file.name}" if isinstance(file.name, int) else file.name  # a number: a file that has no name
    return pa.OSFile(name, "rb")


def _refuse_another_kind(file: BinaryIO, mark: bytes) -> None:
    """Name what a file is that begins as another kind does."""
    head = file.peek(16)[:16]  # type: ignore[attr-defined]  # both files are buffered readers
    if not head.startswith(mark) and (told := recognized(head)):
        raise FileRefused(f"the file {told}")


def _sidecar(path: str) -> dict[str, dict[str, str]]:
    """Return the facts of each column that the file beside remembers. Raises FileRefused, which names that file."""
    beside = Path(path + SIDECAR)
    if not beside.exists():
        return {}
    problem = ""
    try:
        columns = json.loads(_regular(beside))["columns"]
        found = {str(name): dict(facts) for name, facts in columns.items()}
        if all(isinstance(value, str) for facts in found.values() for value in facts.values()):
            return found
        problem = "a fact in it is not text"
    except OSError as error:
        problem = error.strerror or "it cannot be read"
    except (ValueError, LookupError, TypeError, AttributeError):
        problem = "it is not whole; take it from where the file was made, or remove it and name the key version"
    raise FileRefused(f"{beside.name}: {problem}")


def _regular(beside: Path) -> bytes:
    """The content of a file that ends, and soon. Raises OSError and ValueError."""
    if not beside.is_file() or beside.stat().st_size > SIDECAR_BYTES:
        raise ValueError
    return beside.read_bytes()


def _checked(path: str, batches: Iterator[Any], rows: int | None) -> Iterator[Any]:
    """Give batches that are valid, and as many rows as the file says that it has."""
    seen = 0
    while (batch := guarded(path, lambda: next(batches, None))) is not None:
        if not table.is_sound(batch):
            raise FileRefused(f"{Path(path).name}: the file holds invalid Arrow data; write it anew")
        seen += batch.num_rows
        yield batch
    if rows is not None and seen != rows:
        raise FileRefused(f"{Path(path).name}: the file says that it has {rows:,} rows and gives {seen:,}")
