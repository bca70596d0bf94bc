"""The values in a batch: counted for the quota, digested for an approval that fits these very tokens."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

import masker
from masker import methods
from masker.arrow import buffers, tree
from masker.arrow.expansion import expanded_bytes
from masker.arrow.schema import walk
from masker.path import Path, parse, render
from masker.records import COLUMN
from pdp.arrow.table import MAX_MESSAGE_BYTES, Batch
from pdp.errors import ValueRefused
from pdp.masking.plan import specs
from pdp.masking.rows import Rows

Array: TypeAlias = Any

_MAX_JSON_BYTES = 2 * MAX_MESSAGE_BYTES
"""Bytes of JSON in one column: twice what a message holds, so that only text which views repeat is more. Parsed, it
takes up to a hundred times as much."""
_PIECE = 4096
"""Values that are Python objects at a time."""


def counts(made: masker.MaskPlan) -> bool:
    """Whether any value of this table counts against the quota."""
    return any(methods.counts(spec, made.direction) for _, spec in specs(made))


def counted_values(made: masker.MaskPlan, batch: Batch) -> int:
    """The values in a batch that count against the quota: those that are turned into tokens and the like, or back."""
    names = [column for column, spec in specs(made) if methods.counts(spec, made.direction)]
    if made.input_schema.names == [COLUMN] and made.leaves[0].spec.mask == "json":
        return documents_values(batch.column(0), names)
    plain = {leaf.column: leaf for leaf in made.leaves}
    total = length(batch, [name for name in names if name in plain and plain[name].spec.mask != "json"])
    for leaf in made.leaves:
        array = at_path(batch, leaf.column) if leaf.spec.mask == "json" else None
        if array is not None:
            below = [path for path, _, spec in leaf.spec.children if methods.counts(spec, made.direction)]
            total += documents_values(array, below)
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


def documents_values(array: Array, paths: Sequence[str]) -> int:
    """How many values stand at these paths of a column of JSON; each entry of a dictionary is parsed once."""
    if (entries := tree.dictionary_of(array)) is not None:
        dictionary, indices = entries
        often = np.bincount(indices[buffers.flags(array)], minlength=len(dictionary)).tolist()
        return sum(
            times * json_values([text], paths) for times, text in zip(often, _python(dictionary), strict=True) if times
        )
    if expanded_bytes(array, is_slice=True) > _MAX_JSON_BYTES + len(array):
        raise ValueRefused(f"a column holds more than {_MAX_JSON_BYTES >> 20} MiB of JSON; send smaller batches")
    return json_values(_python(array), paths)


def json_values(documents: Iterable[str | None], paths: Sequence[str]) -> int:
    """How many values stand at these paths; text that is not JSON is refused elsewhere and counts nothing."""
    steps = [parse(path) or () for path in paths]
    return sum(_count(_loaded(document), each) for document in documents if document for each in steps)


def tokens(batch: Batch, names: Sequence[str]) -> tuple[int, str]:
    """How many values stand in these columns, and the digest that an approval to unmask is bound to."""
    count, digest = 0, hashlib.sha256()
    for name in names:
        array = at_path(batch, name)
        present = 0 if array is None else _present(array)
        count += present
        digest.update(_text(name) + present.to_bytes(8, "big"))
        for text in _texts(array) if present else ():
            digest.update(text)
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
    array = at_path(batch, name)
    return 0 if array is None else _present(array)


def at_path(batch: Batch, name: str) -> Array | None:
    """The values at a path as one array, wherever lists put them; None where the batch has no such path."""
    for path, _ in walk(batch.schema):
        if render(path) == name:
            return tree.below(batch.column(batch.schema.names.index(path[0])), path[1:])
    return None


def _present(array: Array) -> int:
    """The values that are not null, neither by themselves nor by their entry of a dictionary."""
    if (entries := tree.dictionary_of(array)) is None:
        return len(array) - int(array.null_count)
    dictionary, indices = entries
    return int(np.count_nonzero(buffers.flags(dictionary)[indices[buffers.flags(array)]]))


def _texts(array: Array) -> Iterator[bytes]:
    """Each value that is not null as the digest takes it, one entry of a dictionary made once."""
    if (entries := tree.dictionary_of(array)) is None:
        return (_text(value) for value in _python(array) if value is not None)
    dictionary, indices = entries
    made = [None if value is None else _text(value) for value in _python(dictionary)]
    return (text for index in indices[buffers.flags(array)].tolist() if (text := made[index]) is not None)


def _python(array: Array) -> Iterator[Any]:
    """Python values, a few at a time: views may repeat a long one."""
    for start in range(0, len(array), _PIECE):
        yield from array.slice(start, _PIECE).to_pylist()


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
