"""Finds references to names that do not exist: such a name is undefined in Rego, and `not undefined` is true."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, TypeAlias

from pdp.policy.finding import Finding
from pdp.policy.module import Module, Node, nodes
from pdp.policy.near import near

Path = tuple[str, ...]
"""The steps of a reference; the first is `data` or `input`."""

Definitions: TypeAlias = Mapping[Path, Sequence[tuple[Module, Node]]]
"""Each rule and function with its module, by path; those of one path answer for one another."""

OPTIONAL = {"column_tags", "domains", "groups", "identities"}
"""Data that a policy need not have; the core works without it."""

TYPE = ("input", "resource", "type")
ACTION = ("input", "action", "name")


def written(module: Module, node: Node) -> Path:
    """The part of a reference that is written out, with imports resolved: `roles[x]` gives `data.roles`."""
    parts = node["value"] if node.get("type") == "ref" else [node]
    steps = list(module.names.get(parts[0]["value"], ()) if parts[0]["type"] == "var" else ())
    for part in parts[1:] if steps else ():
        if part["type"] != "string":
            break
        steps.append(part["value"])
    return tuple(steps)


def resolved(module: Module, parts: Sequence[Node], rules: Container[Path]) -> tuple[Path, int]:
    """The path from `data` or `input` that a reference leads to, as far as it is written out, and its parts so far.

    Rules of the module's own package are found, too. No path stands for a variable or a builtin.
    """
    first = str(parts[0].get("value"))
    own = ("data", *module.package, first)
    start = module.names.get(first, own if own in rules else ())
    if start[:1] not in {("data",), ("input",)}:
        return (), 0
    steps = [part["value"] for part in takewhile(lambda part: part["type"] == "string", parts[1:])]
    return (*start, *steps), 1 + len(steps)


def definitions(everything: Iterable[Module]) -> Definitions:
    """The rules and functions outside tests, by their paths."""
    found: dict[Path, list[tuple[Module, Node]]] = {}
    for module in everything:
        for rule in module.rules if not module.source.is_test else ():
            found.setdefault(("data", *module.package, rule["head"]["ref"][0]["value"]), []).append((module, rule))
    return found


def unknown_data(module: Module, rules: Iterable[Path], data: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each reference to a rule, function or data that no file holds."""
    for node, path in lost(module, rules, data):
        name = ".".join(path)
        close = near(path[1], {*data, *(rule[1] for rule in rules)})
        meant = f"is `data.{close}` meant? " if close else ""
        sentence = f"no rule and no data is called `{name}`; {meant}mend the name, or add what it names"
        yield module.finding(node, "unknown-reference", sentence)


def lost(module: Module, rules: Iterable[Path], data: Mapping[str, Any]) -> Iterator[tuple[Node, Path]]:
    """Each reference to a rule, function or data that no file holds, with its path."""
    for node in module.nodes:
        path = written(module, node) if node.get("type") == "ref" else ()
        if path[:1] == ("data",) and not _leads_somewhere(path, rules, data):
            yield node, path


def _leads_somewhere(path: Path, rules: Iterable[Path], data: Mapping[str, Any]) -> bool:
    if len(path) == 1 or path[1] in data or path[1] in OPTIONAL:
        return True
    return any(path[: len(rule)] == rule[: len(path)] for rule in rules)


def compared(module: Module, rule: Node, path: Path) -> Iterator[tuple[Node, str]]:
    """Each comparison of `path` with a text that the rule writes out, with the text."""
    for node in nodes(rule):
        match node.get("terms"):
            case [{"value": [{"value": "equal"}]}, left, right]:
                for one, other in ((left, right), (right, left)):
                    if one["type"] == "ref" and written(module, one) == path and other["type"] == "string":
                        yield node, other["value"]
