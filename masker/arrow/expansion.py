"""Bytes that an array takes when its dictionaries, views and shared lists are written out, found without doing so.

1. A message of 100 kB can point to one long text a million times. Written out, that takes gigabytes.
2. Only the lengths of the array must be valid. Buffers are read within their bounds; a place outside counts as
   nothing, since the validation that comes next refuses it. A buffer that is too short is a ValueError.
3. Every value counts at least one byte, null too, because what is made of it has one.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pyarrow import types

from masker.arrow.buffers import numbers

Sizes: TypeAlias = float | NDArray[np.float64]
"""The bytes of each slot of an array, or one number where all slots are alike."""

_PLAIN = (types.is_string, types.is_binary, types.is_large_string, types.is_large_binary)
_VIEW = (types.is_string_view, types.is_binary_view)
_LIST = (types.is_list, types.is_large_list, types.is_map)
_SLICED = (types.is_list, types.is_large_list, types.is_fixed_size_list)
_LIST_VIEW = (types.is_list_view, types.is_large_list_view)
_WIDE = (types.is_large_string, types.is_large_binary, types.is_large_list, types.is_large_list_view)


def parts(array: Any) -> list[Any]:
    """The arrays directly below an array: fields, items, entries of a dictionary."""
    kind = array.type
    if types.is_dictionary(kind):
        return [array.dictionary]
    if types.is_struct(kind) or types.is_union(kind):
        return [array.field(index) for index in range(kind.num_fields)]
    if types.is_map(kind):
        return [array.keys, array.items]
    if types.is_nested(kind) or types.is_run_end_encoded(kind):
        return [array.values]
    return [array.storage] if hasattr(array, "storage") else []


def expanded_bytes(array: Any, *, is_slice: bool = False) -> float:
    """The bytes of the whole array and of all that lies below it, each entry of a dictionary once more.

    Of the items below the lists of a slice, which must be valid, only those in the slice count.
    """
    count, kind = len(array), array.type
    if not count:
        below = 0.0
    elif _is(kind, _PLAIN):
        first, last = (int(_offsets(array, count + 1)[place]) for place in (0, -1))
        return float(count + max(0, last - first))
    elif types.is_dictionary(kind) or _is(kind, (*_VIEW, *_LIST_VIEW, types.is_run_end_encoded)):
        below = float(np.sum(np.broadcast_to(_sizes(array), count)))
    elif parts(array):
        below = float(count)
    else:
        below = _width(kind) * count
    inner = [array.flatten()] if is_slice and _is(kind, _SLICED) else parts(array)
    return below + sum(expanded_bytes(part, is_slice=is_slice) for part in inner)


def _sizes(array: Any) -> Sizes:
    """The bytes of each slot with all that it points to."""
    kind = array.type
    if not len(array):
        return 0.0
    if types.is_dictionary(kind):
        return _picked(array)
    if _is(kind, (*_PLAIN, *_VIEW)):
        lengths: NDArray[np.float64] = np.maximum(_lengths(array), 0.0)
        return 1 + lengths
    if _is(kind, (*_LIST, *_LIST_VIEW)):
        return 1 + _between(array)
    below = [_sizes(part) for part in parts(array)]
    return 1 + _joined(array, below) if below else _width(kind)


def _lengths(array: Any) -> NDArray[Any]:
    """The bytes of each text; what stands in a view under a null means nothing."""
    count = len(array)
    if _is(array.type, _PLAIN):
        return np.diff(_offsets(array, count + 1).astype(np.float64))
    views = numbers(array.buffers()[1], np.int32, array.offset * 4, count * 4)  # 16 bytes each: length, place
    return np.where(_alive(array), views[::4], 0)


def _joined(array: Any, below: list[Sizes]) -> Sizes:
    """What stands in each struct or list of a fixed size; of runs the longest value, as a run may be any length."""
    if types.is_run_end_encoded(array.type):
        return float(np.max(below[0]))
    if types.is_fixed_size_list(array.type):
        return _grouped(below[0], array.type.list_size, array.offset, len(array))
    return sum(below[1:], below[0])


def _between(array: Any) -> NDArray[np.float64]:
    """What stands in each list, which may share its items with others."""
    count, below = len(array), parts(array)
    held = len(below[0])
    ends = np.zeros(held + 1, np.float64)
    np.cumsum(np.broadcast_to(sum((_sizes(part) for part in below[1:]), _sizes(below[0])), held), out=ends[1:])
    if _is(array.type, _LIST_VIEW):
        starts = _offsets(array, count)
        stops = starts + numbers(array.buffers()[2], _offset_type(array.type), array.offset, count)
    else:
        offsets = _offsets(array, count + 1)
        starts, stops = offsets[:-1], offsets[1:]
    sizes = ends[np.clip(stops, 0, held)] - ends[np.clip(starts, 0, held)]
    return np.where(_alive(array), np.maximum(sizes, 0), 0)


def _picked(array: Any) -> Sizes:
    """The size of the entry that each slot of a dictionary array names."""
    held, sizes = len(array.dictionary), _sizes(array.dictionary)
    if isinstance(sizes, float):
        return max(1.0, sizes)
    places = numbers(array.buffers()[1], array.type.index_type.to_pandas_dtype(), array.offset, len(array))
    inside = _alive(array) & (places >= 0) & (places < held)
    return np.where(inside, sizes[np.where(inside, places, 0).astype(np.int64)], 1.0)


def _grouped(sizes: Sizes, size: int, start: int, count: int) -> Sizes:
    if isinstance(sizes, float):
        return sizes * size
    grouped: NDArray[np.float64] = sizes[start * size : (start + count) * size].reshape(count, size).sum(axis=1)
    return grouped


def _offsets(array: Any, count: int) -> NDArray[Any]:
    return numbers(array.buffers()[1], _offset_type(array.type), array.offset, count)


def _offset_type(kind: Any) -> Any:
    return np.int64 if _is(kind, _WIDE) else np.int32


def _alive(array: Any) -> NDArray[np.bool_]:
    """False where a value is null; the bitmap is read within its bounds."""
    bitmap = array.buffers()[0]
    if bitmap is None:
        return np.ones(len(array), np.bool_)
    first = array.offset // 8
    packed = numbers(bitmap, np.uint8, first, (array.offset + len(array) + 7) // 8 - first)
    return np.unpackbits(packed, bitorder="little")[array.offset - 8 * first :][: len(array)].view(np.bool_)


def _width(kind: Any) -> float:
    """The bytes of a value of a plain type."""
    try:
        return max(1.0, float(kind.bit_width) / 8)
    except ValueError:  # a null
        return 1.0


def _is(kind: Any, tests: Any) -> bool:
    return any(test(kind) for test in tests)
