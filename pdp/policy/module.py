"""A Rego module as OPA parses it: its package, rules and imports, and the faults that its syntax shows."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import orjson

from pdp.errors import SetupError
from pdp.policy.entry import falling_back, faults, literal
from pdp.policy.finding import Finding
from pdp.policy.sources import CORE, Source, staged
from pdp.policy.stock import run
from pdp.policy.trees import trees

Node = Mapping[str, Any]
"""A part of OPA's syntax tree."""
_INNER = (dict, list)

SETS = ("deny", "needs_approval", "allow", "obligation", "mask")
"""The five sets that authors add to."""


@dataclass(frozen=True)
class Module:
    """A source with its syntax tree."""

    source: Source
    tree: Node
    read: list[Any] = field(default_factory=list, compare=False)
    """What `reading` found in it, for all that ask."""

    @cached_property
    def package(self) -> tuple[str, ...]:
        """The package's path below `data`."""
        return tuple(part["value"] for part in self.tree["package"]["path"][1:])

    @property
    def rules(self) -> Sequence[Node]:
        """The rules in the order of the file."""
        rules: Sequence[Node] = self.tree.get("rules", [])
        return rules

    @cached_property
    def nodes(self) -> Sequence[Node]:
        """Every node of the rules, outermost first. Many checks look through them."""
        return list(nodes(self.rules))

    @cached_property
    def names(self) -> Mapping[str, tuple[str, ...]]:
        """The names that the module gives to imported documents: name -> path from `data` or `input`."""
        names = {"data": ("data",), "input": ("input",)}
        for node in self.tree.get("imports", []):
            path = tuple(part["value"] for part in node["path"]["value"])
            names[node.get("alias", path[-1])] = path
        return names

    def finding(self, node: Node, rule: str, sentence: str) -> Finding:
        """A finding at `node`."""
        return Finding(self.source.shown, node["location"]["row"], rule, sentence)


def modules(opa: Path, sources: Iterable[Source]) -> list[Module]:
    """Every module that can be parsed; `opa check` reports the others."""
    return [Module(source, tree) for source, tree in _TREES.of(opa, sources) if tree is not None]


class _Trees:
    """The trees of the last sources, as most of them are there again after an edit."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, Source], Node | None] = {}

    def of(self, opa: Path, sources: Iterable[Source]) -> list[tuple[Source, Node | None]]:
        """Each module's source with its tree; None where it is not Rego."""
        rego, known = [source for source in sources if source.is_rego], self._known
        fresh = [source for source in rego if (opa, source) not in known]
        made = trees(opa, fresh, lambda source: _tree(opa, source))
        found = {source: made[source] if source in made else known[opa, source] for source in rego}
        self._known = {(opa, source): tree for source, tree in found.items()}
        return list(found.items())


_TREES = _Trees()


@lru_cache(maxsize=4096)
def _tree(opa: Path, source: Source) -> Node | None:
    with staged([source]) as folder:
        done = run(opa, "parse", source.name, "-f", "json", "--json-include", "locations,-comments", folder=folder)
    if done.returncode:
        return None
    try:
        tree: Node = orjson.loads(done.stdout)
    except ValueError as error:
        raise SetupError(f"{source.shown}: a number is too large to be compared; write one below 1e300") from error
    return tree


def inspect(module: Module) -> Iterator[Finding]:
    """A finding for each fault in one module of an author."""
    root, node = module.package[0], module.tree["package"]
    if root in {CORE, "system"}:
        sentence = f"package `{root}` is not yours; write `package policy` or `package lib.…`"
        yield module.finding(node, "reserved-package", sentence)
    elif root == "policy" and len(module.package) > 1:
        sentence = "nothing reads a package below `policy`; write `package policy`"
        yield module.finding(node, "nested-package", sentence)
    elif root == "policy" and not module.source.is_test:
        for rule in module.rules:
            yield from _rule(module, rule)


def _rule(module: Module, rule: Node) -> Iterator[Finding]:
    name = rule["head"]["ref"][0]["value"]
    if name not in SETS:
        yield module.finding(rule, "misspelt-set", _misspelt(name))
    elif not is_contains(rule):
        yield module.finding(rule, "not-a-set", f"write `{name} contains {{…}} if {{…}}`; only sets are read")
    else:
        found = list(faults(name, entry_of(rule)))
        for fault, sentence in found:
            yield module.finding(rule["head"], fault, sentence)
        for fault, sentence in faults(name, literal(falling_back(_entry(rule)))):
            if (fault, sentence) not in found:
                yield module.finding(rule["head"], fault, f"in the default of `object.get`, {sentence}")


def _misspelt(name: str) -> str:
    near = difflib.get_close_matches(name, SETS, n=1)
    meant = f"write `{near[0]}`" if near else f"the sets are {', '.join(SETS)}"
    helper = f"if it is a helper, move it to a file with `package lib.helpers` and read `data.lib.helpers.{name}`"
    return f"`package policy` has only the five sets, so `{name}` there decides nothing; {meant}; {helper}"


def is_contains(rule: Node) -> bool:
    """Whether the rule adds to a set of its own name."""
    head = rule["head"]
    return "key" in head and "value" not in head and len(head["ref"]) == 1 and not rule.get("default")


def entry_of(rule: Node) -> Any:
    """The object that a rule adds to its set, as far as it is written out."""
    return literal(_entry(rule)) if is_contains(rule) else None


def _entry(rule: Node) -> Node:
    """The term that a rule adds: the one in its head, or the one that its body assigns to the name in its head."""
    key: Node = rule["head"]["key"]
    for expression in rule.get("body", ()) if key["type"] == "var" else ():
        match expression["terms"]:
            case [{"value": [{"value": "assign"}]}, {"type": "var", "value": name}, dict(term)] if name == key["value"]:
                return term
    return key


def nodes(tree: Any) -> Iterator[Node]:
    """Every node of a syntax tree, outermost first."""
    pending = [tree]
    while pending:
        branch = pending.pop()
        if isinstance(branch, dict):
            yield branch
            pending.extend([part for part in reversed(branch.values()) if isinstance(part, _INNER)])
        elif isinstance(branch, list):
            pending.extend(branch[::-1])
