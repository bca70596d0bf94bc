"""JSON from outside as exactly one value: limits first, and no name with two values in an object.

Twice the same value is one value: Spark's listener writes a facet twice. What stands in it may be anything else that
JSON allows: the parts of events that Placet does not read hold numbers beyond 2^53, and whole plans of queries.
"""

import json
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
_OTHERS = bytes(byte for byte in range(256) if byte not in b"[]{}:")
_BRACKETS = bytes.maketrans(b"{}", b"[]")


def loads(text: bytes) -> dict[str, Any]:
    """The members of one JSON object. Raises `InvalidRequest` for the path `event`, or a path in it."""
    if len(text) > MAX_BYTES:
        raise InvalidRequest.field("event", f"is larger than {MAX_BYTES} bytes; send it in parts, or leave facets out")
    members = _require_flat(text)
    try:
        value = orjson.loads(text)
    except ValueError:  # its errors quote what it read
        raise InvalidRequest.field("event", "is not JSON in UTF-8") from None
    if _marks(orjson.dumps(value)).count(b":") != members:  # of names that stand twice, one is left
        _require_equal(text)
    if type(value) is not dict:
        raise InvalidRequest.field("event", "is not a JSON object")
    return value


def canonical(members: dict[str, Any]) -> bytes:
    """One form for all ways to write the same members: names sorted, nothing between."""
    return orjson.dumps(members, option=orjson.OPT_SORT_KEYS)


def _require_flat(text: bytes) -> int:
    """The number of members. Raises `InvalidRequest` for deep nesting and for too many parts, before it is parsed."""
    marks = _marks(text)
    members = marks.count(b":")
    brackets = marks.translate(_BRACKETS, b":")
    if len(brackets) > 2 * MAX_PARTS:
        raise InvalidRequest.field("event", f"has more than {MAX_PARTS} objects and lists")
    for _ in range(MAX_NESTING):
        brackets = brackets.replace(b"[]", b"")  # the innermost level
    if b"[]" in brackets or brackets.count(b"[") > MAX_NESTING:
        raise InvalidRequest.field("event", f"nests deeper than {MAX_NESTING} levels")
    return members


def _marks(text: bytes) -> bytes:
    """The brackets and colons of a JSON text that stand in none of its strings: each colon is one member."""
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(text.split(b'"')[::2]).translate(None, _OTHERS)


def _require_equal(text: bytes) -> None:
    """Raises `InvalidRequest` with the path of a name that stands in its object with two values."""
    if path := _twice(json.loads(text, object_pairs_hook=tuple, parse_int=str.encode, parse_float=str.encode)):
        raise InvalidRequest.field(path, "stands in its object twice, with different values; send it once")


def _twice(value: Any) -> str:
    """The path of the first name that stands in its object with two values; empty where there is none."""
    if type(value) is list:
        found = ((f"[{place}]", path) for place, one in enumerate(value) if (path := _twice(one)))
        return joined(*next(found, ("", "")))
    if type(value) is not tuple:
        return ""
    seen = dict[str, Any]()
    for name, one in value:
        if seen.setdefault(name, one) != one:
            return step(name)
        if path := _twice(one):
            return joined(step(name), path)
    return ""
