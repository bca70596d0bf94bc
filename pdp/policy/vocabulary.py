"""The one table of the names in data that the core, the server and tools read, each with its shape."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from pdp.errors import SetupError
from pdp.policy.accepted import accepted
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


def _is_tags(value: Any) -> bool:
    return isinstance(value, dict) or _is_texts(value)


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
    "column_tags": Shape(_map_of(_map_of(_is_texts)), "write table -> column -> a list of tags"),
    "table_tags": Shape(_map_of(_is_texts), "write table -> a list of tags"),
    "tags": Shape(_is_tags, "write a list of tags, or an object with one key for each tag"),
    "unread": Shape(_is_texts, "write a list of names below `data`, such as `desk.notes`"),
    "policy_attack": ELSEWHERE,
}


def misshapen(source: Source, document: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each name of the table whose value nothing could read."""
    for name in NAMES.keys() & document.keys():
        if not NAMES[name].fits(document[name]):
            yield Finding(source.shown, 0, "wrong-shape", f"`data.{name}`: {NAMES[name].wanted}")
    try:
        accepted(document)
    except SetupError as error:
        yield Finding(source.shown, 0, "wrong-shape", error.sentence)
