"""Whether two schemas have the same columns in what matters, and arrays of one as those of the other.

What does not matter: metadata, the name of an instant's time zone, whether offsets of text have 32 bits or 64, the
names of the fields inside lists and maps, and whether a schema says that a column has nulls, which the rows show.
"""

from itertools import zip_longest
from typing import Any

import pyarrow as pa
from pyarrow import types

from masker.arrow import buffers, schema
from masker.path import Path, render

_WIDE = {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}


def difference(found: Any, planned: Any) -> str:
    """Return the first column that is not as planned and how, for a sentence; nothing where all are."""
    for number, (one, other) in enumerate(zip_longest(found, planned), 1):
        if one is None or (other is not None and one.name != other.name and found.get_field_index(other.name) < 0):
            return f"column {other.name} is missing"
        if other is None or (one.name != other.name and planned.get_field_index(one.name) < 0):
            return f"column {one.name} is not in the plan"
        if one.name != other.name:
            return f"column {number} is {one.name}, and the plan has {other.name} there"
        if problem := _unlike((one.name,), one.type, other.type):
            return problem
    return ""


def as_type(array: Any, data_type: Any) -> Any:
    """Return the array with a type that differs only in what does not matter.

    Values are copied only where the offsets of text change. Raises OverflowError where they do not fit 32 bits.
    """
    if array.type.equals(data_type):
        return array
    match schema.kind(data_type):
        case "struct":
            parts = [as_type(array.field(number), field.type) for number, field in enumerate(data_type)]
            return pa.Array.from_buffers(data_type, len(array), [buffers.bitmap(buffers.flags(array))], children=parts)
        case "map":
            pairs = pa.struct([data_type.key_field, data_type.item_field])
            parts = [as_type(array.keys, data_type.key_type), as_type(array.items, data_type.item_type)]
            return _listed(array, data_type, pa.Array.from_buffers(pairs, len(array.keys), [None], children=parts))
        case "list":
            return _listed(array, data_type, as_type(array.values, data_type.value_type))
        case "timestamp":
            return pa.Array.from_buffers(data_type, len(array), array.buffers(), offset=array.offset)
    try:
        return array.cast(data_type)
    except pa.ArrowInvalid:
        problem = "more than 2 GiB in one array of 32-bit offsets"
    raise OverflowError(problem)


def _listed(array: Any, data_type: Any, values: Any) -> Any:
    count = 1 if types.is_fixed_size_list(data_type) else 2
    return pa.Array.from_buffers(data_type, len(array), array.buffers()[:count], offset=array.offset, children=[values])


def _unlike(path: Path, found: Any, planned: Any) -> str:
    """Say how a type is not as planned; nothing where it is."""
    if found.equals(planned) or _plain(found) == _plain(planned):
        return ""
    inner, wanted = schema.children(found), schema.children(planned)
    if not wanted or schema.kind(found) != schema.kind(planned) or _shape(found) != _shape(planned):
        return f"column {render(path)} is {found}, and the plan has {planned}"
    if [steps for steps, _ in inner] != [steps for steps, _ in wanted]:
        return f"column {render(path)} has other fields: it is {found}, and the plan has {planned}"
    for (steps, one), (_, other) in zip(inner, wanted, strict=True):
        if problem := _unlike((*path, *steps), one.type, other.type):
            return problem
    return ""


def _plain(data_type: Any) -> Any:
    """The type without what does not matter in it."""
    if schema.is_instant(data_type):
        return pa.timestamp(data_type.unit, "UTC")
    return _WIDE.get(data_type, data_type)


def _shape(data_type: Any) -> tuple[str, int]:
    """What lists of one kind must have in common."""
    size = data_type.list_size if types.is_fixed_size_list(data_type) else 0
    return ("large" if types.is_large_list(data_type) else "", size)
