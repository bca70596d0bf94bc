"""What a batch may hold, found before anybody looks into it or writes it out.

A small message can claim many values: a fixed-size list of nulls has no bytes, and a dictionary, a view or a list view
can point to one long text a million times.
"""

from typing import Any

from masker.arrow.expansion import expanded_bytes, parts
from pdp.errors import InvalidRequest

MAX_ROWS = 1 << 20
"""Rows in one batch: a limit of the contract."""
MAX_EXPANDED_BYTES = 64 << 20
"""Bytes of one batch, or of all batches of inline data, with dictionaries, views and shared lists written out: sixteen
times the largest message, so that only what is far from real data does not fit."""
_MAX_NESTING = 16
"""Levels of nested columns and dictionaries. It bounds the walk over a batch that claims more."""


def refuse_unbounded(batch: Any, path: str) -> float:
    """The bytes of a batch, written out. Raises `InvalidRequest` for a batch beyond a limit.

    Only its lengths must be valid. Raises ValueError where a buffer is shorter than its array.
    """
    if batch.num_rows > MAX_ROWS:
        raise InvalidRequest.field(path, f"has more than {MAX_ROWS} rows; send smaller batches")
    _refuse_many(batch, path)
    size = batch_bytes(batch)
    refuse_large(size, path)
    return size


def refuse_large(size: float, path: str) -> None:
    """Raise `InvalidRequest` where so many bytes, written out, are too many."""
    if size > MAX_EXPANDED_BYTES:
        raise InvalidRequest.field(
            path,
            f"takes more than {MAX_EXPANDED_BYTES >> 20} MiB with its dictionaries and views written out; "
            "send smaller batches",
        )


def batch_bytes(batch: Any, *, is_slice: bool = False) -> float:
    """The bytes of a batch, written out; see `expanded_bytes`."""
    return sum(expanded_bytes(column, is_slice=is_slice) for column in batch.columns)


def _refuse_many(batch: Any, path: str) -> None:
    """Refuse a batch with too many values or levels."""
    pending = [(column, 0) for column in batch.columns]
    count = 0
    while pending:
        array, depth = pending.pop()
        count += len(array)
        if count > MAX_ROWS * max(16, batch.num_columns) or depth > _MAX_NESTING:
            raise InvalidRequest.field(path, "has more values than its bytes can hold, or nests too deep")
        pending += [(part, depth + 1) for part in parts(array)]
