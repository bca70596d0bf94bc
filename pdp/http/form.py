"""Reads what a browser sends in a form, in a query and in its cookies: strictly, each name once."""

import re
from collections.abc import Collection, Mapping, Sequence
from urllib.parse import unquote_to_bytes

from pdp.errors import InvalidRequest

MOST_FIELDS = 1000
"""Fields of a form: more than the largest form of ours has."""
FIELD = "form"
"""The field that carries the session's token."""
_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


def pairs(text: bytes, where: str) -> Sequence[tuple[str, str]]:
    """The fields of `application/x-www-form-urlencoded`, in their order. Raises `InvalidRequest` that names `where`."""
    parts = text.split(b"&") if text else []
    if len(parts) > MOST_FIELDS:
        raise InvalidRequest.field(where, f"has more than {MOST_FIELDS} fields")
    return [_pair(part, where) for part in parts]


def once(found: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """The fields by name. Raises `InvalidRequest` where one stands twice."""
    members = dict(found)
    if len(members) < len(found):
        names = [name for name, _ in found]
        raise InvalidRequest.fields([(name, "stands twice") for name in members if names.count(name) > 1])
    return members


def exactly(
    found: Mapping[str, str], wanted: Collection[str], others: re.Pattern[str] | None = None
) -> Mapping[str, str]:
    """The fields, if they are these; those that match `others` may be there, too.

    Raises `InvalidRequest` that names each that is missing or unknown.
    """
    missing = [(name, "is required") for name in wanted if name not in found]
    unknown = [
        (name, "is not a field of this form")
        for name in found
        if name not in wanted and not (others and others.fullmatch(name))
    ]
    if bad := missing + unknown:
        raise InvalidRequest.fields(bad)
    return found


def cookies(sent: Sequence[str]) -> Mapping[str, str]:
    """The cookies of a request. One that stands twice is none: nobody can say which of them is meant."""
    found: dict[str, list[str]] = {}
    for part in ";".join(sent).split(";"):
        name, equals, value = part.strip().partition("=")
        if equals:
            found.setdefault(name, []).append(value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def words(text: bytes, names: Collection[str]) -> Mapping[str, str]:
    """What was typed into the fields of these names, as far as it can be read."""
    found = (part.partition(b"=") for part in text.split(b"&", MOST_FIELDS)[:MOST_FIELDS])
    read = ((_lenient(name), _lenient(value)) for name, _, value in found)
    return {name: value for name, value in read if name in names}


def _pair(part: bytes, where: str) -> tuple[str, str]:
    name, _, value = part.partition(b"=")
    known = _text(name, where)
    return known, _text(value, known)


def _lenient(raw: bytes) -> str:
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode(errors="replace")


def _text(raw: bytes, where: str) -> str:
    bad = InvalidRequest.field(where, "is not percent-encoded UTF-8")
    if not raw.isascii() or _ESCAPE.search(raw):
        raise bad
    try:
        return unquote_to_bytes(raw.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise bad from None
