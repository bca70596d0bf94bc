"""The values in a batch: counted for the quota, digested for an approval that fits these very tokens."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import masker
from masker import methods
from masker.arrow.schema import walk
from masker.path import Path, parse, render
from masker.records import COLUMN
from pdp.arrow.table import Batch
from pdp.masking.plan import specs
from pdp.masking.rows import Rows


def counted_values(made: masker.MaskPlan, batch: Batch) -> int:
    """The values in a batch that count against the quota: those that are turned into tokens and the like, or back."""
    names = [column for column, spec in specs(made) if methods.counts(spec, made.direction)]
    if made.input_schema.names == [COLUMN] and made.leaves[0].spec.mask == "json":
        return json_values(batch.column(0).to_pylist(), names)
    plain = {leaf.column: leaf for leaf in made.leaves}
    total = length(batch, [name for name in names if name in plain and plain[name].spec.mask != "json"])
    for leaf in made.leaves:
        if leaf.spec.mask == "json":
            below = [path for path, _, spec in leaf.spec.children if methods.counts(spec, made.direction)]
            total += json_values(values(batch, leaf.column), below)
    return total


def unmask_context(made: masker.MaskPlan, rows: Rows) -> dict[str, Any]:
    """What an approval to unmask is bound to."""
    names = [column for column, spec in specs(made) if methods.of(spec).reversible]
    if rows.shape.paths is None:
        count, digest = tokens(rows.batch, names)
    else:
        records = rows.batch.column(0).to_pylist()
        count, digest = json_values(records, names), records_digest(records)
    return {"columns": names, "count": count, "tokens_sha256": digest}


def json_values(documents: Iterable[str | None], paths: Sequence[str]) -> int:
    """How many values stand at these paths; text that is not JSON is refused elsewhere and counts nothing."""
    steps = [parse(path) or () for path in paths]
    return sum(_count(_loaded(document), each) for document in documents if document for each in steps)


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
    for path, _ in walk(batch.schema):
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


def _loaded(document: str) -> Any:
    try:
        return json.loads(document)
    except (ValueError, RecursionError):
        return None


def _count(value: Any, steps: Path) -> int:
    """How many leaves stand at a path of one document; null does not count."""
    if not steps:
        return 0 if value is None or isinstance(value, list | Mapping) else 1
    if steps[0] is None:
        return sum(_count(item, steps[1:]) for item in value) if isinstance(value, list) else 0
    return _count(value.get(steps[0]), steps[1:]) if isinstance(value, dict) else 0
