"""What kind of value stands at a place: walks JSON Schemas, documents and the types of OPA's builtins. Pure.

A shape is a JSON Schema. `{}` is a value of which nothing is known.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pdp.policy.schema import UNKNOWN, Schema

_NAMES: Mapping[type, str] = {str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}


def kinds(shape: Schema) -> frozenset[str]:
    """What a value may be (number, string, boolean, null, array, object); empty if that is not known."""
    if "anyOf" in shape:
        found = [kinds(choice) for choice in shape["anyOf"]]
        return frozenset().union(*found) if all(found) else frozenset()
    named = shape.get("type", [])
    names = {named} if isinstance(named, str) else set(named)
    if not names and ("const" in shape or "enum" in shape):
        names = {_NAMES.get(type(value), "object") for value in shape.get("enum", [shape.get("const")])}
    return frozenset("number" if name == "integer" else name for name in names)


def below(shape: Schema, step: str | int | None) -> Schema:
    """The shape one step into an object or a list; `None` is a step that is known only after evaluation."""
    if "anyOf" in shape:
        return any_of(found for choice in shape["anyOf"] if (found := _below(choice, step)) is not None)
    found = _below(shape, step)
    return UNKNOWN if found is None else found


def _below(shape: Schema, step: str | int | None) -> Schema | None:
    """The shape one step into `shape`, or `None` where a value of it has nothing there."""
    if "anyOf" in shape:
        return below(shape, step)
    listed: Mapping[str, Schema] = shape.get("properties", {})
    more = shape.get("additionalProperties", True)
    further = UNKNOWN if more is True else more or None
    tuple_of = shape.get("prefixItems", [])
    if isinstance(step, str) and "items" not in shape and not tuple_of:
        return listed.get(step, further)
    if isinstance(step, int) and step < len(tuple_of):
        return dict(tuple_of[step])
    if "items" in shape or tuple_of:
        return any_of([*tuple_of, *([shape["items"]] if shape.get("items") else [])])
    return any_of([*listed.values(), *([] if further is None else [further])])


def any_of(choices: Iterable[Schema]) -> Schema:
    """The shape of a value that has one of these shapes."""
    different: list[Schema] = []
    for choice in choices:
        if choice not in different:
            different.append(choice)
    if not different or UNKNOWN in different:
        return UNKNOWN
    return different[0] if len(different) == 1 else {"anyOf": different}


def of_value(value: Any) -> Schema:
    """The shape of a document, of which all is known."""
    if isinstance(value, dict):
        listed = {key: of_value(inner) for key, inner in value.items()}
        return {"type": "object", "properties": listed, "additionalProperties": False}
    if isinstance(value, list):
        return {"type": "array", "items": any_of(map(of_value, value))}
    return {"type": _NAMES[type(value)]}


def of_builtin(declared: Mapping[str, Any]) -> Schema:
    """The shape of what a builtin returns, from OPA's declaration of the type."""
    match declared:
        case {"type": "any", "of": list(choices)}:
            return any_of(map(of_builtin, choices))
        case {"type": "array", "static": list(items)}:
            return {"type": "array", "prefixItems": [of_builtin(item) for item in items]}
        case {"type": "array", "dynamic": dict(item)} | {"type": "set", "of": dict(item)}:
            return {"type": "array", "items": of_builtin(item)}
        case {"type": "object", "dynamic": {"value": dict(value)}}:
            return {"type": "object", "additionalProperties": of_builtin(value)}
        case {"type": "number" | "string" | "boolean" | "null" as kind}:
            return {"type": kind}
    return UNKNOWN
