"""What kind of value stands at a place: walks JSON Schemas, documents and the types of OPA's builtins. Pure.

A shape is a JSON Schema. `{}` is a value of which nothing is known. A shape with `FROM` is of a value that a caller
sends, and says where it stands in the request; `MADE` is beside it if a builtin made the value of that: true if it made
it of an object whose names are listed.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pdp.policy.schema import UNKNOWN, Schema

FROM, MADE = "\0from", "\0made"
SET = "\0set"
"""Keys of a shape that no JSON Schema has. `SET` marks a set, which a shape takes for a list: its keys are members."""
_NAMES: Mapping[type, str] = {str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}
_PLAIN: Mapping[type, Schema] = {kind: {"type": name} for kind, name in _NAMES.items()}


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
    found = _below(shape, step)
    return _marked(UNKNOWN, shape, step) if found is None else found


def _below(shape: Schema, step: str | int | None) -> Schema | None:
    """The shape one step into `shape`, or `None` where a value of it has nothing there."""
    if "anyOf" in shape:
        choices = [each for choice in shape["anyOf"] if (each := _below(choice, step)) is not None]
        found = any_of(choices) if choices else None
    else:
        found = _inside(shape, step)
    return None if found is None else _marked(found, shape, step)


def _marked(found: Schema, above: Schema, step: str | int | None) -> Schema:
    """What stands one step below a value of a caller is of the caller, too."""
    if FROM not in above:
        return found
    return {**found, FROM: (*above[FROM], step), **({MADE: above[MADE]} if MADE in above else {})}


def senders(shape: Schema) -> list[Schema]:
    """The shapes of the values that a value may be and that a caller sends."""
    if FROM in shape:
        return [shape]
    return [found for choice in shape.get("anyOf", ()) for found in senders(choice)]


def unlike(left: Schema, right: Schema, deepest: int = 8) -> Iterator[tuple[Schema, Schema]]:
    """The parts of two values, innermost, that are not surely of one kind."""
    if len(kinds(left)) != 1 or kinds(left) != kinds(right):
        yield left, right
        return
    steps: set[str | None] = {None} if kinds(left) == {"array"} else set()
    if kinds(left) == {"object"}:
        steps = {name for side in (left, right) for name in side.get("properties", {})}
        steps |= {None} if any(side.get("additionalProperties", True) is not False for side in (left, right)) else set()
    for step in sorted(steps, key=str) if deepest else ():
        yield from unlike(below(left, step), below(right, step), deepest - 1)


def _inside(shape: Schema, step: str | int | None) -> Schema | None:
    listed: Mapping[str, Schema] = shape.get("properties", {})
    more = shape.get("additionalProperties", True)
    further = None if more is False else UNKNOWN if more is True else more
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
    different = _different(choices)
    if not different or (UNKNOWN in different and not any(map(senders, different))):
        return UNKNOWN
    return different[0] if len(different) == 1 else {"anyOf": different}


def _different(choices: Iterable[Schema]) -> list[Schema]:
    """The shapes without repetitions, in their order. Only those with the same names in them are held side by side."""
    alike: dict[Any, list[Schema]] = {}
    found: list[Schema] = []
    for choice in {id(choice): choice for choice in choices}.values():
        others = alike.setdefault(frozenset(choice.get("properties", choice)), [])
        if choice not in others:
            others.append(choice)
            found.append(choice)
    return found


def of_value(value: Any, known: dict[Any, Schema] | None = None) -> Schema:
    """The shape of a document, of which all is known. Parts that are alike get one shape, which `known` keeps."""
    known = {} if known is None else known
    if isinstance(value, dict):
        inner = [of_value(each, known) for each in value.values()]
        key: Any = (tuple(value), tuple(map(id, inner)))
        if key not in known:
            listed = dict(zip(value, inner, strict=True))
            known[key] = {"type": "object", "properties": listed, "additionalProperties": False}
        return known[key]
    if isinstance(value, list):
        items = {id(shape): shape for shape in (of_value(each, known) for each in value)}
        if (key := tuple(items)) not in known:
            known[key] = {"type": "array", "items": any_of(items.values())}
        return known[key]
    return _PLAIN[type(value)]


def of_builtin(declared: Mapping[str, Any]) -> Schema:
    """The shape of what a builtin returns, from OPA's declaration of the type."""
    match declared:
        case {"type": "any", "of": list(choices)}:
            return any_of(map(of_builtin, choices))
        case {"type": "array", "static": list(items)}:
            return {"type": "array", "prefixItems": [of_builtin(item) for item in items]}
        case {"type": "array", "dynamic": dict(item)} | {"type": "set", "of": dict(item)}:
            return {"type": "array", "items": of_builtin(item), **({SET: True} if declared["type"] == "set" else {})}
        case {"type": "object", "dynamic": {"value": dict(value)}}:
            return {"type": "object", "additionalProperties": of_builtin(value)}
        case {"type": "number" | "string" | "boolean" | "null" as kind}:
            return {"type": kind}
    return UNKNOWN


def without_null(shape: Schema) -> Schema:
    """The shape of a value that is not null."""
    if "anyOf" in shape:
        return {**shape, "anyOf": [without_null(choice) for choice in shape["anyOf"] if choice.get("type") != "null"]}
    named = shape.get("type")
    rest = [name for name in named if name != "null"] if isinstance(named, list) else []
    return {**shape, "type": rest[0] if len(rest) == 1 else rest} if rest else shape
