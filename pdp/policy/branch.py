"""One branch of a rule: what its variables are bound to, and what its body says of values. Pure.

A branch is a rule's body or one of its `else`. What a body says holds for all that stands in it, but for its `else`.
What the body of an `every` says holds in there.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import orjson

from pdp.policy.module import Module, Node, is_contains, nodes
from pdp.policy.needs import GUARDS
from pdp.policy.reference import Path
from pdp.policy.sources import CORE

KEY = "\0key"
"""Stands for the step to the keys of a value, where another step goes into it."""
_DEEPEST = 12
"""Variables that are followed from one to the next. It ends two that are bound to each other."""

Step: TypeAlias = str | int | None
"""A step into a value; `None` is one that is known only after evaluation."""
Steps: TypeAlias = tuple[Step, ...]
Bound: TypeAlias = tuple[Node, Steps]
"""The term that a variable is bound to, and the steps into the term's value."""


class Known(NamedTuple):
    """What a branch may name from elsewhere: the paths of all rules, and OPA's builtins with their arities."""

    rules: frozenset[Path] = frozenset()
    arities: Mapping[str, int] = {}


class Called(NamedTuple):
    """A node that calls something, the function as the parts of its name and as a call writes it, and the arguments."""

    node: Node
    function: Sequence[Node]
    name: str
    arguments: Sequence[Node]


class Branch:
    """A branch of a rule of a module."""

    def __init__(self, module: Module, rule: Node, node: Node, known: Known) -> None:
        self.module, self.rule, self.node, self._rules = module, rule, node, known.rules
        self.name = ("data", *module.package, str(rule["head"]["ref"][0]["value"]))
        self.tree = {key: value for key, value in node.items() if key not in {"else", "annotations"}}
        self.parameters: dict[str, tuple[int, Steps]] = {}
        for index, arg in enumerate(rule["head"].get("args", ())):
            self.parameters |= {name: (index, steps) for name, _, steps in _matched(arg, arg, ())}
        self.bound: dict[str, list[Bound]] = {}
        self.nodes = list(nodes(self.tree))
        self._expanded: dict[int, tuple[Node, Node]] = {}
        for name, term, steps in bindings(self.nodes, known.arities):
            self.bound.setdefault(name, []).append((term, steps))
        self.iterated = self._indices()

    @property
    def is_authored(self) -> bool:
        """Whether it is a rule of the policy's author, in a package that an author may have."""
        return self.module.source.label != CORE and self.module.package[0] not in {CORE, "system"}

    @property
    def is_entry(self) -> bool:
        """Whether it adds to one of the sets of `package policy`."""
        return self.module.package == ("policy",) and is_contains(self.rule)

    def _indices(self) -> dict[str, list[Bound]]:
        """Each variable that takes every key of a value, because nothing else binds it."""
        found: dict[str, list[Bound]] = {}
        for node in self.references:
            for at, part in enumerate(node["value"][1:], 1):
                if part["type"] == "var" and not self.knows(part["value"]):
                    found.setdefault(part["value"], []).append((until(node, at), (KEY,)))
        return found

    def knows(self, variable: str) -> bool:
        """Whether a name has its value before a reference steps by it."""
        own = ("data", *self.module.package, variable)
        return (
            variable in self.bound or variable in self.parameters or variable in self.module.names or own in self._rules
        )

    def calls_a_rule(self, function: Sequence[Node]) -> bool:
        """Whether a function is one of the policy, not a builtin."""
        first, *rest = [str(part.get("value")) for part in function] or [""]
        return (*self.module.names.get(first, ("data", *self.module.package, first)), *rest) in self._rules

    @cached_property
    def references(self) -> Sequence[Node]:
        """Every reference, outermost first."""
        return [node for node in self.nodes if node.get("type") == "ref"]

    @cached_property
    def calls(self) -> Sequence[Called]:
        """Every node that calls something, outermost first."""
        made = ((node, *call(node)) for node in self.nodes if "terms" in node or node.get("type") == "call")
        return [Called(node, name, dotted(name), arguments) for node, name, arguments in made if name]

    def expanded(self, term: Node) -> Node:
        """A term with variables replaced by the one thing that they are bound to."""
        if term.get("type") not in {"var", "ref"}:
            return term
        if id(term) not in self._expanded:
            self._expanded[id(term)] = (term, self._followed(term, _DEEPEST))
        return self._expanded[id(term)][1]

    def _followed(self, term: Node, left: int) -> Node:
        match term:
            case {"type": "var", "value": str(name)}:
                bound = self.bound.get(name, ())
                if len(bound) == 1 and not bound[0][1] and left:
                    return self._followed(bound[0][0], left - 1)
            case {"type": "ref", "value": [head, *parts]}:
                base = self._followed(head, left)
                parts = [self._constant(part, left) for part in parts]
                return {"type": "ref", "value": [*(base["value"] if base["type"] == "ref" else [base]), *parts]}
        return term

    def _constant(self, part: Node, left: int) -> Node:
        """A step by a variable that is bound to one text is a step by that text."""
        known = self._followed(part, left) if part["type"] == "var" else part
        return known if known["type"] == "string" else part

    def path(self, term: Node) -> Path:
        """The path of a reference that is written out, with imports and variables resolved; empty for others."""
        whole = self.expanded(term)
        parts = whole["value"] if whole["type"] == "ref" else [whole]
        known = self.module.names.get(str(parts[0].get("value")), ()) if parts[0]["type"] == "var" else ()
        steps = [part["value"] for part in parts[1:] if part["type"] == "string"]
        return (*known, *steps) if known and len(steps) == len(parts) - 1 else ()

    def same(self, term: Node) -> bytes:
        """Equal for terms that stand for the same value."""
        return plain(self.expanded(term))

    @cached_property
    def statements(self) -> Sequence[Node]:
        """What the body says. An `every` in it says nothing of what stands outside: its list may be empty."""
        return list(_said(self.node.get("body", ())))

    def _within(self, statements: Sequence[Node]) -> Iterator[tuple[Node, frozenset[bytes]]]:
        """What every `every` says, each with the values that stand outside of it, of which it says nothing."""
        for each in statements:
            match each:
                case {"terms": {"domain": _, "body": list(body)}}:
                    inner, outside = list(_said(body)), frozenset(self._values(self.tree, each["terms"]))
                    yield from ((statement, outside) for statement in inner)
                    yield from self._within(inner)

    def _values(self, tree: Any, every: Node) -> Iterator[bytes]:
        """The values that `tree` names, but for what `every` binds and says."""
        if isinstance(tree, dict):
            if tree.get("type") in {"var", "ref", "call"}:
                yield self.same(tree)
            for part in [tree["domain"]] if tree is every else tree.values():
                yield from self._values(part, every)
        elif isinstance(tree, list):
            for part in tree:
                yield from self._values(part, every)

    def _tells(self, statement: Node) -> Iterator[tuple[bytes, str]]:
        """The values of which a statement says that they are of a kind, or (an empty kind) that they are not null."""
        match statement.get("terms"):
            case [{"value": [{"value": str(name)}]}, asked] if name in GUARDS:
                yield self.same(asked), GUARDS[name]
            case [{"value": [{"value": "neq"}]}, left, right]:
                pairs = ((left, right), (right, left))
                yield from ((self.same(one), "") for one, other in pairs if other["type"] == "null")

    @cached_property
    def _told(self) -> Sequence[tuple[bytes, str]]:
        told = [found for each in self.statements for found in self._tells(each)]
        inner = [(found, outside) for each, outside in self._within(self.statements) for found in self._tells(each)]
        return [*told, *(found for found, outside in inner if found[0] not in outside)]

    @cached_property
    def guards(self) -> Mapping[bytes, str]:
        """The values whose kind the body asks for, and the kind."""
        return {value: kind for value, kind in self._told if kind}

    @cached_property
    def not_null(self) -> frozenset[bytes]:
        """The values that the body compares with null by `!=`."""
        return frozenset(value for value, kind in self._told if not kind)


def branches(everything: Iterable[Module], known: Known) -> list[Branch]:
    """Every branch of every rule that is not a test's."""
    return [
        Branch(module, rule, node, known)
        for module in everything
        for rule in (module.rules if not module.source.is_test else ())
        for node in _nodes(rule)
    ]


def _nodes(rule: Node) -> Iterator[Node]:
    node: Node | None = rule
    while node is not None:
        yield node
        node = node.get("else")


def until(reference: Node, length: int) -> Node:
    """The beginning of a reference, of `length` parts."""
    parts = reference["value"][:length]
    return parts[0] if length == 1 else {**reference, "value": parts}


def _said(body: Sequence[Node]) -> Iterator[Node]:
    yield from (each for each in body if not each.get("negated") and "with" not in each)


def plain(term: Any) -> bytes:
    """Equal for terms that are written alike, wherever they stand."""
    return orjson.dumps(_plain(term))


def _plain(term: Any) -> Any:
    """A term without its place in the file."""
    if isinstance(term, dict):
        return {key: _plain(value) for key, value in term.items() if key != "location"}
    return [_plain(each) for each in term] if isinstance(term, list) else term


def bindings(each: Iterable[Node], arities: Mapping[str, int]) -> Iterator[tuple[str, Node, Steps]]:
    """Each variable that these nodes bind, the term that it is bound to, and the steps into the term."""
    for node in each:
        if "terms" not in node and node.get("type") != "call":
            continue
        function, arguments = call(node)
        match dotted(function), arguments, node.get("terms"):
            case "assign", [left, right], _:
                yield from _matched(left, right, ())
            case "eq", [left, right], _:
                yield from _matched(left, right, ())
                yield from _matched(right, left, ())
            case _, _, {"domain": dict(domain), "value": dict(each), "key": dict(key)}:
                yield from _members([key, each], domain)
            case _, _, {"domain": dict(domain), "value": dict(each)}:
                yield from _members([each], domain)
            case _, _, {"symbols": [{"type": "call", "value": [_, *names, domain]}]}:
                yield from _members(names, domain)
            case name, [*inputs, output], _ if len(inputs) == arities.get(name):
                made = {"type": "call", "value": [{"type": "ref", "value": function}, *inputs]}
                yield from _matched(output, made, ())


def call(node: Node) -> tuple[Sequence[Node], Sequence[Node]]:
    """The function that a node calls, as the parts of its name, and the arguments; empty for a node that calls none."""
    parts = node.get("value") if node.get("type") == "call" else node.get("terms")
    return (parts[0]["value"], parts[1:]) if isinstance(parts, list) else ((), ())


def _members(names: Sequence[Node], domain: Node) -> Iterator[tuple[str, Node, Steps]]:
    """The variables of `some key, value in domain`."""
    yield from _matched(names[-1], domain, (None,))
    for key in names[:-1]:
        yield from _matched(key, domain, (KEY,))


def _matched(pattern: Node, term: Node, steps: Steps) -> Iterator[tuple[str, Node, Steps]]:
    match pattern:
        case {"type": "var", "value": str(name)}:
            yield name, term, steps
        case {"type": "array", "value": list(items)}:
            for index, item in enumerate(items):
                yield from _matched(item, term, (*steps, index))
        case {"type": "object", "value": list(pairs)}:
            for key, value in pairs:
                yield from _matched(value, term, (*steps, key["value"] if key["type"] == "string" else None))


def dotted(function: Sequence[Node]) -> str:
    """A builtin's name, as a call writes it."""
    return ".".join([str(part.get("value")) for part in function]) if function else ""
