"""Infers what kind of value a term of a policy stands for, and whether a caller sends it.

1. What a request holds is known from the contract and the schemas; data from its files; a builtin's answer from OPA; a
   variable from where the rule binds it; a parameter from the calls of its function.
2. `is_number(x)` and its like in the same rule make `x` known; but what a caller sends only where a rule that says
   nothing allows nothing. `x != null` takes null away.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pdp.policy.answers import answer
from pdp.policy.asked import for_opa, request
from pdp.policy.branch import KEY, Branch, Known, Step, branches, dotted
from pdp.policy.module import Module, Node
from pdp.policy.reach import Reach
from pdp.policy.reference import Path
from pdp.policy.schema import UNKNOWN, Schema, Schemas
from pdp.policy.shape import FROM, MADE, SET, any_of, below, kinds, of_builtin, of_value, senders, without_null

_SENT: Schema = {FROM: ("input",), MADE: False}
"""A value that may be a caller's in some way that is not followed."""


class Inference:
    """All that is known of a policy's values."""

    def __init__(
        self,
        everything: Sequence[Module],
        data: Mapping[str, Any],
        schemas: Schemas,
        builtins: Iterable[Mapping[str, Any]],
    ) -> None:
        declared = {one["name"]: one["decl"] for one in builtins}
        rules = frozenset(
            ("data", *module.package, rule["head"]["ref"][0]["value"])
            for module in everything
            for rule in (module.rules if not module.source.is_test else ())
        )
        self._returned = {name: of_builtin(decl.get("result", {})) for name, decl in declared.items()}
        arities = {name: len(decl.get("args", ())) for name, decl in declared.items()}
        self.branches = branches(everything, Known(rules, arities))
        self.reach = Reach(self.branches, data)
        self._data, self._schemas = data, schemas
        self._known: dict[tuple[int, int], tuple[Node, Schema]] = {}
        self._asked: set[tuple[int, int]] = set()
        self._circles = 0
        self._requests: dict[Any, Schema] = {}
        self._documents: dict[tuple[int, tuple[Step, ...]], Schema] = {}
        self._alike: dict[Any, Schema] = {}
        self._rules: dict[Path, list[Branch]] = {}
        self._calls: dict[Path, list[tuple[Branch, Sequence[Node]]]] = {}
        for branch in self.branches:
            self._rules.setdefault(branch.name, []).append(branch)
            for called, arguments in _calls(branch):
                self._calls.setdefault(called, []).append((branch, arguments))

    def shape(self, branch: Branch, term: Node) -> Schema:
        """What a term of this branch stands for."""
        key = (id(branch), id(term))
        if key in self._known:
            return self._known[key][1]
        if key in self._asked:
            self._circles += 1
            return UNKNOWN
        before, outermost = self._circles, not self._asked
        self._asked.add(key)
        found = self._narrowed(branch, term, self._shape(branch, term))
        self._asked.discard(key)
        if outermost or before == self._circles:  # what a circle cut short is known only from outside of it
            self._known[key] = (term, found)
        return found

    def _narrowed(self, branch: Branch, term: Node, found: Schema) -> Schema:
        """The same with what the body says of it."""
        if term["type"] not in {"var", "ref", "call"} or not (branch.guards or branch.not_null):
            return found
        same = branch.same(term)
        if same in branch.not_null:
            found = without_null(found)
        guard = branch.guards.get(same)
        if guard is None or kinds(found) == {guard} or (senders(found) and not self.reach.takes_guards(branch)):
            return found
        sent = next(iter(senders(found)), {})
        return {"type": guard, **{key: sent[key] for key in (FROM, MADE) if key in sent}}

    def _shape(self, branch: Branch, term: Node) -> Schema:
        match term:
            case {"type": "string" | "number" | "boolean" | "null" as kind}:
                return {"type": kind}
            case {"type": "var"}:
                return self._reference(branch, [term])
            case {"type": "ref", "value": list(parts)}:
                return self._reference(branch, parts)
            case {"type": "call", "value": [{"value": list(function)}, *arguments]}:
                return self._called(branch, function, arguments)
            case {"type": "templatestring"}:
                return {"type": "string"}
        return self._collection(branch, term)

    def _collection(self, branch: Branch, term: Node) -> Schema:
        match term:
            case {"type": "array" | "set" as kind, "value": list(items)}:
                return _list(any_of(self.shape(branch, item) for item in items), is_set=kind == "set")
            case {"type": "object", "value": list(pairs)}:
                return self._object(branch, pairs)
            case {"type": "arraycomprehension" | "setcomprehension" as kind, "value": {"term": dict(item)}}:
                return _list(self.shape(branch, item), is_set=kind == "setcomprehension")
            case {"type": "objectcomprehension", "value": {"value": dict(item)}}:
                return {"type": "object", "additionalProperties": self.shape(branch, item)}
        return UNKNOWN

    def _object(self, branch: Branch, pairs: Sequence[Sequence[Node]]) -> Schema:
        listed = {key["value"]: self.shape(branch, value) for key, value in pairs if key["type"] == "string"}
        computed = any_of(self.shape(branch, value) for key, value in pairs if key["type"] != "string")
        return {
            "type": "object",
            "properties": listed,
            "additionalProperties": computed if len(listed) < len(pairs) else False,
        }

    def _reference(self, branch: Branch, parts: Sequence[Node]) -> Schema:
        steps = [step(branch, part) for part in parts[1:]]
        if parts[0]["type"] != "var":
            return into(self.shape(branch, parts[0]), steps)
        name = str(parts[0]["value"])
        if name in branch.parameters:
            index, on = branch.parameters[name]
            return into(self._parameter(branch, index), [*on, *steps])
        if bound := [*branch.bound.get(name, ()), *branch.iterated.get(name, ())]:
            return any_of(into(self.shape(branch, term), [*on, *steps]) for term, on in bound)
        return self._named(branch, name, steps)

    def _named(self, branch: Branch, name: str, steps: Sequence[Step]) -> Schema:
        """What a name of the module stands for."""
        if not branch.knows(name):
            return into(_SENT, steps)
        path = [*branch.module.names.get(name, ("data", *branch.module.package, name)), *steps]
        return into(self._request(branch), path[1:]) if path[0] == "input" else self._document(path)

    def _request(self, branch: Branch) -> Schema:
        """The request's schema, for the types and actions that the branch names."""
        named = self.reach.named(branch)
        key = tuple(sorted((part, tuple(names)) for part, names in named.items()))
        if key not in self._requests:
            self._requests[key] = {**request(self._schemas, named), FROM: ("input",)}
        return self._requests[key]

    def promised(self) -> dict[int, Schema]:
        """The schema of the requests that an entry's rule is about, by its `id`. Masks are asked for without them."""
        entries = [branch for branch in self.branches if branch.is_entry and branch.name[-1] != "mask"]
        return {id(branch.rule): self._request(branch) for branch in entries}

    def request(self) -> Schema:
        """The schema of OPA's input for all rules: what rules about a type without a schema read is open."""
        listed = {"resource": self._schemas.resources, "subject": self._schemas.subjects}
        listed["action"] = {**self._schemas.actions, **self._schemas.contexts}
        every: dict[str, set[str]] = {}
        for branch in self.branches:
            for part, names in self.reach.named(branch).items():
                every.setdefault(part, set()).update(names)
        opened = {
            part: sorted(names | listed[part].keys()) for part, names in every.items() if names - listed[part].keys()
        }
        return for_opa(request(self._schemas, opened))

    def _document(self, path: Sequence[Step]) -> Schema:
        """What lies at a path of `data`: a rule's values, or a document."""
        for length in range(2, len(path) + 1):
            if rules := self._rules.get(tuple(map(str, path[:length]))):
                return any_of(
                    into(self._value(branch), path[length:]) for branch in rules if not branch.rule["head"].get("args")
                )
        document: Any = self._data
        for index, each in enumerate(path[1:], 1):
            if not isinstance(document, dict) or not isinstance(each, str) or each == KEY:
                return self._held(document, tuple(path[index:]))
            if each not in document:
                return UNKNOWN
            document = document[each]
        return self._held(document, ())

    def _held(self, document: Any, steps: tuple[Step, ...]) -> Schema:
        """The shape some steps into a part of the data. Each is found once: to walk a megabyte takes a while."""
        key = (id(document), steps)
        if key not in self._documents:
            above = self._held(document, steps[:-1]) if steps else of_value(document, self._alike)
            self._documents[key] = into(above, steps[-1:])
        return self._documents[key]

    def _value(self, branch: Branch) -> Schema:
        head = branch.node["head"]
        if "key" in head and "value" not in head:
            return _list(self.shape(branch, head["key"]), is_set=True)
        value = self._answer(branch)
        for _ in head["ref"][1:]:
            value = {"type": "object", "additionalProperties": value}
        return value

    def _answer(self, branch: Branch) -> Schema:
        head = branch.node["head"]
        return self.shape(branch, head["value"]) if "value" in head else {"type": "boolean"}

    def _called(self, branch: Branch, function: Sequence[Node], arguments: Sequence[Node]) -> Schema:
        name = dotted(function)
        if name == "object.get" and len(arguments) == 3:  # noqa: PLR2004  # an object, a key, a default
            return any_of([self.read(branch, arguments[0], arguments[1]), self.shape(branch, arguments[2])])
        if name in self._returned:
            return answer(name, self._returned[name], [self.shape(branch, each) for each in arguments])
        return any_of(self._answer(own) for own in self._rules.get(named(branch, function), ()))

    def read(self, branch: Branch, base: Node, key: Node) -> Schema:
        """What `object.get` finds: at a key, or at a path."""
        keys = branch.expanded(key)
        return into(
            self.shape(branch, base),
            [step(branch, each) for each in (keys["value"] if keys["type"] == "array" else [key])],
        )

    def _parameter(self, branch: Branch, index: int) -> Schema:
        """What the calls of this branch's function pass at `index`."""
        return any_of(
            self.shape(at, arguments[index])
            for at, arguments in self._calls.get(branch.name, ())
            if index < len(arguments)
        )


def _list(items: Schema, *, is_set: bool) -> Schema:
    return {"type": "array", "items": items, **({SET: True} if is_set else {})}


def _calls(branch: Branch) -> list[tuple[Path, Sequence[Node]]]:
    return [(named(branch, function), arguments) for _, function, _, arguments in branch.calls if arguments]


def named(branch: Branch, function: Sequence[Node]) -> Path:
    """The path of a function or rule, with imports resolved."""
    first, *rest = [str(part.get("value")) for part in function]
    return (*branch.module.names.get(first, ("data", *branch.module.package, first)), *rest)


def step(branch: Branch, part: Node) -> Step:
    """A step of a reference, as far as it is known."""
    known = branch.expanded(part) if part["type"] == "var" else part
    value = known.get("value")
    if known["type"] == "string":
        return str(value)
    return value if known["type"] == "number" and isinstance(value, int) else None


def into(shape: Schema, steps: Iterable[Step]) -> Schema:
    """The shape some steps into a value."""
    for each in steps:
        shape = _keys(shape) if each == KEY else below(shape, each)
    return shape


def _keys(shape: Schema) -> Schema:
    """The shape of the keys of a list or an object."""
    if SET in shape:
        return below(shape, None)
    found = kinds(shape)
    sent = next(iter(senders(shape)), {})
    if found == {"object"} and shape.get("properties") and shape.get("additionalProperties") is False:
        return {"type": "string", "enum": sorted(shape["properties"])}
    if found and found <= {"array", "object"}:
        return any_of([{"type": {"array": "number", "object": "string"}[kind]} for kind in sorted(found)])
    return {FROM: (*sent[FROM], None), MADE: False} if sent else UNKNOWN
