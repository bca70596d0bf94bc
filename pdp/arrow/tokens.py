"""What an approval to unmask fits: a digest over the tokens that a batch holds in its columns.

Both sides of a call compute it, the client to say what it will send and the server to see that it was sent.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from masker.arrow import buffers, tree
from masker.arrow.schema import walk
from masker.path import Path, parse, render
from pdp.arrow.table import Batch

Array: TypeAlias = Any

_PIECE = 4096
"""Values that are Python objects at a time."""


def columns_digest(batch: Batch, names: Sequence[str]) -> str:
    """The digest that an approval to unmask these columns is bound to."""
    digest = hashlib.sha256()
    for name in names:
        array = at_path(batch, name)
        held = 0 if array is None else present(array)
        digest.update(_text(name) + held.to_bytes(8, "big"))
        for text in _texts(array) if held else ():
            digest.update(text)
    return digest.hexdigest()


def records_digest(records: Sequence[str]) -> str:
    """The same of JSON records, which are one column."""
    digest = hashlib.sha256(_text("records") + len(records).to_bytes(8, "big"))
    for record in records:
        digest.update(_text(record))
    return digest.hexdigest()


def json_values(documents: Iterable[str | None], paths: Sequence[str]) -> int:
    """How many values stand at these paths; text that is not JSON is refused elsewhere and counts nothing."""
    return json_counts(documents, paths).total()


def json_counts(documents: Iterable[str | None], paths: Sequence[str]) -> Counter[str]:
    """The same for each path."""
    steps = {path: parse(path) or () for path in paths}
    total: Counter[str] = Counter()
    for document in documents:
        if document:
            read = loaded(document)
            for path, each in steps.items():
                total[path] += _count(read, each)
    return total


def at_path(batch: Batch, name: str) -> Array | None:
    """The values at a path as one array, wherever lists put them; None where the batch has no such path."""
    for path, _ in walk(batch.schema):
        if render(path) == name:
            return tree.below(batch.column(batch.schema.names.index(path[0])), path[1:])
    return None


def present(array: Array) -> int:
    """The values that are not null, neither by themselves nor by their entry of a dictionary."""
    if (entries := tree.dictionary_of(array)) is None:
        return len(array) - int(array.null_count)
    dictionary, indices = entries
    return int(np.count_nonzero(buffers.flags(dictionary)[indices[buffers.flags(array)]]))


def python_values(array: Array) -> Iterator[Any]:
    """Python values, a few at a time: views may repeat a long one."""
    for start in range(0, len(array), _PIECE):
        yield from array.slice(start, _PIECE).to_pylist()


def _texts(array: Array) -> Iterator[bytes]:
    """Each value that is not null as the digest takes it, one entry of a dictionary made once."""
    if (entries := tree.dictionary_of(array)) is None:
        return (_text(value) for value in python_values(array) if value is not None)
    dictionary, indices = entries
    made = [None if value is None else _text(value) for value in python_values(dictionary)]
    return (text for index in indices[buffers.flags(array)].tolist() if (text := made[index]) is not None)


def _text(value: str | bytes) -> bytes:
    encoded = value if isinstance(value, bytes) else str(value).encode()
    return len(encoded).to_bytes(4, "big") + encoded


def loaded(document: str) -> Any:
    """The document as the masks read it: a number is its text, because Python makes no number of 5,000 digits."""
    try:
        return json.loads(document, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None


def _count(value: Any, steps: Path) -> int:
    """How many leaves stand at a path of one document; null does not count."""
    if not steps:
        return 0 if value is None or isinstance(value, list | Mapping) else 1
    if steps[0] is None:
        return sum(_count(item, steps[1:]) for item in value) if isinstance(value, list) else 0
    return _count(value.get(steps[0]), steps[1:]) if isinstance(value, dict) else 0
