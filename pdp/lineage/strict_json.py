"""JSON from outside as exactly one value: limits first, and no name twice in an object.

What stands in it may be anything else that JSON allows: parts of events that nobody here reads hold statistics beyond
2^53, and plans.
"""

import json
import re
from itertools import accumulate
from typing import Any

import orjson

from pdp.bad_fields import joined, step
from pdp.errors import InvalidRequest

MAX_BYTES = 4 * 1024 * 1024
"""Bytes of one event: a limit of the contract."""
MAX_NESTING = 64
"""Levels of nesting in one event: a limit of the contract."""
MAX_PARTS = 250_000
"""Objects and lists of one event. Without names in them they are 3 bytes each, and 4 MiB of them take 2 s to read."""
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_OTHERS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_STEPS = [1 if byte in b"[{" else -1 for byte in range(256)]


class _Twice(Exception):
    """A name stands in its object twice."""


def loads(text: bytes) -> dict[str, Any]:
    """The members of one JSON object. Raises `InvalidRequest` for the path `event`, or a path in it."""
    if len(text) > MAX_BYTES:
        raise InvalidRequest.field("event", f"is larger than {MAX_BYTES} bytes; send it in parts, or leave facets out")
    _require_flat(text)
    try:
        value = orjson.loads(text)
        json.loads(text, object_pairs_hook=_once, parse_int=str, parse_float=str)
    except _Twice:
        raise InvalidRequest.field(_path_of_twice(text), "stands in its object twice; send it once") from None
    except ValueError:  # orjson's and json's errors quote what they read
        raise InvalidRequest.field("event", "is not JSON in UTF-8") from None
    if type(value) is not dict:
        raise InvalidRequest.field("event", "is not a JSON object")
    return value


def canonical(members: dict[str, Any]) -> bytes:
    """One form for all ways to write the same members: names sorted, nothing between."""
    return orjson.dumps(members, option=orjson.OPT_SORT_KEYS)


def _require_flat(text: bytes) -> None:
    """Raise `InvalidRequest` for deep nesting and for too many parts, before a parser reads them."""
    brackets = _TEXT.sub(b"", text).translate(None, _OTHERS)
    if len(brackets) > 2 * MAX_PARTS:
        raise InvalidRequest.field("event", f"has more than {MAX_PARTS} objects and lists")
    if max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > MAX_NESTING:
        raise InvalidRequest.field("event", f"nests deeper than {MAX_NESTING} levels")


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise _Twice


def _path_of_twice(text: bytes) -> str:
    return _twice(json.loads(text, object_pairs_hook=tuple, parse_int=str, parse_float=str)) or "event"


def _twice(value: Any) -> str:
    """The path of the first name that stands in its object twice; empty where all are different."""
    if type(value) is list:
        found = ((f"[{place}]", path) for place, one in enumerate(value) if (path := _twice(one)))
        return joined(*next(found, ("", "")))
    if type(value) is not tuple:
        return ""
    seen = set[str]()
    for name, one in value:
        if name in seen:
            return step(name)
        seen.add(name)
        if path := _twice(one):
            return joined(step(name), path)
    return ""
