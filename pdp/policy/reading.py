"""Which names of data a module reads, as paths: `data.teams[x].lead` is `teams`, any key, `lead`.

A name of a rule for data (`limits := data.limits`, `some team in data.teams`) is followed to what is read of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

from pdp.policy.branch import KEY, Bound, bindings
from pdp.policy.module import Module, Node, nodes

Steps: TypeAlias = tuple[str | None, ...]
"""A path below `data`; `None` is any key, or an index."""
_Path: TypeAlias = tuple[Steps, bool]
"""A path, and whether it need not be there, as behind `object.get`."""
_DEEPEST = 12
"""Names that are followed from one to the next. It ends names that go in a circle."""
_MEMBERS = {"member_2", "member_3"}


class Read(NamedTuple):
    """A path that is read to its end, and where. `is_open` says that the path need not be there."""

    steps: Steps
    node: Node
    is_open: bool = False


def reads(module: Module) -> Iterator[Read]:
    """All paths of data that a module's rules read."""
    for found in _rules(module):
        yield from found.all


def _rules(module: Module) -> "list[_Rule]":
    if not module.read:
        module.read.extend(_Rule(module, rule) for rule in module.rules)
    return module.read


def asked(module: Module) -> Iterator[tuple[Node, Node, Steps]]:
    """Each question `x in y` about data: its node, `x`, and the path of `y`."""
    for found in _rules(module):
        rule = found.rule
        for node in found.nodes:
            match node.get("terms", node.get("value")):
                case [{"value": [{"value": "internal"}, {"value": "member_2"}]}, left, domain]:
                    yield from ((node if "location" in node else rule, left, steps) for steps, _ in found.paths(domain))


class _Rule:
    def __init__(self, module: Module, rule: Node) -> None:
        self._module, self.rule = module, rule
        self._bound: dict[str, list[Bound]] = {}
        self.nodes = list(nodes(rule))
        for name, term, steps in bindings(self.nodes, {}):
            self._bound.setdefault(name, []).extend([(term, steps)] if KEY not in steps else [])
        self._often: dict[Any, int] = {}
        for node in self.nodes:
            if node.get("type") == "var":
                self._often[node["value"]] = self._often.get(node["value"], 0) + 1

    @cached_property
    def all(self) -> list[Read]:
        """What the rule reads."""
        return list(self.reads(self.rule))

    def reads(self, node: Any) -> Iterator[Read]:
        """What a part of the rule reads."""
        match node:
            case list(parts):
                for part in parts:
                    yield from self.reads(part)
            case {"type": "ref" | "var"}:
                yield from self._reference(node)
            case {"terms": [{"value": [{"value": "assign"}]}, {"type": "var"}, term]} if self.paths(term):
                yield from self._inside(term)
            case {"terms": {"symbols": [{"value": [_, *names, domain]}]}}:
                yield from self._iterated(names[-1], domain)
            case {"terms": {"domain": dict(domain), "value": dict(each), "body": body}}:
                yield from self._iterated(each, domain)
                yield from self.reads(body)
            case {"terms": [{"type": "ref"} as name, *terms]} | {
                "type": "call",
                "value": [{"type": "ref"} as name, *terms],
            }:
                yield from self._called(node, name, terms)
            case dict():
                for key, part in node.items():
                    yield from self.reads(self._values(part) if key == "with" else part)

    def _values(self, replaced: Sequence[Mapping[str, Any]]) -> list[Any]:
        """What `with` puts in the place of others, which are not read."""
        return [each["value"] for each in replaced]

    def _reference(self, node: Node) -> Iterator[Read]:
        yield from (Read(steps, node, is_open) for steps, is_open in self.paths(node))
        yield from self._inside(node)

    def _inside(self, term: Node) -> Iterator[Read]:
        """What the steps of a reference read, but not the reference."""
        if term["type"] == "ref":
            yield from self.reads([part for part in term["value"][_is_name(term) :] if part["type"] != "string"])

    def _called(self, node: Node, name: Node, terms: Sequence[Node]) -> Iterator[Read]:
        function = [part["value"] for part in name["value"]]
        if function == ["object", "get"] and (found := self._got(terms[:2])):
            yield from (Read(steps, terms[0], is_open) for steps, is_open in found)
            yield from self.reads(terms[1:])
            yield from self._inside(terms[0])
        elif function[0] == "internal" and function[-1] in _MEMBERS:
            yield from self._iterated(None, terms[-1])
            yield from self.reads(terms[:-1])
        else:
            yield from self.reads(list(terms))
        yield from self.reads({"with": node.get("with", [])})

    def _iterated(self, each: Node | None, domain: Node) -> Iterator[Read]:
        """What `in` and `every` read: all values, or what the rule reads of the name of each."""
        paths = self.paths(domain)
        named = each is not None and each["type"] == "var" and self._often.get(each["value"], 0) > 1
        for steps, is_open in () if named else paths:
            yield Read((*steps, None), domain, is_open)
        if paths:
            yield from self._inside(domain)
        else:
            yield from self.reads(domain)

    def _got(self, terms: Sequence[Node], left: int = _DEEPEST) -> list[_Path]:
        """The paths that `object.get` reads, of terms `base` and `key`."""
        base, key = terms
        keys = key.get("value", []) if key["type"] == "array" else [key]
        return [((*steps, *map(_step, keys)), True) for steps, _ in self.paths(base, left)]

    def paths(self, term: Node, left: int = _DEEPEST) -> list[_Path]:
        """The paths of data that a term stands for."""
        match term:
            case {"type": "ref" | "var"} if left:
                parts = term["value"] if term["type"] == "ref" else [term]
                further = tuple(map(_step, parts[1:]))
                return [((*steps, *further), is_open) for steps, is_open in self._named(parts[0], left - 1)]
            case {"type": "call", "value": [{"value": [{"value": "object"}, {"value": "get"}]}, base, key, _]} if left:
                return self._got([base, key], left - 1)
        return []

    def _named(self, head: Node, left: int) -> list[_Path]:
        if head["type"] != "var":
            return []
        found = []
        for term, steps in self._bound.get(head["value"], ()):
            further = tuple(step if isinstance(step, str) else None for step in steps)
            found += [((*path, *further), is_open) for path, is_open in self.paths(term, left)]
        document = self._module.names.get(str(head["value"]), ()) if head["value"] not in self._bound else ()
        return [(tuple(document[1:]), False)] if document[:1] == ("data",) else found


def _is_name(term: Node) -> bool:
    """Whether a reference begins with a name, and not with a call."""
    return bool(term["value"][0]["type"] == "var")


def _step(part: Node) -> str | None:
    return part["value"] if part["type"] == "string" else None
