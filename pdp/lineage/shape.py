"""Parts of JSON that somebody else wrote, each of one shape. `InvalidRequest` names the path of what is not."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pdp.errors import InvalidRequest

MAX_NAME_BYTES = 1024
"""Bytes of a name of a dataset, a column, a job or a run: a limit of the contract."""
MAX_COLUMNS = 10_000
"""Columns of one dataset in an event: a limit of the contract."""
MAX_DATASETS = 1000
"""Different datasets that one event names: a limit of the contract."""
MAX_EDGES = 200_000
"""Edges of one event: a limit of the contract."""
MAX_TAGS = 64
"""Tags of one column in an event: a limit of the contract."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class OverLimit(InvalidRequest):
    """The event is larger in one respect than any event may be. It is refused as a whole, wherever that is."""


def within(count: int, most: int, path: str, what: str) -> None:
    """Raise `OverLimit` for more than `most`."""
    if count > most:
        raise OverLimit.field(path, f"has more than {most} {what}")


def mapping(value: Any, path: str) -> Mapping[str, Any]:
    """An object."""
    if type(value) is not dict:
        raise InvalidRequest.field(path, "is not an object")
    return value


def member(members: Mapping[str, Any], name: str, path: str) -> Mapping[str, Any]:
    """An object in an object; an empty one where it is missing."""
    value = members.get(name)
    return {} if value is None else mapping(value, f"{path}{name}")


def objects(members: Mapping[str, Any], name: str, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects of a list in an object, each with its path; none where the list is missing."""
    value = members.get(name)
    for place, one in enumerate(() if value is None else sequence(value, f"{path}{name}")):
        yield (inner := f"{path}{name}[{place}]"), mapping(one, inner)


def sequence(value: Any, path: str) -> Sequence[Any]:
    """A list."""
    if type(value) is not list:
        raise InvalidRequest.field(path, "is not a list")
    return value


def text(members: Mapping[str, Any], name: str, path: str) -> str:
    """A text in an object, which is a name and so neither missing nor empty."""
    value = members.get(name)
    if type(value) is not str or not value:
        raise InvalidRequest.field(f"{path}.{name}", "is required" if not value else "is not a text")
    return sized(value, f"{path}.{name}")


def plain(members: Mapping[str, Any], name: str, path: str) -> str:
    """The same without control characters."""
    value = text(members, name, path)
    if _CONTROL.search(value):
        raise InvalidRequest.field(f"{path}.{name}", "contains a control character")
    return value


def sized(value: str, path: str) -> str:
    """A name, unless it is too long: then raises `OverLimit`."""
    if len(value) > MAX_NAME_BYTES or len(value.encode()) > MAX_NAME_BYTES:
        raise OverLimit.field(path, f"is longer than {MAX_NAME_BYTES} bytes")
    return value
