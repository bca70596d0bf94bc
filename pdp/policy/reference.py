"""Finds references to names that do not exist: such a name is undefined in Rego, and `not undefined` is true."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pdp.policy.finding import Finding
from pdp.policy.module import SETS, Module, Node, is_contains, nodes

Path = tuple[str, ...]
"""The steps of a reference; the first is `data` or `input`."""

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


def definitions(everything: Iterable[Module]) -> frozenset[Path]:
    """The paths of all rules and functions."""
    return frozenset(
        ("data", *module.package, rule["head"]["ref"][0]["value"]) for module in everything for rule in module.rules
    )


def unknown_data(module: Module, rules: Iterable[Path], data: Mapping[str, Any]) -> Iterator[Finding]:
    """A finding for each reference to a rule, function or data that no file holds."""
    for node in nodes(module.rules):
        if node.get("type") != "ref":
            continue
        path = written(module, node)
        if path[:1] == ("data",) and not _leads_somewhere(path, rules, data):
            name = ".".join(path)
            sentence = f"no rule and no data is called `{name}`; mend the name, or add what it names"
            yield module.finding(node, "unknown-reference", sentence)


def _leads_somewhere(path: Path, rules: Iterable[Path], data: Mapping[str, Any]) -> bool:
    if len(path) == 1 or path[1] in data or path[1] in OPTIONAL:
        return True
    return any(path[: len(rule)] == rule[: len(path)] for rule in rules)


def unread_sets(module: Module, read: frozenset[Path]) -> Iterator[Finding]:
    """A finding for each of the five sets in a package that no module reads, such as a misspelt `package policy`."""
    if module.package[0] == "policy" or module.package in read:
        return
    for rule in module.rules:
        if rule["head"]["ref"][0]["value"] in SETS and is_contains(rule):
            sentence = f"nothing reads package `{'.'.join(module.package)}`; write `package policy`"
            yield module.finding(rule, "misspelt-package", sentence)


def packages(everything: Iterable[Module]) -> frozenset[Path]:
    """Every package that a module may refer to: all beginnings of all references, also those that are not packages."""
    paths = {
        written(module, node) for module in everything for node in nodes(module.rules) if node.get("type") == "ref"
    }
    return frozenset(path[1:length] for path in paths for length in range(2, len(path) + 1))
