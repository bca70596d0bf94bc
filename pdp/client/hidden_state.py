"""What a value holds beside its JSON form. Of two values with one form, the approval of one would run the other.

A model of pydantic is taken only if its form, read back by its own class, is the same model: the same in every field,
type and private attribute. So a field that is left out, a secret, a subclass that is dumped as its base and a lossy
serializer are refused; a field that is left out and has its default is not.
"""

import dataclasses
import inspect
import json
import math
import sys
from collections.abc import Iterator
from datetime import datetime, time
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Any

_LIBRARY = sys.stdlib_module_names | {"numpy"}
"""Packages whose classes keep nothing in slots but what their text has, and what they remember of it."""
_SECRETS = {"_SecretBase", "_SecretField"}
"""Bases of pydantic's `SecretStr`, `SecretBytes` and `Secret`."""


def is_pydantic(value: Any) -> bool:
    """Whether it is a model of pydantic. Without pydantic imported there are no such models."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(value, pydantic.BaseModel)


def attributes(value: Any) -> dict[str, Any]:
    """What a value holds in attributes of its own, in slots, too. An Enum's are those of its class."""
    if isinstance(value, Enum):
        return {}
    held = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        if kind.__module__.partition(".")[0] in _LIBRARY:
            continue
        slots = vars(kind).get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            name = f"_{kind.__name__.lstrip('_')}{slot}" if slot.startswith("__") and not slot.endswith("__") else slot
            if slot not in {"__dict__", "__weakref__"} and hasattr(value, name):
                held[name] = getattr(value, name)
    return held


def lacks(value: Any, form: Any, kind: Any) -> tuple[str, str] | None:
    """The path in a value with models, and why, of what is not in its JSON form; None where the form holds all of it.

    `kind` is what the form is read as: the class of a model, or what a parameter is declared as.
    """
    if why := next(_never(value, ""), None):
        return why
    found = [_first_difference(value, text, kind) for text in _without_computed(value, form)]
    return None if None in found else found[-1]


def holds_model(value: Any) -> bool:
    """Whether a list, a tuple, a dict or the value itself is or has a model of pydantic."""
    if isinstance(value, dict):
        return any(map(holds_model, value.values()))
    return any(map(holds_model, value)) if isinstance(value, list | tuple) else is_pydantic(value)


def _first_difference(value: Any, text: str, kind: Any) -> tuple[str, str] | None:
    try:
        return next(_differences(value, _read(kind, text), ""), None)
    except Exception:  # noqa: BLE001  # what a validator of the program's raises
        return "", "cannot be read back from its JSON form"


def _read(kind: Any, text: str) -> Any:
    """A value from its form, whose names are those of the fields unless the class has its aliases dumped."""
    read: Any = sys.modules["pydantic"].TypeAdapter(kind).validate_json
    takes_names = "by_name" in inspect.signature(read).parameters  # pydantic 2.11
    return read(text, **({"by_name": True, "by_alias": True} if takes_names else {}))


def _without_computed(value: Any, form: Any) -> Iterator[str]:
    """The form, and the form without computed fields, which a class may not take."""
    yield json.dumps(form)
    fewer = _fewer(value, form)
    if fewer != form and _is_within(fewer, form):
        yield json.dumps(fewer)


def _fewer(value: Any, form: Any) -> Any:
    if isinstance(value, dict):
        return {name: _fewer(member, form[name]) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return list(map(_fewer, value, form))
    return value.model_dump(mode="json", round_trip=True) if is_pydantic(value) else form


def _is_within(part: Any, whole: Any) -> bool:
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and _is_within(value, whole[name]) for name, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(_is_within, part, whole))
    return type(part) is type(whole) and bool(part == whole)


def _never(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """What no form can hold: a secret, an instant without a time zone, and what is not a finite number."""
    if isinstance(value, datetime) and value.utcoffset() is None:
        yield path, "is a datetime without a time zone; give it one, for example UTC"
    elif any(kind.__name__ in _SECRETS for kind in type(value).__mro__):
        yield path, "is a secret, which its JSON form hides"
    elif isinstance(value, float | Decimal) and not math.isfinite(value):
        yield path, f"is {value}, which has no JSON form: it is not a finite number"
    elif _is_held_whole(value):
        for step, member in _members(value):
            yield from _never(member, path + step)


def _differences(value: Any, back: Any, path: str) -> Iterator[tuple[str, str]]:
    if value is back:
        return
    if type(value) is not type(back):
        yield path, f"is a {type(value).__name__}, and its JSON form reads back as a {type(back).__name__}"
        return
    for name in _computed_once(value):
        getattr(back, name)
    members = list(_members(value))
    others = dict(_members(back))
    if not _is_held_whole(value):
        if not _is_alike(value, back):
            yield path, "holds something that its JSON form lacks"
    elif len(members) != len(others):
        yield path, "has a member that its JSON form lacks, or lacks one that it has"
    for step, member in members:
        if step not in others:
            yield path + step, "is not in its JSON form"
        else:
            yield from _differences(member, others[step], path + step)


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """What a value holds, by the step that leads to it."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield f"[{name!r}]", member
            yield f"[{name!r}] (the name)", name
    elif isinstance(value, list | tuple):
        yield from ((f"[{index}]", member) for index, member in enumerate(value))
    elif isinstance(value, set | frozenset):
        yield from ((f"[{member!r}]", member) for member in value)
    held = attributes(value)
    if is_pydantic(value):
        held = {name: member for name, member in held.items() if not name.startswith("__pydantic")}
        held |= (value.__pydantic_extra__ or {}) | (value.__pydantic_private__ or {})
    yield from ((f".{name}", member) for name, member in held.items())


def _computed_once(model: Any) -> Iterator[str]:
    """The `cached_property`s that a model has computed."""
    for kind in type(model).__mro__ if is_pydantic(model) else ():
        for name, one in vars(kind).items():
            if isinstance(one, cached_property) and name in vars(model):
                yield name


def _is_held_whole(value: Any) -> bool:
    """Whether its members are all that it is."""
    is_model = is_pydantic(value) or dataclasses.is_dataclass(value)
    return is_model or isinstance(value, dict | list | tuple | set | frozenset)


def _is_alike(value: Any, back: Any) -> bool:
    """Whether two values of one type are equal, to the last digit."""
    if isinstance(value, datetime | time):
        return bool(value.isoformat() == back.isoformat())
    try:
        return bool(value == back) and repr(value) == repr(back)
    except Exception:  # noqa: BLE001  # what a comparison of the program's raises, or one of arrays
        return False
