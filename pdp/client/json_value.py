"""Python values in the forms in which they travel as JSON; the documents list them.

| value | form |
|---|---|
| None, bool, int, float, str | as it is |
| list, tuple, dict with names of text | the same of its values |
| datetime with a time zone, date | RFC 3339, in UTC with `Z` |
| UUID, Path, Decimal | its text |
| Enum | its value |
| a pydantic model | `model_dump(mode="json")` |
| an integer of numpy | the integer |
"""

import sys
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

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
        inner = json_value(value.value, path, depth + 1)
        return Text(inner) if isinstance(inner, str) else inner
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [json_value(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {_name(name, path): json_value(item, f"{path}.{name}", depth + 1) for name, item in value.items()}
    return _scalar(value, path, depth)


def is_pydantic(value: Any) -> bool:
    """Whether it is a model of pydantic, which nobody has who has not imported it."""
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(value, pydantic.BaseModel)


def _scalar(value: Any, path: str, depth: int) -> Any:
    if isinstance(value, datetime):
        return _instant(value, path)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | PurePath):
        return Text(value)
    if isinstance(value, Decimal) and value.is_finite():
        return str(value)
    if is_pydantic(value):
        return json_value(value.model_dump(mode="json"), path, depth + 1)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.integer):
        return int(value)
    raise NoJsonForm(path, f"is a value of type {type(value).__name__}, which has no JSON form")


def _instant(value: datetime, path: str) -> str:
    if value.utcoffset() is None:
        raise NoJsonForm(path, "is a datetime without a time zone; give it one, for example UTC")
    text = value.isoformat()
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def _name(name: object, path: str) -> str:
    if not isinstance(name, str):
        raise NoJsonForm(path, f"has a name of type {type(name).__name__}; names are text in JSON")
    return name.value if isinstance(name, Enum) else name
