"""Arrow types and fields in the words of the plan."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import types

from masker.path import ITEM, Path, render

PREFIX = b"placet."
"""What the names of our own field metadata begin with."""
FACTS = ("mask", "domain", "input_type", "policy_revision", "key_version", "paths", "unverified")
"""What our own field metadata says, by the name behind the prefix."""
_FIELD_ID, _EXTENSION = b"PARQUET:field_id", b"ARROW:extension:name"
_NUMBER = re.compile(rb"-?\d{1,10}")
_EXTENSIONS = {b"arrow.uuid", b"arrow.json", b"arrow.bool8", b"arrow.parquet.variant", b"arrow.timestamp_with_offset"}
"""Names of Arrow's canonical extension types that need no other metadata, which could hold anything."""

_KINDS = {
    "text": (types.is_string, types.is_large_string, types.is_string_view),
    "binary": (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary),
    "integer": (types.is_integer,),
    "decimal": (types.is_decimal,),
    "float": (types.is_floating,),
    "bool": (types.is_boolean,),
    "date": (types.is_date,),
    "timestamp": (types.is_timestamp,),
    "time": (types.is_time, types.is_duration),
    "null": (types.is_null,),
    "struct": (types.is_struct,),
    "list": (types.is_list, types.is_large_list, types.is_fixed_size_list),
    "map": (types.is_map,),
}
NESTED = ("struct", "list", "map")
"""Kinds with fields below them."""
MACHINE_NUMBERS = ("integer", "float", "date", "timestamp")
"""Kinds whose values NumPy counts with."""


def kind(data_type: Any) -> str:
    """Return the kind of a type, of a dictionary that of its values; `other` for types that masks do not take."""
    if types.is_dictionary(data_type):
        inner = kind(data_type.value_type)
        return "other" if inner in NESTED else inner
    for name, tests in _KINDS.items():
        if any(test(data_type) for test in tests):
            return name
    return "other"


def children(data_type: Any) -> list[tuple[Path, Any]]:
    """Return the fields below a nested type, each with the steps that lead to it."""
    match kind(data_type):
        case "struct":
            return [((field.name,), field) for field in data_type]
        case "list":
            return [((ITEM,), data_type.value_field)]
        case "map":
            return [((ITEM, "key"), data_type.key_field), ((ITEM, "value"), data_type.item_field)]
        case _:
            return []


def walk(schema: Any) -> list[tuple[Path, Any]]:
    """Return every field of a schema with its path; a nested field comes before the fields below it."""
    found: list[tuple[Path, Any]] = []
    pending = [((field.name,), field) for field in schema]
    while pending:
        path, field = pending.pop(0)
        found.append((path, field))
        pending[:0] = [((*path, *steps), child) for steps, child in children(field.type)]
    return found


def duplicates(schema: Any) -> list[str]:
    """Return the paths that occur twice."""
    paths = [render(path) for path, _ in walk(schema)]
    return sorted({path for path in paths if paths.count(path) > 1}) if len(set(paths)) < len(paths) else []


def text_type(data_type: Any) -> Any:
    """Return the string type of the same form: large, view or dictionary as the input is."""
    if types.is_dictionary(data_type):
        return pa.dictionary(data_type.index_type, text_type(data_type.value_type))
    if types.is_large_string(data_type) or types.is_large_binary(data_type):
        return pa.large_string()
    if types.is_string_view(data_type) or types.is_binary_view(data_type):
        return pa.string_view()
    return pa.string()


def same_type(data_type: Any) -> Any:
    """Return the type itself; a dictionary loses its order."""
    if types.is_dictionary(data_type):
        return pa.dictionary(data_type.index_type, data_type.value_type)
    return data_type


def number_type(data_type: Any) -> Any:
    """Return int32, in a dictionary where the input is one."""
    if types.is_dictionary(data_type):
        return pa.dictionary(data_type.index_type, pa.int32())
    return pa.int32()


def original_type(data_type: Any, name: str | None) -> Any:
    """Return the type of an unmasked column: the named one, or text without a name; None where the name is unknown."""
    named = text_type(data_type) if name is None else parse_type(name)
    if named is not None and types.is_dictionary(data_type) and not types.is_dictionary(named):
        return pa.dictionary(data_type.index_type, named)
    return named


def plain_type(data_type: Any) -> Any:
    """Return the type itself, of a dictionary its values' type."""
    return data_type.value_type if types.is_dictionary(data_type) else data_type


def machine_type(data_type: Any) -> Any:
    """Return the NumPy type of the buffer, not of the meaning: dates and times are integers."""
    if types.is_integer(data_type) or types.is_floating(data_type):
        return data_type.to_pandas_dtype()
    return np.int32 if data_type.bit_width == 32 else np.int64  # noqa: PLR2004 - bits


def type_name(data_type: Any) -> str:
    """Return a name for a type, of a dictionary for its values' type; `parse_type` reads it back."""
    return str(plain_type(data_type))


def parse_type(name: str) -> Any:
    """Read the name of a type that a mask can take; None for any other name."""
    try:
        found = re.fullmatch(r"decimal(32|64|128|256)\((\d+), (-?\d+)\)", name)
        if found:
            return getattr(pa, f"decimal{found[1]}")(int(found[2]), int(found[3]))
        found = re.fullmatch(r"fixed_size_binary\[(\d+)\]", name)
        return pa.binary(int(found[1])) if found else pa.type_for_alias(name)
    except (ValueError, OverflowError):  # such as decimal128(99, 0)
        return None


def zone_name(data_type: Any) -> str | None:
    """Return the time zone that a timestamp's type names, which Arrow takes as any text; None without one."""
    plain = plain_type(data_type)
    return str(plain.tz) if types.is_timestamp(plain) and plain.tz is not None else None


def rebuilt_type(data_type: Any, fields: list[Any]) -> Any:
    """Return a nested type with other fields below it, given in the order of `children`."""
    if types.is_struct(data_type):
        return pa.struct(fields)
    if types.is_map(data_type):
        return pa.map_(fields[0], fields[1], keys_sorted=data_type.keys_sorted)
    if types.is_large_list(data_type):
        return pa.large_list(fields[0])
    if types.is_fixed_size_list(data_type):
        return pa.list_(fields[0], data_type.list_size)
    return pa.list_(fields[0])


def field_with(field: Any, data_type: Any, *, nullable: bool, facts: dict[str, str], is_clear: bool = False) -> Any:
    """Return the output field: with `placet.*` facts, and of other metadata only what cannot hold a value.

    That is the number of a Parquet field, and of a clear column the name of an extension type that Arrow defines.
    """
    given = field.metadata or {}
    kept = {_FIELD_ID: given[_FIELD_ID]} if _NUMBER.fullmatch(given.get(_FIELD_ID, b"")) else {}
    if is_clear and given.get(_EXTENSION) in _EXTENSIONS:
        kept[_EXTENSION] = given[_EXTENSION]
    kept |= {f"placet.{name}".encode(): value.encode() for name, value in facts.items()}
    nullable = nullable or field.nullable or types.is_null(data_type)  # a file may say otherwise; pyarrow does not
    return pa.field(field.name, data_type, nullable, kept or None)


def schema_with(fields: list[Any]) -> Any:
    """Return the output schema. Its own metadata is left out, as it can hold values."""
    return pa.schema(fields)


def facts(field: Any) -> dict[str, str]:
    """Return a field's placet.* metadata without the prefix."""
    metadata = field.metadata or {}
    return {name: metadata[key].decode() for name in FACTS if (key := PREFIX + name.encode()) in metadata}


def schema_of(named: Mapping[str, str]) -> Any:
    """Return the schema of columns with the names of their types."""
    return pa.schema([(name, parse_type(type_name)) for name, type_name in named.items()])


def to_bytes(schema: Any) -> bytes:
    """Serialise a schema as Arrow IPC."""
    return schema.serialize().to_pybytes()  # type: ignore[no-any-return]


def from_bytes(data: bytes) -> Any:
    """Read a schema that `to_bytes` wrote."""
    return pa.ipc.read_schema(pa.py_buffer(data))


def integer_range(data_type: Any) -> tuple[int, int]:
    """Return the least and the greatest value of an integer type."""
    inner = plain_type(data_type)
    signed = types.is_signed_integer(inner)
    size = inner.bit_width - (1 if signed else 0)
    return (-(1 << size) if signed else 0), (1 << size) - 1


def is_dictionary(data_type: Any) -> bool:
    """Tell whether a type is a dictionary."""
    return bool(types.is_dictionary(data_type))


def counts_per_day(data_type: Any) -> int:
    """Return how many of a date's or timestamp's counts make a day."""
    if types.is_date32(data_type):
        return 1
    unit = "ms" if types.is_date64(data_type) else data_type.unit
    return 86_400 * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]


def is_instant(data_type: Any) -> bool:
    """Tell whether a type is a timestamp with a time zone, whose counts are in UTC."""
    return bool(types.is_timestamp(data_type)) and data_type.tz is not None


def has_views(schema: Any) -> bool:
    """Tell whether any type in a schema, also below others, is a view."""
    return any("_view" in str(field.type) for field in schema)
