"""A few values of each column of a file, as texts, evenly spaced over its first rows."""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from masker.arrow.sources import Source

VALUES = 1000
"""Values of a column that are looked at, at most."""
CHARACTERS = 1000
"""Characters of a value that are looked at: text is what it is from its beginning."""
_BATCHES = 64
"""Batches that are read, at most: those of a pipe may have a few rows each."""
DEPTH = 32
"""Steps into a value, as records have them. What lies deeper is not looked at."""


def sample(source: Source, values: int = VALUES) -> dict[str, list[str]]:
    """The texts by column, in the file's order of columns; what lies in others is `a.b`, what lies in lists `a[]`.

    Nulls, empty texts, truth values, times and bytes are left out: a column that has nothing else has an empty list.
    """
    found: dict[str, list[str]] = {} if source.is_records else {name: [] for name in source.schema.names}
    for row in _rows(source, values):
        for path, text in _texts(row, "", 0):
            texts = found.setdefault(path, [])
            if text and len(texts) < values:
                texts.append(text[:CHARACTERS])
    return found


def _rows(source: Source, most: int) -> Iterator[dict[str, Any]]:
    """Rows of the first batches, evenly spaced in each."""
    left = most
    for batch in islice(source.batches(), _BATCHES):
        step = max(batch.num_rows // left, 1)
        rows = batch.take(list(range(0, batch.num_rows, step))[:left]).to_pylist()
        left -= len(rows)
        yield from (_record(row) for row in rows) if source.is_records else rows
        if left <= 0:
            return


def _record(row: dict[str, Any]) -> dict[str, Any]:
    """The record in a row of one column; nothing where it is not an object."""
    [text] = row.values()
    try:
        value = json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _texts(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > DEPTH:
        return
    if isinstance(value, dict):
        for name, below in value.items():
            yield from _texts(below, f"{path}.{name}" if path else str(name), depth + 1)
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _texts(below, f"{path}[]", depth + 1)
    else:
        yield path, _text(value)


def _text(value: Any) -> str:
    is_text = isinstance(value, str | int | float) and not isinstance(value, bool)
    return str(value).strip() if is_text else ""
