"""How many values an unmasking reverses in columns, where some hold text of JSON: known before there is a plan.

Both sides of a call compute it from a batch alone. The server holds it against its plan before a decision is used.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from masker import methods
from masker.arrow import buffers, tree
from masker.arrow.schema import facts, kind, walk
from masker.path import ITEM, Path, parse, render
from pdp.arrow.table import MAX_MESSAGE_BYTES, Batch, Schema
from pdp.arrow.tokens import at_path, loaded, present, python_values
from pdp.errors import ValueRefused

Array: TypeAlias = Any

MAX_JSON_BYTES = 2 * MAX_MESSAGE_BYTES
"""Bytes of JSON in one column: twice what a message holds, so that only text which views repeat is more. Parsed, it
takes up to a hundred times as much."""
TOO_MUCH = f"a column holds more than {MAX_JSON_BYTES >> 20} MiB of JSON; send smaller batches"
_DEPTH = 64
"""Steps of a path at most; masks refuse documents that are half as deep."""


def reversed_values(batch: Batch, names: Sequence[str]) -> int:
    """How many values are reversed at most. Raises `ValueRefused` for more than 7 MiB of JSON in a column.

    1. A text that is a JSON object or list counts its values at the paths of `named_paths`; where there are none, each
       value in it, and one at least.
    2. Any other value counts one, and null counts nothing.
    """
    return sum(_values(batch.schema, array, name) for name in names if (array := at_path(batch, name)) is not None)


def named_paths(schema: Schema, name: str) -> frozenset[str] | None:
    """The paths that can be reversed in a column of JSON text by its metadata `placet.paths`; None without them."""
    field = _field(schema, name)
    if field is None:
        return None
    try:
        masks = {path: mask["mask"] for path, mask in json.loads(facts(field)["paths"]).items()}
        return frozenset(path for path, mask in masks.items() if methods.METHODS[mask].reversible)
    except (ValueError, RecursionError, AttributeError, TypeError, KeyError):
        return None


def _field(schema: Schema, name: str) -> Any:
    return next((field for path, field in walk(schema) if render(path) == name), None)


def _values(schema: Schema, array: Array, name: str) -> int:
    if kind(_field(schema, name).type) != "text":
        return present(array)
    named = named_paths(schema, name)
    paths = None if named is None else {parse(path) for path in named}
    total = size = 0
    for text, times in texts(array):
        if is_document := text.lstrip()[:1] in {"{", "["}:
            size += len(text)
            if size > MAX_JSON_BYTES:
                raise ValueRefused(TOO_MUCH)
        total += times * (_in_document(text, paths) if is_document else 1)
    return total


def texts(array: Array) -> Iterator[tuple[str, int]]:
    """Each text and how often it stands there; one entry of a dictionary comes once."""
    if (entries := tree.dictionary_of(array)) is None:
        yield from ((text, 1) for text in python_values(array) if text is not None)
        return
    dictionary, indices = entries
    often = np.bincount(indices[buffers.flags(array)], minlength=len(dictionary)).tolist()
    counted = zip(python_values(dictionary), often, strict=True)
    yield from ((text, times) for text, times in counted if text is not None and times)


def _in_document(text: str, paths: Collection[Path | None] | None) -> int:
    document = loaded(text)
    if document is None:
        return 1
    found = sum(paths is None or path in paths for path in _leaves(document, ()))
    return max(found, 1) if paths is None else found


def _leaves(value: Any, path: Path) -> Iterator[Path]:
    """The path of each leaf that is not null."""
    if len(path) > _DEPTH or value is None:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, (*path, ITEM))
    else:
        yield path
