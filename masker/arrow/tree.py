"""Nested and dictionary arrays: down to the leaves and back up."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import types

from masker.arrow import buffers, schema
from masker.errors import ValueRefused
from masker.kernels.column import Fixed, Flags, ends
from masker.path import Path, render

Rows = NDArray[np.int64]
"""For each value, the row of the table that it stands in."""
OnLeaf = Callable[[Path, Any, Flags, Rows], Any]


def rebuild(array: Any, path: Path, field: Any, alive: Flags, rows: Rows, on_leaf: OnLeaf) -> Any:
    """Rebuild an array as `field` says, leaf by leaf; `alive` is False under a null parent."""
    valid = buffers.flags(array) & alive
    if not field.nullable and array.null_count:
        _check_required(path, alive & ~valid, rows)
    match schema.kind(array.type):
        case "struct":
            result = _struct(array, path, field, valid, rows, on_leaf)
        case "list" | "map" if types.is_fixed_size_list(array.type):
            result = _fixed_list(array, path, field, valid, rows, on_leaf)
        case "list" | "map":
            result = _list(array, path, field, valid, rows, on_leaf)
        case _:
            result = on_leaf(path, array, valid, rows)
    return result if field.nullable else _required(result)


def through_dictionary(array: Any, output: Any, valid: Flags, rows: Rows, on_values: Callable[[Any, Rows], Any]) -> Any:
    """Apply `on_values` to the used entries of a dictionary; equal results become one entry."""
    dictionary = array.dictionary
    indices = buffers.fixed(array.indices).values.astype(np.int64)
    valid = valid.copy()
    valid[valid] = buffers.flags(dictionary)[indices[valid]]
    used, first, places = np.unique(indices[valid], return_index=True, return_inverse=True)
    values = on_values(taken(dictionary, used), rows[valid][first])
    codes, entries = _distinct(values)
    chosen = np.zeros(len(array), np.int64)
    chosen[valid] = codes.values[places]
    valid[valid] = codes.valid[places]
    return _dictionary(Fixed(chosen, valid), entries, output)


def taken(array: Any, places: Any) -> Any:
    """Return the values at these places; pyarrow does not take from views, so those are written out before."""
    return buffers.written_out(array).take(pa.array(places)).cast(array.type)


def encode(values: Any, output: Any) -> Any:
    """Make a dictionary array of plain values; raises OverflowError where its index type is too small."""
    codes, entries = _distinct(values)
    if len(entries) > schema.integer_range(output.index_type)[1] + 1:
        raise OverflowError("more distinct values than the dictionary's index type counts")
    return _dictionary(codes, entries, output)


def decoded(array: Any) -> Any:
    """Return the plain values of a dictionary array."""
    return taken(array.dictionary, array.indices) if types.is_dictionary(array.type) else array


def dictionary_of(array: Any) -> tuple[Any, NDArray[np.int64]] | None:
    """Return entries and indices (0 where null) of a dictionary array; None for every other array.

    Where a dictionary has more entries than rows, only the used ones come back, as batches may share a huge dictionary.
    """
    if not types.is_dictionary(array.type):
        return None
    indices = np.where(buffers.flags(array), buffers.fixed(array.indices).values, 0).astype(np.int64)
    if not 0 < len(array) < len(array.dictionary):
        return array.dictionary, indices
    used, places = np.unique(indices, return_inverse=True)
    return taken(array.dictionary, used), places


def descend(array: Any, steps: Path) -> tuple[Any, Flags]:
    """Follow struct steps; the flags are False where any parent is null."""
    alive = buffers.flags(array)
    for step in steps:
        array = array.field(step)
        alive = alive & buffers.flags(array)
    return array, alive


def below(array: Any, steps: Path) -> Any:
    """Follow any steps; what stands in the lists of a column becomes one array. Null parents have no items."""
    for number, step in enumerate(steps):
        if step is None:
            array = array if types.is_map(array.type) else array.flatten()
        elif types.is_map(array.type) and steps[number - 1] is None:
            array = _entries(array, step)
        else:
            array = array.flatten()[array.type.get_field_index(step)]
    return array


def _entries(array: Any, step: str) -> Any:
    """The keys or the values of the maps that are not null."""
    count = len(array)
    if not count:
        return array.keys.slice(0, 0) if step == "key" else array.items.slice(0, 0)
    offsets = buffers.numbers(array.buffers()[1], np.int32, array.offset, count + 1).astype(np.int64)
    lengths = np.where(buffers.flags(array), np.diff(offsets), 0)
    places = ends(lengths)
    chosen = np.arange(int(places[-1])) + np.repeat(offsets[:-1] - places[:-1], lengths)
    return taken(array.keys if step == "key" else array.items, chosen)


def _distinct(values: Any) -> tuple[Fixed, Any]:
    plain = values.cast(pa.large_string()) if types.is_string_view(values.type) else values
    plain = plain.cast(pa.large_binary()) if types.is_binary_view(plain.type) else plain
    encoded = plain.dictionary_encode()
    return buffers.fixed(encoded.indices), encoded.dictionary.cast(values.type)


def _dictionary(codes: Fixed, entries: Any, output: Any) -> Any:
    indices = buffers.from_fixed(codes, output.index_type)
    return pa.DictionaryArray.from_arrays(indices, entries.cast(output.value_type))


def _struct(array: Any, path: Path, field: Any, valid: Flags, rows: Rows, on_leaf: OnLeaf) -> Any:
    parts = [
        rebuild(array.field(number), (*path, child.name), child, valid, rows, on_leaf)
        for number, child in enumerate(field.type)
    ]
    return pa.Array.from_buffers(field.type, len(array), [buffers.bitmap(valid)], children=parts)


def _list(array: Any, path: Path, field: Any, valid: Flags, rows: Rows, on_leaf: OnLeaf) -> Any:
    wide = types.is_large_list(array.type)
    offsets = np.zeros(1, np.int64)
    if len(array):
        stored = buffers.numbers(array.buffers()[1], np.int64 if wide else np.int32, array.offset, len(array) + 1)
        offsets = stored.astype(np.int64)
    lengths = np.where(valid, np.diff(offsets), 0)
    places = ends(lengths)
    items = _items(_values(array), offsets, lengths, places)
    below = np.repeat(rows, lengths)
    child = _child(array, items, path, field, np.ones(len(items), np.bool_), below, on_leaf)
    data = pa.py_buffer(places if wide else places.astype(np.int32))
    return pa.Array.from_buffers(field.type, len(array), [buffers.bitmap(valid), data], children=[child])


def _items(values: Any, offsets: Rows, lengths: Rows, places: Rows) -> Any:
    """The items of living lists only; without gaps a slice does."""
    if int(places[-1]) == int(offsets[-1] - offsets[0]):
        return values.slice(int(offsets[0]), int(places[-1]))
    chosen = np.arange(int(places[-1])) + np.repeat(offsets[:-1] - places[:-1], lengths)
    return taken(values, chosen)


def _fixed_list(array: Any, path: Path, field: Any, valid: Flags, rows: Rows, on_leaf: OnLeaf) -> Any:
    size = array.type.list_size
    items = array.values.slice(array.offset * size, len(array) * size)
    child = _child(array, items, path, field, np.repeat(valid, size), np.repeat(rows, size), on_leaf)
    return pa.Array.from_buffers(field.type, len(array), [buffers.bitmap(valid)], children=[child])


def _values(array: Any) -> Any:
    if not types.is_map(array.type):
        return array.values
    pairs = pa.struct([array.type.key_field, array.type.item_field])
    return pa.Array.from_buffers(pairs, len(array.keys), [None], children=[array.keys, array.items])


def _child(array: Any, items: Any, path: Path, field: Any, alive: Flags, rows: Rows, on_leaf: OnLeaf) -> Any:
    if not types.is_map(array.type):
        return rebuild(items, (*path, None), field.type.value_field, alive, rows, on_leaf)
    parts = [
        rebuild(items.field(number), (*path, None, name), child, alive, rows, on_leaf)
        for number, (name, child) in enumerate((("key", field.type.key_field), ("value", field.type.item_field)))
    ]
    pairs = pa.struct([field.type.key_field, field.type.item_field])
    return pa.Array.from_buffers(pairs, len(items), [None], children=parts)


def _check_required(path: Path, lost: Flags, rows: Rows) -> None:
    """Refuse nulls that the plan rules out: without a bitmap they would be values."""
    if lost.any():
        problem = "the value is null, and the plan says that its column has no nulls"
        raise ValueRefused(problem, column=render(path), row=int(rows[lost][0]))


def _required(array: Any) -> Any:
    """Drop the bitmap of a field that is never null; under a null parent its values are empty already."""
    parts = array.buffers()
    if array.null_count == 0 or types.is_dictionary(array.type) or schema.kind(array.type) in {*schema.NESTED, "null"}:
        return array
    return pa.Array.from_buffers(array.type, len(array), [None, *parts[1:]], offset=array.offset)
