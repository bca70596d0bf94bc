"""INT96, the timestamps of older Parquet files: days of any year, which 64 bits of nanoseconds cannot count.

1. Where every instant fits nanoseconds (the years 1677 to 2262), they stay nanoseconds.
2. Else, where every instant is of whole microseconds, they become microseconds.
3. Else the file is refused, by column and row.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from masker.errors import FileRefused


def unit(native: Any, opened: Any, rows: int) -> str:
    """Return the unit in which the INT96 columns of an opened file are right: "ns" or "us". Reads these columns."""
    described = opened.schema
    columns = [described.column(number) for number in range(len(described.names))]
    names = sorted({column.path for column in columns if column.physical_type == "INT96"})
    if not names:
        return "ns"
    found: dict[str, tuple[str, int]] = {}
    micro = parquet.ParquetFile(native, coerce_int96_timestamp_unit="us", pre_buffer=False)
    pairs = zip(opened.iter_batches(rows, columns=names), micro.iter_batches(rows, columns=names), strict=True)
    start = 0
    for nanos, micros in pairs:
        for field, wide, narrow in zip(nanos.schema, nanos.columns, micros.columns, strict=True):
            for each in _states(wide, narrow):
                found.setdefault(each, (field.name, start))
        start += nanos.num_rows
    if "far" in found and "fine" in found:
        column, row = found["far"]
        raise FileRefused(
            f"column {column}, from row {row} (rows count from 0): an INT96 timestamp is outside 1677 to 2262 while "
            "others need nanoseconds; write the column as TIMESTAMP in microseconds"
        )
    return "us" if "far" in found else "ns"


def _states(wide: Any, narrow: Any) -> Iterator[str]:
    """Say "far" where nanoseconds overflowed, and "fine" where there is more than whole microseconds."""
    for nanos, micros in zip(_leaves(wide), _leaves(narrow), strict=True):
        valid = np.asarray(nanos.is_valid())
        whole = np.asarray(micros.cast(pa.int64()).fill_null(0))
        wrapped = np.asarray(nanos.cast(pa.int64()).fill_null(0))
        with np.errstate(over="ignore"):
            rest = wrapped - whole * 1000  # modulo 2^64 this is what microseconds leave over
        if (valid & (rest != 0)).any():
            yield "fine"
        if (valid & (wrapped // 1000 != whole)).any():
            yield "far"


def _leaves(array: Any) -> Iterator[Any]:
    """Return the timestamps in an array of any nesting."""
    if pa.types.is_timestamp(array.type):
        yield array
    elif pa.types.is_struct(array.type):
        for child in array.flatten():
            yield from _leaves(child)
    elif pa.types.is_map(array.type):
        yield from _leaves(array.keys)
        yield from _leaves(array.items)
    elif pa.types.is_nested(array.type):
        yield from _leaves(array.flatten())
