"""Turns schemas of Spark, as its `df.schema.json()` writes them, into Arrow's, and back.

Executors exchange both with Python: instants are microseconds in UTC in each time zone of a session.
"""

import re
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from pyarrow import types

from masker.errors import PlanRefused
from masker.path import ITEM, Path, render

_PLAIN: Mapping[str, Any] = {
    "binary": pa.binary(),
    "boolean": pa.bool_(),
    "byte": pa.int8(),
    "date": pa.date32(),
    "double": pa.float64(),
    "float": pa.float32(),
    "integer": pa.int32(),
    "long": pa.int64(),
    "short": pa.int16(),
    "string": pa.string(),
    "timestamp": pa.timestamp("us", "UTC"),
    "timestamp_ntz": pa.timestamp("us"),
    "void": pa.null(),
}
_NAMES = {data_type: name for name, data_type in _PLAIN.items()}
_TEXT = re.compile(r"(?:char|varchar)\(\d+\)|string collate .*")
_DECIMAL = re.compile(r"decimal\((\d+),\s*(-?\d+)\)")
_DAYS = re.compile(r"interval (?:day|hour|minute|second)(?: to (?:hour|minute|second))?")
_ADVICE = {"variant": "cast it to string, or take fields out of it", "udt": "take fields out of it, or leave it out"}


def arrow_schema(schema: Mapping[str, Any]) -> Any:
    """Return the Arrow schema of a table of Spark; raises PlanRefused for a type that does not reach Python."""
    return pa.schema([_field((field["name"],), field) for field in schema["fields"]])


def spark_schema(schema: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of what comes out, for `StructType.fromJson`; `given` is the one that went in.

    A column whose Arrow type is as before has the type of Spark that it had. All other metadata is left out, as it can
    hold values.
    """
    pairs = zip(schema, given["fields"], strict=True)
    return {"type": "struct", "fields": [_described(field, before) for field, before in pairs]}


def _field(path: Path, field: Mapping[str, Any]) -> Any:
    return _named(field["name"], _type(path, field["type"]), nullable=field["nullable"])


def _named(name: str, data_type: Any, *, nullable: bool) -> Any:
    """A field; one that has no values is always nullable."""
    return pa.field(name, data_type, nullable or types.is_null(data_type))


def _type(path: Path, said: Any) -> Any:
    """The Arrow type of a type of Spark."""
    if isinstance(said, str):
        return _plain(path, said)
    match said["type"]:
        case "struct":
            return pa.struct([_field((*path, field["name"]), field) for field in said["fields"]])
        case "array":
            item = _type((*path, ITEM), said["elementType"])
            return pa.list_(_named("element", item, nullable=said["containsNull"]))
        case "map":
            key = _type((*path, ITEM, "key"), said["keyType"])
            if types.is_null(key):
                raise _refused(path, "a map without keys")
            value = _type((*path, ITEM, "value"), said["valueType"])
            value_field = _named("value", value, nullable=said["valueContainsNull"])
            return pa.map_(pa.field("key", key, nullable=False), value_field)
        case other:
            raise _refused(path, other)


def _plain(path: Path, name: str) -> Any:
    if found := _DECIMAL.fullmatch(name):
        return pa.decimal128(int(found[1]), int(found[2]))
    if _TEXT.fullmatch(name):
        return pa.string()
    if _DAYS.fullmatch(name):
        return pa.duration("us")
    if name not in _PLAIN:
        raise _refused(path, name)
    return _PLAIN[name]


def _refused(path: Path, name: str) -> PlanRefused:
    called = {"udt": "a user-defined type", "variant": "VARIANT", "interval": "a calendar interval"}.get(name, name)
    advice = _ADVICE.get(name, "cast it to string, or leave it out")
    return PlanRefused(
        f"Spark's type of it is {called}, which cannot be masked or passed on: {advice}", column=render(path)
    )


def _described(field: Any, before: Mapping[str, Any] | None) -> dict[str, Any]:
    said = before["type"] if before else None
    nullable = field.nullable or types.is_null(field.type)
    return {"name": field.name, "type": _said(field.type, said), "nullable": nullable, "metadata": {}}


def _said(data_type: Any, before: Any) -> Any:
    """The type of Spark of an Arrow type; `before` is the one that the column had."""
    if types.is_struct(data_type):
        fields = zip(data_type, before["fields"], strict=True)
        return {"type": "struct", "fields": [_described(field, each) for field, each in fields]}
    if types.is_map(data_type):
        key, value = data_type.key_field, data_type.item_field
        sides = {"keyType": _said(key.type, before["keyType"]), "valueType": _said(value.type, before["valueType"])}
        return {"type": "map", **sides, "valueContainsNull": value.nullable}
    if types.is_list(data_type):
        item = data_type.value_field
        return {"type": "array", "elementType": _said(item.type, before["elementType"]), "containsNull": item.nullable}
    if types.is_duration(data_type):
        return before
    return (
        str(data_type).replace("decimal128", "decimal").replace(" ", "")
        if types.is_decimal(data_type)
        else _NAMES[data_type]
    )
