"""Tables and batches in and out."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

PIECE_BYTES = 256 << 20
"""Bytes of a chunk that are masked together. With PIECE_ROWS it keeps each output below 2 GiB, for 32-bit offsets."""
PIECE_ROWS = 1 << 23
"""Rows of a chunk that are masked together: with at most 100 bytes that a mask adds to a value, 800 MiB more."""


def read(source: Any) -> Any:
    """Read anything that speaks the Arrow C stream interface into a pyarrow.Table."""
    if isinstance(source, pa.Table):
        return source
    return pa.RecordBatchReader.from_stream(source).read_all()


def build(columns: list[list[Any]], schema: Any, rows: int) -> Any:
    """Return a table with these chunks."""
    if not columns:
        return pa.table([pa.nulls(rows)], names=["none"]).select([]).replace_schema_metadata(schema.metadata)
    arrays = [pa.chunked_array(chunks, field.type) for chunks, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)


def batch(arrays: list[Any], schema: Any, rows: int) -> Any:
    """Return a record batch."""
    if not arrays:
        return pa.RecordBatch.from_struct_array(pa.StructArray.from_buffers(pa.struct([]), rows, [None]))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def is_sound(array: Any) -> bool:
    """Check offsets, bitmaps, indices and UTF-8, which kernels do not check."""
    try:
        array.validate(full=True)
    except (pa.ArrowException, UnicodeDecodeError):  # their text quotes the data
        return False
    return True


def pieces(array: Any) -> Iterator[Any]:
    """Cut a chunk so that no piece's output can pass 2 GiB."""
    count = max(1, -(-array.nbytes // PIECE_BYTES), -(-len(array) // PIECE_ROWS))
    size = max(1, -(-len(array) // count))
    yield array.slice(0, size)
    for start in range(size, len(array), size):
        yield array.slice(start, size)


def between(chunks: list[Any], low: int, high: int) -> Iterator[Any]:
    """Return the slices of a chunked column that hold rows low to high."""
    start = 0
    for chunk in chunks:
        first, last = max(low, start), min(high, start + len(chunk))
        if first < last:
            yield chunk.slice(first - start, last - first)
        start += len(chunk)


def of_text(name: str, values: list[str]) -> Any:
    """Return a table of one text column."""
    return pa.table([pa.array(values, pa.large_string())], schema=text_schema(name))


def text_schema(name: str) -> Any:
    """Return the schema of one text column."""
    return pa.schema([pa.field(name, pa.large_string(), nullable=False)])
