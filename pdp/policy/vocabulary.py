"""The one table of the names in data that the core, the server and tools read, each with its shape."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from pdp.errors import SetupError
from pdp.policy.accepted import accepted
from pdp.policy.contact import SENTENCE, is_contacts
from pdp.policy.finding import Finding
from pdp.policy.sources import Source


class Shape(NamedTuple):
    """Whether a value fits, and what to write if it does not."""

    fits: Callable[[Any], bool]
    wanted: str


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _list_of(inner: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(inner, value))


def _map_of(inner: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(map(inner, value.values()))


_TRAVELS: Mapping[str, Callable[[Any], bool]] = {
    "propagate": lambda value: isinstance(value, bool),
    "on_mask": lambda value: value == "stop",
    "indirect": lambda value: value == "carry",
    "description": _is_text,
}
"""What a declared tag may say of how it travels."""
_TAG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def _is_column_tags(value: Any) -> bool:
    """As many columns of a table, and tags of a column, as lineage takes."""
    if not _map_of(_map_of(_is_texts))(value):
        return False
    return all(
        len(columns) <= _COLUMNS and all(len(tags) <= _COLUMN_TAGS for tags in columns.values())
        for columns in value.values()
    )


_COLUMNS, _COLUMN_TAGS, _ALL_TAGS = 10_000, 64, 1024


def _tags_of(document: Mapping[str, Any]) -> set[str]:
    """All tags that data has, where it has the shape."""
    found = set[str]()
    if NAMES["column_tags"].fits(columns := document.get("column_tags", {})):
        found.update(tag for table in columns.values() for tags in table.values() for tag in tags)
    if NAMES["table_tags"].fits(tables := document.get("table_tags", {})):
        found.update(tag for tags in tables.values() for tag in tags)
    return found


def _is_tags(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_declared, value.items()))
    return _is_texts(value)


def _is_declared(tag: tuple[str, Any]) -> bool:
    """Whether it is a text that describes a tag, or says how the tag travels; `unclassified` is the server's own."""
    name, declared = tag
    if _is_text(declared) or declared == {}:
        return name != _UNCLASSIFIED
    is_name = bool(_TAG.fullmatch(name)) and name != _UNCLASSIFIED
    return (
        is_name
        and isinstance(declared, dict)
        and all(key in _TRAVELS and _TRAVELS[key](value) for key, value in declared.items())
    )


_UNCLASSIFIED = "unclassified"


def _is_unclassified(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != {"actions", "asks_from"}:
        return False
    return _is_texts(value["actions"]) and isinstance(value["asks_from"], str) and _is_instant(value["asks_from"])


def _is_instant(text: str) -> bool:
    """Whether OPA reads it as a time: RFC 3339, in the years that nanoseconds reach."""
    try:
        return bool(_INSTANT.fullmatch(text)) and _FIRST_YEAR < datetime.fromisoformat(text).year < _LAST_YEAR
    except ValueError:
        return False


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")
_FIRST_YEAR, _LAST_YEAR = 1677, 2262


def _is_anything(_: Any) -> bool:
    return True


_is_texts = _list_of(_is_text)
ELSEWHERE = Shape(_is_anything, "")
"""Names whose shape `data`, `masks`, `candidates` and `accepted` check, with a sentence for each fault."""
NAMES: Mapping[str, Shape] = {
    "identities": ELSEWHERE,
    "groups": ELSEWHERE,
    "domains": ELSEWHERE,
    "search": ELSEWHERE,
    "contacts": Shape(is_contacts, SENTENCE),
    "column_tags": Shape(
        _is_column_tags, "write table -> column -> a list of tags, at most 10,000 columns and 64 tags of each"
    ),
    "table_tags": Shape(_map_of(_is_texts), "write table -> a list of tags"),
    "tags": Shape(
        _is_tags,
        "write a list of tags, or an object with one key for each tag and what it says of how that tag travels: "
        '`"propagate": false`, `"on_mask": "stop"`, `"indirect": "carry"`',
    ),
    "unclassified": Shape(
        _is_unclassified, 'write `{"actions": ["export", "share"], "asks_from": "2027-01-01T00:00:00Z"}`'
    ),
    "unread": Shape(_is_texts, "write a list of names below `data`, such as `desk.notes`"),
    "policy_attack": ELSEWHERE,
}


READ_BY_RULES = frozenset({"unclassified"})
"""Names of the table that rules read. One that no rule reads counts for nothing."""


def misshapen(source: Source, document: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each name of the table whose value nothing could read."""
    for name in NAMES.keys() & document.keys():
        if not NAMES[name].fits(document[name]):
            yield Finding(source.shown, 0, "wrong-shape", f"`data.{name}`: {NAMES[name].wanted}")
    if (count := len(_tags_of(document))) > _ALL_TAGS:
        sentence = f"`data.column_tags` and `data.table_tags` have {count} different tags; write at most {_ALL_TAGS:,}"
        yield Finding(source.shown, 0, "wrong-shape", sentence)
    try:
        accepted(document)
    except SetupError as error:
        yield Finding(source.shown, 0, "wrong-shape", error.sentence)
