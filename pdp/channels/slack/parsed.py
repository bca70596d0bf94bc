"""What a person saw of a modal, as Slack sends it back with the click, in a form that is compared. Pure.

1. Every text, id, value and address counts, and every style, in their order. So does what we never send.
2. What Slack adds to what it was sent (its own ids, empty members, `emoji`, `verbatim`, when it would send events)
   does not.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import orjson

_SHOWN = ("type", "title", "submit", "close", "callback_id", "blocks")
"""Members of a modal that a person sees or that say what it is for."""
_ADDED = frozenset({"emoji", "verbatim", "multiline", "optional", "focus_on_load", "border"})
"""Members that Slack adds where they were left out; none of them is a word that people read."""


def rendered(view: Mapping[str, Any]) -> str:
    """The digest of what a modal shows, in hex."""
    shown = {name: view.get(name) for name in _SHOWN}
    return sha256(orjson.dumps(list(_facts(shown, "")))).hexdigest()


def came_back(view: Mapping[str, Any]) -> frozenset[str]:
    """The digests of what a modal shows that Slack sent back: as it is, and with its escapes undone.

    Slack writes `&`, `<` and `>` as entities in some texts that it sends back, and does not say in which. What a
    modal cannot hold has no digest.
    """
    try:
        return frozenset({rendered(view), rendered(_unescaped(view))})
    except (RecursionError, TypeError):
        return frozenset()


def _unescaped(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {name: _unescaped(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_unescaped(value) for value in part]
    return part.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") if isinstance(part, str) else part


def _facts(part: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each text, number and true value with its path. What is empty or false is as if it were not there."""
    if isinstance(part, Mapping):
        for name in sorted(part):
            if name not in _ADDED and not name.startswith("dispatch_action"):
                yield from _facts(part[name], f"{path}.{name}")
    elif isinstance(part, list):
        for index, one in enumerate(part):
            yield from _facts(one, f"{path}.{index}")
    elif part:
        yield path, part
