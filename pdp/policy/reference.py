"""Finds references to names that do not exist: such a name is undefined in Rego, and `not undefined` is true."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Any, TypeAlias

from pdp.policy.entry import literal
from pdp.policy.finding import Finding
from pdp.policy.module import Module, Node, nodes
from pdp.policy.schema import CONTEXTS, RESOURCES, Schemas, knows, request

Path = tuple[str, ...]
"""The steps of a reference; the first is `data` or `input`."""

Definitions: TypeAlias = Mapping[Path, Sequence[tuple[Module, Node]]]
"""Each rule and function with its module, by path; those of one path answer for one another."""

OPTIONAL = {"column_tags", "domains", "groups", "identities"}
"""Data that a policy need not have; the core works without it."""

PROPERTIES = ("input", "resource", "properties")
TYPE = ("input", "resource", "type")
CONTEXT = ("input", "context")
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


def unknown_attributes(module: Module, schemas: Schemas) -> Iterator[Finding]:
    """A finding for what OPA's type check misses: `object.get` of an unknown name, a kind without a schema."""
    shape = request(schemas)
    for node in nodes(module.rules):
        path = _got(module, node)
        if path[:1] == ("input",) and not knows(shape, path[1:]):
            name = ".".join(path)
            sentence = f"no request has `{name}`; mend the name, or add it to the schema of its resource type or action"
            yield module.finding(node, "unknown-attribute", sentence)
    for folder, kinds, path, read in (
        (RESOURCES, schemas.resources, TYPE, PROPERTIES),
        (CONTEXTS, schemas.contexts, ACTION, CONTEXT),
    ):
        if kinds:
            yield from _unlisted(module, f"{folder}/{{}}.json", kinds, path, read)


def _got(module: Module, node: Node) -> Path:
    """The path that a call of `object.get` reads, as far as it is written out."""
    match node.get("value", node.get("terms")):
        case [{"value": [{"value": "object"}, {"value": "get"}]}, base, key, _]:
            steps = literal(key)
            steps = steps if isinstance(steps, list) else [steps]
            known = [step for step in steps if isinstance(step, str)]
            return (*written(module, base), *known) if known == steps else ()
    return ()


def _unlisted(module: Module, file: str, listed: Container[str], kind: Path, read: Path) -> Iterator[Finding]:
    """A finding for each rule that reads below `read` for a name in `kind` that has no schema."""
    for rule in module.rules:
        if not any(written(module, node)[: len(read)] == read for node in nodes(rule) if node.get("type") == "ref"):
            continue
        for node, name in compared(module, rule, kind):
            if name not in listed:
                sentence = f"add {file.format(name)}: this rule reads {read[-1]} of `{name}`"
                yield module.finding(node, "missing-schema", sentence)


def compared(module: Module, rule: Node, path: Path) -> Iterator[tuple[Node, str]]:
    """Each comparison of `path` with a text that the rule writes out, with the text."""
    for node in nodes(rule):
        match node.get("terms"):
            case [{"value": [{"value": "equal"}]}, left, right]:
                for one, other in ((left, right), (right, left)):
                    if one["type"] == "ref" and written(module, one) == path and other["type"] == "string":
                        yield node, other["value"]
