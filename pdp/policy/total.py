"""Finds entries that can vanish: where a part of an entry has no value, the rule adds nothing, and a deny is an allow.

An entry of a set that restricts must be total. A term is total if it is one of these, and its parts are, too:

1. a constant, a comprehension, a template string, or an array, set or object;
2. what every request has (of the types and actions that the rule names, too), or what the policy's data has;
3. a variable that `some … in` binds or that a condition of the body needs, or a reference that a condition needs, so
   that the body says it must be there;
   but a value that is gone through or tested as a whole must have total parts, also where a rule or function makes it;
4. a variable that only the entry reads, if the statement that gives it a value always does;
5. a call of a builtin that always gives a value or fails;
6. a rule or function of the policy with a `default`, or with a total value and no condition.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple

from pdp.policy.asked import request
from pdp.policy.body import COMPREHENSIONS, LITERALS, Body, Part, free, spelling
from pdp.policy.builtins import ALWAYS, LENGTHS
from pdp.policy.finding import Finding
from pdp.policy.fitting import of_argument, places
from pdp.policy.lack import (
    Lack,
    of_call,
    of_data,
    of_elements,
    of_function,
    of_lookup,
    of_rule,
    of_statement,
    with_default,
)
from pdp.policy.module import Module, Node
from pdp.policy.reference import Definitions, Path, resolved
from pdp.policy.schema import Schema, Schemas, promises
from pdp.policy.shape import below

HARMLESS = {"allow"}
"""The sets whose entries may vanish, because a lost entry allows nothing."""

INPUT = request(Schemas())
_CONSTANTS = {"string", "number", "boolean", "null", "templatestring"} | COMPREHENSIONS
_DEEPEST = 32
"""Steps from a term to what it is made of. It ends rules and variables that lead to each other in a circle."""


class Scope(NamedTuple):
    """Where a term stands: its module, the body above it, and the names that are variables there."""

    module: Module
    body: Body
    parameters: frozenset[str] = frozenset()
    request: Schema = INPUT

    @property
    def bound(self) -> frozenset[str]:
        """The variables that have a value there, and the names of documents."""
        return self.body.bound | self.parameters | self.module.names.keys()


class Totality:
    """Tells which terms always have a value."""

    def __init__(
        self, rules: Definitions, data: Mapping[str, Any], requests: Mapping[int, Schema] = MappingProxyType({})
    ) -> None:
        """`requests` are the schemas of the requests that a rule is about, by its `id`, where more is known of them."""
        self._rules, self._data, self._requests = rules, data, requests
        self._settled: dict[Path, bool] = {}
        self._made: dict[Path, list[Lack]] = {}

    def findings(self, module: Module) -> Iterator[Finding]:
        """A finding for each part of an entry in `module` that a request or the data may lack."""
        for rule in module.rules if module.package == ("policy",) else ():
            if rule["head"]["ref"][0]["value"] in HARMLESS:
                continue
            key = rule["head"].get("key", {})
            lacks = self._of_entry(Scope(module, Body(rule, key), request=self._requests.get(id(rule), INPUT)), key)
            special = sorted(
                lacks, key=lambda lack: ", else a default" in lack.sentence
            )  # the last of one place is told
            for lack in {lack.sentence.split(", else ")[0]: lack for lack in special}.values():
                yield module.finding(lack.node, "droppable-entry", lack.sentence)

    def _of_entry(self, scope: Scope, key: Node) -> Iterator[Lack]:
        """What an entry lacks, each with a default that fits its place."""
        part = scope.body.parts.get(str(key.get("value"))) if key.get("type") == "var" else None
        written = part.term if part and part.pattern["type"] == "var" and part.term["type"] == "object" else key
        for term, default in places(written):
            yield from (with_default(lack, default) for lack in self.lacks(scope, term))

    def lacks(self, scope: Scope, term: Node, left: int = _DEEPEST) -> Iterator[Lack]:
        """Each part of a term that may have no value."""
        match term:
            case {"type": kind} if kind in _CONSTANTS:
                for name in sorted(free(term) & scope.body.parts.keys() if left else ()):
                    yield from self._part(scope, scope.body.parts[name], left - 1)
            case {"type": kind, "value": list(parts)} if kind in LITERALS and left:
                flat = chain.from_iterable(parts) if kind == "object" else parts
                for part in flat:
                    yield from self.lacks(scope, part, left - 1)
            case {"type": "var", "value": str(name)} if left:
                yield from self._variable(scope, term, name, left - 1)
            case {"type": "ref", "value": list(parts)} if left:
                if spelling(parts) not in scope.body.asked:
                    yield from self._reference(scope, parts, left - 1)
            case {"type": "call"} if left:
                yield from self._call(scope, term, left - 1)
            case {"type": str()}:
                yield of_statement(term)

    def _variable(self, scope: Scope, term: Node, name: str, left: int) -> Iterator[Lack]:
        if (part := scope.body.parts.get(name)) is not None:
            yield from self._part(scope, part, left)
        elif (made := scope.body.made.get(name)) is not None:
            yield from self._within(scope, made.term, left)
        elif name not in scope.parameters and resolved(scope.module, [term], self._rules)[0]:
            yield from self._document(scope, [term], left)

    def _part(self, scope: Scope, part: Part, left: int) -> Iterator[Lack]:
        """What may be missing in a statement that only the entry needs."""
        match part:
            case Part({"type": "var", "value": str(variable)}, {"type": "ref", "value": list(parts)}):
                yield from self._reference(scope, parts, left, variable)
            case Part({"type": "var", "value": str(variable)}, {"type": "call"} as call):
                yield from self._call(scope, call, left, variable)
            case Part(pattern, term, each) if term["type"] != "with" and (each or _fits(pattern, term)):
                yield from self.lacks(scope, term, left)
            case _:
                yield of_statement(part.pattern)

    def _within(self, scope: Scope, term: Node, left: int) -> Iterator[Lack]:
        """What may be missing in the parts of a value that is gone through, or that a condition tests as a whole."""
        match term if left else {}:
            case {"type": kind} if kind in LITERALS:
                yield from self.lacks(scope, term, left - 1)
            case {"type": kind, "value": dict(inner)} if kind in COMPREHENSIONS:
                for head in [inner[key] for key in ("key", "value", "term") if key in inner]:
                    body = Body({"head": {}, "body": inner["body"]}, head)
                    yield from self._within(scope._replace(body=body), head, left - 1)
            case {"type": "var", "value": str(name)}:
                part = scope.body.parts.get(name) or scope.body.made.get(name)
                yield from self._within(scope, part.term, left - 1) if part else self._inside(scope, [term], left)
            case {"type": "ref", "value": list(parts)}:
                yield from self._within(scope, parts[0], left - 1)
                yield from self._inside(scope, parts, left)
            case {"type": "call", "value": [function, *arguments]}:
                for argument in arguments:
                    yield from self.lacks(scope, argument, left - 1)
                    yield from self._within(scope, argument, left - 1)
                yield from self._inside(scope, function["value"], left)

    def _inside(self, scope: Scope, parts: Sequence[Node], left: int) -> Iterator[Lack]:
        """What may be missing in the parts of the values of a rule or function."""
        path, _ = resolved(scope.module, parts, self._rules)
        defined = next((path[:length] for length in range(len(path), 1, -1) if path[:length] in self._rules), ())
        if not defined or str(parts[0].get("value")) in scope.parameters:
            return
        if defined not in self._made:
            self._made[defined] = []
            self._made[defined] = [
                lack
                for module, rule in self._rules[defined]
                for branch in _branches(rule)
                for lack in self._of_branch(module, branch, left - 1)
            ]
        for lack in self._made[defined]:
            yield of_elements(parts, lack)

    def _of_branch(self, module: Module, branch: Node, left: int) -> Iterator[Lack]:
        head = branch["head"]
        read = head.get("key") or head["value"]
        yield from self._within(Scope(module, Body(branch, read), free(head["args"])), read, left)

    def _call(self, scope: Scope, term: Node, left: int, variable: str = "") -> Iterator[Lack]:
        function, *arguments = term["value"]
        called = ".".join(str(part.get("value")) for part in function["value"])
        for at, argument in enumerate(arguments):
            yield from (with_default(lack, of_argument(called, at)) for lack in self.lacks(scope, argument, left))
        path, _ = resolved(scope.module, function["value"], self._rules)
        if path in self._rules:
            if not self._always(path, left):
                yield of_function(term, path, len(arguments), variable)
        elif called not in ALWAYS:
            yield of_call(term, variable)

    def _reference(self, scope: Scope, parts: Sequence[Node], left: int, variable: str = "") -> Iterator[Lack]:
        path, _ = resolved(scope.module, parts, self._rules)
        if path and parts[0]["value"] not in scope.body.parts.keys() | scope.parameters:
            yield from self._document(scope, parts, left, variable)
            return
        yield from self.lacks(scope, parts[0], left)
        if not self._is_promised(scope, parts):
            yield of_lookup(parts, 1, scope.bound, variable)

    def _is_promised(self, scope: Scope, parts: Sequence[Node]) -> bool:
        """Whether a variable stands for an item of the request that has these steps, as each party has an id."""
        steps = [part["value"] for part in parts[1:] if part["type"] == "string"]
        domain = scope.body.domains.get(str(parts[0].get("value")), {"type": "null"})
        path, covered = resolved(scope.module, domain["value"], self._rules) if domain["type"] == "ref" else ((), 0)
        if path[:1] != ("input",) or covered < len(domain["value"]) or len(steps) < len(parts) - 1:
            return False
        return promises(below(reduce(below, path[1:], scope.request), None), steps)

    def _document(self, scope: Scope, parts: Sequence[Node], left: int, variable: str = "") -> Iterator[Lack]:
        """What may be missing of a reference into the request, the data or a rule."""
        path, covered = resolved(scope.module, parts, self._rules)
        defined = next((path[:length] for length in range(len(path), 1, -1) if path[:length] in self._rules), ())
        if defined and not self._always(defined, left):
            yield of_rule(parts[: len(defined) - len(path) + covered], defined, variable)
            return
        certain = len(defined or self._certain(scope, path)) - len(path) + covered
        if path[0] == "data" and certain < 1:
            yield of_data(parts[0], path)
        elif certain < len(parts):
            yield of_lookup(parts, certain, scope.bound, variable)

    def _certain(self, scope: Scope, path: Path) -> Path:
        """The longest beginning of a path, outside rules, that every request or the data has."""
        lengths = range(len(path), 0, -1)
        if path[0] == "input":
            return next(path[:length] for length in lengths if promises(scope.request, path[1:length]))
        return next((path[:length] for length in lengths if self._holds(path[:length])), ())

    def _holds(self, path: Path) -> bool:
        """Whether `path` leads to data, or to a package, which is an object of its rules."""
        document: Any = self._data
        for step in path[1:]:
            if not isinstance(document, dict) or step not in document:
                return any(rule[: len(path)] == path for rule in self._rules)
            document = document[step]
        return len(path) > 1

    def _always(self, path: Path, left: int) -> bool:
        """Whether a rule, or a function with total arguments, has a value for every request."""
        if path not in self._settled:
            self._settled[path] = False  # in a circle none has a value
            self._settled[path] = any(self._settles(module, rule, left) for module, rule in self._rules[path])
        return self._settled[path]

    def _settles(self, module: Module, rule: Node, left: int) -> bool:
        head, names = rule["head"], [argument.get("value") for argument in rule["head"].get("args", ())]
        if rule.get("default") or "key" in head or len(head["ref"]) > 1:
            return True
        if len({name for name in names if isinstance(name, str)}) < len(names):
            return False
        if any(argument["type"] != "var" for argument in head.get("args", ())):
            return False
        return any(self._holds_always(module, branch, frozenset(names), left) for branch in _branches(rule))

    def _holds_always(self, module: Module, branch: Node, parameters: frozenset[str], left: int) -> bool:
        value = branch["head"]["value"]
        body = Body(branch, value)
        return not body.conditions and not any(self.lacks(Scope(module, body, parameters), value, left))


def _branches(rule: Node) -> Iterator[Node]:
    """A rule and its `else`, each with the parameters of the rule."""
    branch: Node | None = rule
    while branch is not None:
        yield {**branch, "head": {**branch["head"], "args": rule["head"].get("args", [])}}
        branch = branch.get("else")


def _fits(pattern: Node, term: Node) -> bool:
    """Whether a pattern surely fits a term that has a value."""
    match pattern, term:
        case {"type": "var"}, _:
            return True
        case {"type": "array", "value": list(names)}, {"type": "array", "value": list(items)}:
            return len(names) == len(items) and all(map(_fits, names, items))
        case {"type": "array", "value": list(names)}, {"type": "call", "value": [{"value": list(function)}, *_]}:
            length = LENGTHS.get(".".join(str(part.get("value")) for part in function))
            return length == len(names) and all(name["type"] == "var" for name in names)
    return False
