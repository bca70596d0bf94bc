"""What a caller could say instead of what a request says, one thing at a time. Pure.

A request is the object of its canonical form; beside it may stand `caller`, as policies see it. A variant need not be a
request that a server takes: who asks about it finds that out first.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

OTHER_TYPE, LEFT_OUT = "other type", "left out"
UNKNOWN = "unknown"
"""The name of a member that no policy reads, and the text of an item that no list has."""
VOUCHED = frozenset({"subject", "on_behalf_of", "caller"})
"""Members for which a caller's credential vouches: it names the caller and whom it may speak for."""
_PLAIN_KEY = re.compile(r"[^\W\d]\w*")
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,10})?")


ADDED = "added "
"""What the names of changes begin with that add a member."""
PLAIN: Mapping[str, Any] = {"added true": True, "added false": False, "added 1": 1, "added a text": UNKNOWN}
"""What is added for every member; a schema refuses what it does not take."""
LISTED = "added as a schema lists it"
CHANGES = (
    *(LEFT_OUT, OTHER_TYPE, "null", "true", "0", "-1", "empty list", "empty text", "a list of it"),
    *("blank around it", "other case", "one more member", *PLAIN, LISTED),
)
"""The names of all changes."""


class Variant(NamedTuple):
    """A request in which the value at `path` is changed. An item of a list has the path of its list with `[]` behind.

    `is_vouched`: a credential vouches for what was changed. `is_number`: a number took the place of another one.
    """

    path: str
    change: str
    request: Mapping[str, Any]
    is_vouched: bool
    is_number: bool


def variants(request: Mapping[str, Any]) -> Iterator[Variant]:
    """Every variant of a request. What lies deeper comes first; of one value, `left out` and then `other type` do."""
    for member in request:
        for path, change, changed, is_number in _within(request, member, member):
            yield Variant(path, change, changed, member in VOUCHED, is_number)


def _within(holder: Any, step: Any, path: str) -> Iterator[tuple[str, str, Any, bool]]:
    """The changes of all in `holder[step]` and of itself, each with the whole holder as it then is."""
    value = holder[step]
    for inner in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        beneath = path + ("[]" if isinstance(inner, int) else step_of(inner))
        for found, change, changed, is_number in _within(value, inner, beneath):
            yield found, change, _with(holder, step, changed), is_number
    yield path, LEFT_OUT, _without(holder, step), False
    for change, other in changes(value):
        yield path, change, _with(holder, step, other), _is_number(value) and _is_number(other)


def changes(value: Any) -> Iterator[tuple[str, Any]]:
    """Each change of a value, by its name, with what then stands in its place."""
    for change, other in _changes(value):
        if type(other) is not type(value) or other != value:
            yield change, other


def _changes(value: Any) -> Iterator[tuple[str, Any]]:
    for other in _other_types(value):
        yield OTHER_TYPE, other
    yield from (("null", None), ("true", True), ("0", 0), ("-1", -1))
    yield from (("empty list", []), ("empty text", ""), ("a list of it", [value]))
    if isinstance(value, str):
        yield "blank around it", f" {value} "
        yield from (("other case", other) for other in (value.upper(), value.lower()))
    elif isinstance(value, dict):
        yield "one more member", {**value, UNKNOWN: UNKNOWN}
    elif isinstance(value, list):
        yield "one more member", [*value, UNKNOWN]


def _other_types(value: Any) -> Iterator[Any]:
    """The value as another type: first as what it could be taken for, then as an object."""
    if isinstance(value, str):
        if _NUMBER.fullmatch(value):
            yield float(value) if "." in value else int(value)
    elif isinstance(value, dict):
        yield list(value.values())
    elif isinstance(value, list):
        yield from value[:1]
    elif value is not None:
        yield orjson.dumps(value).decode()
    if not isinstance(value, dict):
        yield {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _with(holder: Any, step: Any, value: Any) -> Any:
    if isinstance(holder, dict):
        return {**holder, step: value}
    return [*holder[:step], value, *holder[step + 1 :]]


def _without(holder: Any, step: Any) -> Any:
    if isinstance(holder, dict):
        return {key: value for key, value in holder.items() if key != step}
    return [*holder[:step], *holder[step + 1 :]]


def replaced(holder: Any, steps: Sequence[str | int], value: Any) -> Any:
    """`holder` with another value some steps into it."""
    if not steps:
        return value
    return _with(holder, steps[0], replaced(holder[steps[0]], steps[1:], value))


def step_of(key: str) -> str:
    """A step into an object, as paths write it."""
    return f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{orjson.dumps(key).decode()}]"
