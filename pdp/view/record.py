"""A record of the log as people are shown it: each value that is stored, with its path, in the order of the bytes."""

import json
from collections.abc import Iterator
from typing import Any

from pdp.view.leaf import Leaf, Steps
from pdp.view.theirs import Theirs


class _Number(str):
    """A number as it is written: none is rounded on its way to a reader."""

    __slots__ = ()


class _Members(tuple[tuple[str, Any], ...]):
    """The members of an object as they are written, one that is there twice among them."""

    __slots__ = ()


def leaves(part: str, stored: bytes) -> tuple[Leaf, ...]:
    """What stored JSON says. What is damaged is one leaf, the text as it is; of nothing there are none."""
    if not stored:
        return ()
    try:
        return tuple(_of(part, (), _parsed(stored.decode())))
    except (ValueError, RecursionError):
        return (Leaf(Theirs(part), part, (), Theirs(stored.decode(errors="backslashreplace"))),)


def _parsed(text: str) -> Any:
    as_written: dict[str, Any] = dict.fromkeys(("parse_int", "parse_float", "parse_constant"), _Number)
    return json.loads(text, object_pairs_hook=_Members, **as_written)


def _of(part: str, steps: Steps, value: Any) -> Iterator[Leaf]:
    if isinstance(value, _Members) and value:
        for key, member in value:
            yield from _of(part, (*steps, Theirs(key)), member)
    elif isinstance(value, list) and value:
        for index, member in enumerate(value):
            yield from _of(part, (*steps, index), member)
    else:
        yield Leaf(Theirs(part), part, steps, _text(value))


def _text(value: Any) -> Theirs | str:
    if isinstance(value, str):
        return str(value) if isinstance(value, _Number) else Theirs(value)
    if isinstance(value, _Members):
        return "{}"
    return json.dumps(value)
