"""What a person saw of a modal, as Slack sends it back with the click, in a form that is compared. Pure.

1. Every text, id, value and address counts, and every style, in their order. So does what we never send.
2. What Slack adds to what it was sent (its own ids, empty members, `emoji`, `verbatim`) does not.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import orjson

_SHOWN = ("type", "title", "submit", "close", "callback_id", "blocks")
"""Members of a modal that a person sees or that say what it is for."""
_ADDED = frozenset({"emoji", "verbatim", "multiline", "optional", "dispatch_action", "focus_on_load", "border"})
"""Members that Slack adds where they were left out; none of them is a word that people read."""


def rendered(view: Mapping[str, Any]) -> str:
    """The digest of what a modal shows, in hex."""
    shown = {name: view.get(name) for name in _SHOWN}
    return sha256(orjson.dumps(list(_facts(shown, "")))).hexdigest()


def _facts(part: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each text, number and true value with its path. What is empty or false is as if it were not there."""
    if isinstance(part, Mapping):
        for name in sorted(part):
            if name not in _ADDED:
                yield from _facts(part[name], f"{path}.{name}")
    elif isinstance(part, list):
        for index, one in enumerate(part):
            yield from _facts(one, f"{path}.{index}")
    elif part:
        yield path, part
