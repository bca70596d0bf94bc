"""Finds entries that can vanish: a rule with an undefined head adds nothing; a lost requirement becomes an allow."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pdp.policy.asked import request
from pdp.policy.finding import Finding
from pdp.policy.module import Module, Node
from pdp.policy.reference import Path, written
from pdp.policy.schema import Schemas, promises

HARMLESS = {"allow"}
"""The sets whose entries may vanish, because a lost entry allows nothing."""

COMPREHENSIONS = {"arraycomprehension", "setcomprehension", "objectcomprehension"}
"""An undefined value inside a comprehension leaves it empty, not undefined."""

INPUT = request(Schemas())


def droppable(module: Module, rules: Iterable[Path], data: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each head that reads a value which a request or the data may lack."""
    for rule in module.rules if module.package == ("policy",) else ():
        if rule["head"]["ref"][0]["value"] in HARMLESS:
            continue
        for node in _read(rule["head"].get("key", {})):
            path = written(module, node)
            if not _is_certain(path, len(path) == len(node["value"]), rules, data):
                name = ".".join(path)
                sentence = f"without `{name}` this rule is dropped; read it by `object.get` with a default"
                yield module.finding(node, "droppable-entry", sentence)


def _read(term: Any) -> Iterator[Node]:
    """The references in a term that must all be defined for the term to be defined."""
    match term:
        case {"type": kind} if kind in COMPREHENSIONS:
            return
        case {"type": "ref"}:
            yield term
        case {"type": "call", "value": [_, *arguments]}:
            yield from _read(arguments)
        case {"value": list(parts)} | list(parts):
            for part in parts:
                yield from _read(part)


def _is_certain(path: Path, whole: bool, rules: Iterable[Path], data: Mapping[str, Any]) -> bool:  # noqa: FBT001
    if path[:1] == ("input",):
        return whole and promises(INPUT, path[1:])
    if path[:1] != ("data",) or any(path[: len(rule)] == rule for rule in rules):
        return True
    return whole and _holds(data, path[1:])


def _holds(document: Any, path: Path) -> bool:
    for step in path:
        if not isinstance(document, dict) or step not in document:
            return False
        document = document[step]
    return True
