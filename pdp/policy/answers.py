"""What builtins answer, as far as it follows from what they are given. Pure."""

from collections.abc import Sequence

from pdp.policy.schema import Schema
from pdp.policy.shape import FROM, MADE, SET, any_of, below, kinds

ARITHMETIC = {"plus", "minus", "mul", "div", "rem", "sum", "product"}
"""Builtins that answer a number or fail. Some take sets, too; requests and data have none."""
_EXTREMES = {"max", "min"}
_SAME_ITEMS = {"array.concat": 2, "array.slice": 1, "array.reverse": 1, "sort": 1}
"""Builtins that answer a list of what is in the lists that they take, and how many they take."""
_CHOOSING = {"json.filter", "json.remove", "object.filter", "object.remove"}
"""Builtins that answer an object with some members of the one that they take."""


def answer(name: str, declared: Schema, given: Sequence[Schema]) -> Schema:
    """The shape of a builtin's answer: `declared` is OPA's, `given` are those of its arguments."""
    if name == "minus" and any(SET in each for each in given):
        return {**given[0], SET: True}
    if name in ARITHMETIC:
        return {"type": "number"}
    if name in _EXTREMES:
        return below(given[0], None)
    if name in _SAME_ITEMS:
        return {"type": "array", "items": any_of(below(each, None) for each in given[: _SAME_ITEMS[name]])}
    return given[0] if name in _CHOOSING else _made(declared, given)


def _made(declared: Schema, given: Sequence[Schema]) -> Schema:
    """If not all of an answer is known, it is as much a caller's as what it was made of."""
    if kinds(declared) and not kinds(declared) & {"object", "array"}:
        return declared
    sent = [found for each in given for found in _sent(each)]
    return {**declared, FROM: sent[0][FROM], MADE: _is_closed(sent[0])} if sent else declared


def _is_closed(shape: Schema) -> bool:
    """Whether a value is an object whose names are listed."""
    return kinds(shape) == {"object"} and shape.get("additionalProperties", True) is False


def _sent(shape: Schema) -> list[Schema]:
    """The shapes of what a caller sends in a value, and in what it is made of."""
    if FROM in shape:
        return [shape]
    inner = [*shape.get("anyOf", ()), *shape.get("properties", {}).values(), shape.get("items")]
    return [found for each in inner if isinstance(each, dict) for found in _sent(each)]
