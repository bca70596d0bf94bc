"""The values in a batch: counted for the quota, digested for an approval that fits these very tokens."""

import hashlib
from collections.abc import Sequence
from typing import Any

from masker.arrow import schema as shapes
from masker.path import render
from pdp.arrow.table import Batch


def tokens(batch: Batch, names: Sequence[str]) -> tuple[int, str]:
    """How many values stand in these columns, and the digest that an approval to unmask is bound to."""
    count, digest = 0, hashlib.sha256()
    for name in names:
        present = [value for value in values(batch, name) if value is not None]
        count += len(present)
        digest.update(_text(name) + len(present).to_bytes(8, "big"))
        for value in present:
            digest.update(_text(value))
    return count, digest.hexdigest()


def records_digest(records: Sequence[str]) -> str:
    """The same of JSON records, which are one column."""
    digest = hashlib.sha256(_text("records") + len(records).to_bytes(8, "big"))
    for record in records:
        digest.update(_text(record))
    return digest.hexdigest()


def length(batch: Batch, names: Sequence[str]) -> int:
    """How many values, without nulls, stand at these paths."""
    tops = {render((field.name,)): index for index, field in enumerate(batch.schema)}
    return sum(_length(batch.column(tops[name])) if name in tops else _below_length(batch, name) for name in names)


def _length(column: Any) -> int:
    return len(column) - int(column.null_count)


def _below_length(batch: Batch, name: str) -> int:
    return sum(value is not None for value in values(batch, name))


def values(batch: Batch, name: str) -> list[Any]:
    """The values at a path, wherever lists put them."""
    for path, _ in shapes.walk(batch.schema):
        if render(path) == name:
            return _below([batch.column(path[0]).to_pylist()], path[1:])
    return []


def _below(lists: list[list[Any]], steps: Sequence[str | None]) -> list[Any]:
    for step in steps:
        if step is None:
            lists = [[item for items in lists for value in items if value is not None for item in value]]
        else:
            lists = [[None if value is None else _member(value, step) for items in lists for value in items]]
    return [value for items in lists for value in items]


def _member(value: Any, step: str) -> Any:
    """Of a struct the field; of an entry of a map, which is a pair, its key or value."""
    return value[step] if isinstance(value, dict) else value[("key", "value").index(step)]


def _text(value: str | bytes) -> bytes:
    encoded = value if isinstance(value, bytes) else str(value).encode()
    return len(encoded).to_bytes(4, "big") + encoded
