"""Infers what kind of value a term of a policy stands for.

1. What a request holds is known from the schemas; data from its files; a builtin's answer from OPA; a variable from
   where the rule binds it; a parameter from the calls of its function.
2. `is_number(x)` or `is_string(x)` in the same rule makes `x` known.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from pdp.policy.module import Module, Node, nodes
from pdp.policy.reference import ACTION, TYPE, Path, compared
from pdp.policy.schema import UNKNOWN, Schema, Schemas, request
from pdp.policy.shape import any_of, below, of_value

ARITHMETIC = {"plus", "minus", "mul", "div", "rem", "sum", "product"}
"""Builtins that answer a number or fail. Some take sets, too; requests and data have none."""
_EXTREMES = {"max", "min"}
_GUARDS = {"is_number": "number", "is_string": "string"}
_DEEPEST = 12
"""Steps from a variable to what it stands for. It ends rules that call each other in a circle."""

Step: TypeAlias = str | int | None
"""A step into a value; `None` is one that is known only after evaluation."""
Binding: TypeAlias = tuple[str, Node, Sequence[Step]]
"""A variable, the term that it is bound to, and the steps into the term's value."""


class Place:
    """A rule of a module, and what its variables are bound to."""

    def __init__(self, module: Module, rule: Node) -> None:
        self.module, self.rule = module, rule
        self.bound: dict[str, list[tuple[Node, Sequence[Step]]]] = {}
        for name, term, steps in _bindings(rule):
            self.bound.setdefault(name, []).append((term, steps))
        self.parameters = [arg.get("value") for arg in rule["head"].get("args", ()) if arg["type"] == "var"]

    def guarded(self, term: Node) -> Schema | None:
        """The shape of a term that the rule asks about by `is_number` or `is_string`."""
        wanted = _plain(term)
        for expression in self.rule.get("body", ()):
            match expression:
                case {"negated": True}:
                    continue
                case {"terms": [{"value": [{"value": str(name)}]}, asked]} if name in _GUARDS:
                    if _plain(asked) == wanted:
                        return {"type": _GUARDS[name]}
        return None


def _plain(term: Any) -> Any:
    """A term without its place in the file."""
    if isinstance(term, dict):
        return {key: _plain(value) for key, value in term.items() if key != "location"}
    return [_plain(each) for each in term] if isinstance(term, list) else term


def _bindings(rule: Node) -> Iterator[Binding]:
    """Each variable that the rule binds."""
    for node in nodes(rule):
        match node.get("terms"):
            case [{"value": [{"value": "assign" | "eq"}]}, left, right]:
                yield from _matched(left, right, ())
                yield from _matched(right, left, ())
            case {"domain": dict(domain), "value": dict(each)}:
                yield from _matched(each, domain, (None,))
            case {"symbols": [{"type": "call", "value": [_, *names, domain]}]}:
                yield from _matched(names[-1], domain, (None,))


def _matched(pattern: Node, term: Node, steps: tuple[Step, ...]) -> Iterator[Binding]:
    if pattern["type"] == "var":
        yield pattern["value"], term, steps
    elif pattern["type"] == "array":
        for index, item in enumerate(pattern["value"]):
            yield from _matched(item, term, (*steps, index))


class Inference:
    """All that is known of a policy's values."""

    def __init__(
        self, everything: Sequence[Module], data: Mapping[str, Any], schemas: Schemas, returned: Mapping[str, Schema]
    ) -> None:
        self._data, self._schemas, self._returned = data, schemas, returned
        self._rules: dict[Path, list[tuple[Module, Node]]] = {}
        self._calls: dict[Path, list[tuple[Place, Sequence[Node]]]] = {}
        for module in everything:
            for rule in module.rules if not module.source.is_test else ():
                path = ("data", *module.package, rule["head"]["ref"][0]["value"])
                self._rules.setdefault(path, []).append((module, rule))
                for called, arguments in _calls(module, rule):
                    self._calls.setdefault(called, []).append((Place(module, rule), arguments))

    def shape(self, place: Place, term: Node, left: int = _DEEPEST) -> Schema:
        """What a term of this rule stands for."""
        asked = place.guarded(term) if left else UNKNOWN
        if asked is not None:
            return asked
        match term:
            case {"type": "string" | "number" | "boolean" | "null" as kind}:
                return {"type": kind}
            case {"type": "var"}:
                return self._reference(place, [term], left - 1)
            case {"type": "ref", "value": list(parts)}:
                return self._reference(place, parts, left - 1)
            case {"type": "call", "value": [{"value": list(function)}, *arguments]}:
                return self._called(place, function, arguments, left - 1)
        return self._collection(place, term, left - 1)

    def _collection(self, place: Place, term: Node, left: int) -> Schema:
        match term:
            case {"type": "array" | "set", "value": list(items)}:
                return {"type": "array", "items": any_of(self.shape(place, item, left) for item in items)}
            case {"type": "arraycomprehension" | "setcomprehension", "value": {"term": dict(item)}}:
                return {"type": "array", "items": self.shape(place, item, left)}
        return UNKNOWN

    def _reference(self, place: Place, parts: Sequence[Node], left: int) -> Schema:
        steps = [_step(part) for part in parts[1:]]
        if parts[0]["type"] != "var":
            return _into(self.shape(place, parts[0], left), steps)
        name = parts[0]["value"]
        if name in place.bound:
            return any_of(_into(self.shape(place, term, left), [*on, *steps]) for term, on in place.bound[name])
        if name in place.parameters:
            return _into(self._parameter(place, place.parameters.index(name), left), steps)
        path = [*place.module.names.get(str(name), ("data", *place.module.package, str(name))), *steps]
        if path[0] == "input":
            return _into(self._request(place), path[1:])
        return self._document(path, left)

    def _request(self, place: Place) -> Schema:
        """The request's schema; where the rule names types or actions, by their schemas alone."""
        parts = []
        for path, listed in ((TYPE, self._schemas.resources), (ACTION, self._schemas.contexts)):
            named = {name for _, name in compared(place.module, place.rule, path)} & listed.keys()
            parts.append({name: listed[name] for name in named} or listed)
        return request(Schemas(*parts))

    def _document(self, path: Sequence[Step], left: int) -> Schema:
        """What lies at a path of `data`: a rule's values, or a document."""
        for length in range(2, len(path) + 1):
            rules = self._rules.get(tuple(map(str, path[:length])))
            if rules:
                return any_of(_into(shape, path[length:]) for rule in rules for shape in self._values(rule, left))
        document: Any = self._data
        for index, step in enumerate(path[1:], 1):
            if not isinstance(document, dict) or not isinstance(step, str):
                return _into(of_value(document), path[index:])
            if step not in document:
                return UNKNOWN
            document = document[step]
        return of_value(document)

    def _values(self, found: tuple[Module, Node], left: int) -> Iterator[Schema]:
        module, rule = found
        branch: Node | None = rule
        while branch is not None:
            head, place = branch["head"], Place(module, branch)
            further = len(head["ref"]) - 1
            if "key" in head and "value" not in head:
                yield {"type": "array", "items": self.shape(place, head["key"], left)}
            elif not head.get("args"):
                value = self.shape(place, head["value"], left) if "value" in head else {"type": "boolean"}
                for _ in range(further):
                    value = {"type": "object", "additionalProperties": value}
                yield value
            branch = branch.get("else")

    def _called(self, place: Place, function: Sequence[Node], arguments: Sequence[Node], left: int) -> Schema:
        name = ".".join(str(part.get("value")) for part in function)
        if name == "object.get":
            keys = arguments[1]["value"] if arguments[1]["type"] == "array" else [arguments[1]]
            read = _into(self.shape(place, arguments[0], left), [_step(key) for key in keys])
            return any_of([read, self.shape(place, arguments[2], left)])
        if name in ARITHMETIC:
            return {"type": "number"}
        if name in _EXTREMES:
            return below(self.shape(place, arguments[0], left), None)
        if name in self._returned:
            return self._returned[name]
        return self._answers(_named(place.module, function), left)

    def _answers(self, path: Path, left: int) -> Schema:
        """What a function of the policy returns."""
        found = []
        for module, rule in self._rules.get(path, ()):
            branch: Node | None = rule
            while branch is not None:
                head = branch["head"]
                place = Place(module, {**branch, "head": {**head, "args": rule["head"].get("args", [])}})
                found.append(self.shape(place, head["value"], left) if "value" in head else {"type": "boolean"})
                branch = branch.get("else")
        return any_of(found)

    def _parameter(self, place: Place, index: int, left: int) -> Schema:
        """What the calls of this rule's function pass at `index`."""
        own = ("data", *place.module.package, place.rule["head"]["ref"][0]["value"])
        return any_of(self.shape(at, arguments[index], left) for at, arguments in self._calls.get(own, ()))


def _calls(module: Module, rule: Node) -> Iterator[tuple[Path, Sequence[Node]]]:
    for node in nodes(rule):
        match node.get("terms", node.get("value")):
            case [{"type": "ref", "value": list(function)}, *arguments] if arguments:
                yield _named(module, function), arguments


def _named(module: Module, function: Sequence[Node]) -> Path:
    """The path of a function or rule, with imports resolved."""
    first, *rest = [str(part.get("value")) for part in function]
    return (*module.names.get(first, ("data", *module.package, first)), *rest)


def _step(part: Node) -> Step:
    value = part.get("value")
    if part["type"] == "string":
        return str(value)
    return value if part["type"] == "number" and isinstance(value, int) else None


def _into(shape: Schema, steps: Iterable[Step]) -> Schema:
    for step in steps:
        shape = below(shape, step)
    return shape
