"""Python values in the forms in which they travel as JSON; the documents list them.

| value | form |
|---|---|
| None, bool, int, float, str | as it is |
| list, tuple, dict with names of text | the same of its values |
| datetime with a time zone, date | RFC 3339, in UTC with `Z` |
| UUID, Path, Decimal | its text |
| Enum | its value |
| a pydantic model | `model_dump(mode="json")`, if that holds all of it |
| an integer of numpy | the integer |

What holds more than its form, such as text with attributes of its own, has none: see `hidden_state`.
"""

import json
import math
import sys
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pdp.client.hidden_state import attributes, is_pydantic, lacks
from pdp.text import Text

_DEEPEST = 64
"""Levels that are looked at: twice what a request may have. A list that holds itself has no end."""


class NoJsonForm(ValueError):
    """A value that JSON has no form for; `path` says where it is."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} {why}")
        self.path, self.why = path, why


def json_value(value: Any, path: str, depth: int = 0) -> Any:
    """The form of a value. Raises `NoJsonForm` with the path of what has none."""
    if depth > _DEEPEST:
        raise NoJsonForm(path, f"is more than {_DEEPEST} levels deep")
    if isinstance(value, Enum):
        return _of_enum(value, path, depth)
    if hidden := [] if is_pydantic(value) else list(attributes(value)):
        raise _has_none(value, path, hidden)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | Decimal):
        return _number(value, path)
    if isinstance(value, list | tuple):
        return [json_value(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return _members(value, path, depth)
    return _scalar(value, path, depth)


def _scalar(value: Any, path: str, depth: int) -> Any:
    if isinstance(value, datetime):
        return _instant(value, path)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | PurePath):
        return Text(value)
    if is_pydantic(value):
        return _of_model(value, path, depth)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.integer) and not isinstance(value, numpy.timedelta64):
        return int(value)
    raise _has_none(value, path, [])


def _has_none(value: Any, path: str, hidden: list[str]) -> NoJsonForm:
    kind = type(value).__name__
    if hidden and isinstance(value, bool | int | float | str | list | tuple | dict | date | Decimal | UUID | PurePath):
        return NoJsonForm(path, f"is a {kind} with attributes that its JSON form lacks: {', '.join(hidden)}")
    return NoJsonForm(path, f"is a value of type {kind}, which has no JSON form")


def _of_enum(value: Enum, path: str, depth: int) -> Any:
    if twin := _twins(type(value)).get(value.name or ""):
        raise NoJsonForm(path, f"is {value!s}, which has the same JSON form as {twin}")
    inner = json_value(value.value, path, depth + 1)
    return Text(inner) if isinstance(inner, str) else inner


@lru_cache(maxsize=128)
def _twins(kind: type[Enum]) -> dict[str, str]:
    """The members of an Enum that share their form with another one, by name."""
    forms, twins = dict[str, Enum](), dict[str, str]()
    for member in kind:
        try:
            form = json.dumps(json_value(member.value, ""), sort_keys=True)
        except NoJsonForm:
            continue
        other = forms.setdefault(form, member)
        if other is not member:
            twins |= {member.name: str(other), other.name: str(member)}
    return twins


def _of_model(model: Any, path: str, depth: int) -> Any:
    try:
        form = model.model_dump(mode="json")
        found = lacks(model, form, type(model))
    except (ValueError, RecursionError):
        raise NoJsonForm(path, f"is a {type(model).__name__} that cannot be dumped as JSON") from None
    if found:
        raise NoJsonForm(path + found[0], found[1])
    return json_value(form, path, depth + 1)


def _number(value: float | Decimal, path: str) -> Any:
    if not math.isfinite(value):
        raise NoJsonForm(path, f"is {value}, which has no JSON form: it is not a finite number")
    return str(value) if isinstance(value, Decimal) else value


def _members(value: dict[Any, Any], path: str, depth: int) -> dict[str, Any]:
    members = {_name(name, path): json_value(item, f"{path}.{name}", depth + 1) for name, item in value.items()}
    if len(members) != len(value):
        raise NoJsonForm(path, "has two names that are one text")
    return members


def _instant(value: datetime, path: str) -> str:
    if value.utcoffset() is None:
        raise NoJsonForm(path, "is a datetime without a time zone; give it one, for example UTC")
    text = value.isoformat()
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _name(name: object, path: str) -> str:
    if not isinstance(name, str):
        raise NoJsonForm(path, f"has a name of type {type(name).__name__}; names are text in JSON")
    if hidden := attributes(name):
        raise _has_none(name, f"{path}.{name}", list(hidden))
    return str.__str__(name)  # of a class of the program's, too
