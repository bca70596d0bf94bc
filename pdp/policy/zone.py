"""Finds the time zone "Local": what it says depends on the machine, so a decision could not be computed again."""

from collections.abc import Iterator, Mapping
from typing import Any

from pdp.policy.finding import Finding
from pdp.policy.module import Module
from pdp.policy.sources import Source

LOCAL = "Local"
_MEND = '"Local" is the time zone of the machine; name one, such as "UTC" or "Europe/Berlin"'


def local(module: Module) -> Iterator[Finding]:
    """A finding for each text "Local" in a module that asks for times."""
    found = [node for node in module.nodes if node.get("type") == "string" and node.get("value") == LOCAL]
    if found and any(_is_of_time(node) for node in module.nodes):
        yield from (module.finding(node, "local-zone", _MEND) for node in found)


def _is_of_time(node: Mapping[str, Any]) -> bool:
    match node:
        case {"type": "ref", "value": [{"type": "var", "value": "time"}, *_]}:
            return True
    return False


def local_data(source: Source, document: Any, key: str = "") -> Iterator[Finding]:
    """A finding for each zone in data that is "Local"."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from local_data(source, value, name)
    elif isinstance(document, list):
        for value in document:
            yield from local_data(source, value, key)
    elif document == LOCAL and ("zone" in key.lower() or "tz" in key.lower()):
        yield Finding(source.shown, 0, "local-zone", f"`{key}`: {_MEND}")
