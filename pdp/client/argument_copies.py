"""Copies of a call's arguments: a function runs with what was asked about, even if its caller changes the values."""

import copy
from array import array
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any

from pdp.client.hidden_state import attributes, is_pydantic

_DATA = (list, dict, set, frozenset, tuple, bytearray, deque, array)
_UNCHANGING = {str, bytes, int, float, complex, bool, type(None)}


def copied(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The arguments, and the names of those that cannot be copied, which stay as they are.

    1. Lists, dicts, sets, tuples, arrays, dataclasses and models of pydantic and attrs are copied with what they hold;
       their types are kept, and what two of them share stays shared.
    2. Any other object (a connection, an open file) stays the very same, also in a copy.
    """
    made, failed, memo = dict[str, Any](), list[str](), dict[int, Any]()
    for name, value in arguments.items():
        try:
            memo.update(_kept(value))
            made[name] = copy.deepcopy(value, memo)
        except Exception:  # noqa: BLE001  # what a class of the program's raises as it is copied
            made[name] = value
            failed.append(name)
    return made, failed


def _kept(value: Any) -> dict[int, Any]:
    """The objects in `value` that are not copied, by id."""
    kept, seen, open_values = dict[int, Any](), set[int](), [value]
    while open_values:
        one = open_values.pop()
        if type(one) in _UNCHANGING or id(one) in seen:
            continue
        seen.add(id(one))
        if _is_data(one):
            open_values += _parts(one)
        else:
            kept[id(one)] = one
    return kept


def _is_data(value: Any) -> bool:
    if isinstance(value, type):
        return False
    is_model = is_dataclass(value) or is_pydantic(value) or hasattr(type(value), "__attrs_attrs__")
    return isinstance(value, _DATA) or is_model or hasattr(type(value), "__array__")


def _parts(value: Any) -> Iterator[Any]:
    """What a value holds: members, and the attributes of its own class."""
    if isinstance(value, dict):
        yield from value
        yield from value.values()
    elif isinstance(value, list | set | frozenset | tuple | deque):
        yield from value
    yield from attributes(value).values()
