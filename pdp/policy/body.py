"""Which statements of a rule's body are its conditions, and which only prepare what its head reads. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pdp.policy.module import Node

COMPREHENSIONS = {"arraycomprehension", "setcomprehension", "objectcomprehension"}
LITERALS = {"array", "set", "object"}
_COMPARISONS = {"equal", "neq", "lt", "lte", "gt", "gte", "internal"}
"""Builtins that give no value to a variable on their right; `internal` is `in`."""
SHAPING = {
    "array.concat",
    "json.filter",
    "json.patch",
    "json.remove",
    "object.filter",
    "object.get",
    "object.remove",
    "object.union",
    "object.union_n",
    "or",
    "union",
}
"""Builtins whose result is made of what they are given."""
_SAYING = {"print", "trace"}
"""Builtins that only write to a log. To print a variable is not to ask about it."""

Names = frozenset[str]
NONE: Names = frozenset()


class Part(NamedTuple):
    """A statement that gives the value of `term` to the variables in `pattern`, or each value in it: `each`."""

    pattern: Node
    term: Node
    each: bool = False

    @property
    def names(self) -> Names:
        """The variables that get a value."""
        return free(self.pattern)


class Body:
    """The statements of a rule's body, told apart.

    1. `parts`: each variable that only what the head reads needs, with the statement that gives it a value.
    2. `conditions`: all other statements. What they need is there, or the rule does not apply, as its author reads it.
    3. `bound`: the variables that have a value when the head is read.
    4. `domains`: each variable that `some … in` binds, with what it goes through.
    5. `made`: each other variable that becomes the entry or part of it, with what it is made of or goes through. A
       condition of the whole does not say that each part of it is there.
    6. `asked`: the references that a condition needs, each as `spelling` gives it.
    """

    def __init__(self, rule: Node, read: Node) -> None:
        statements: Sequence[Node] = [] if is_unconditional(rule) else rule.get("body", [])
        known = NONE.union(*map(_bound, statements), free(rule["head"].get("args", [])))
        made = [(statement, _made(statement, known)) for statement in statements if not _only_says(statement)]
        parts = _parts(made, read)
        self.parts: Mapping[str, Part] = {name: part for part in parts.values() for name in part.names}
        self.conditions = [statement for at, (statement, _) in enumerate(made) if at not in parts]
        self.bound = known | free(self.conditions) | self.parts.keys()
        self.domains = {name: domain for statement in self.conditions for name, domain in _domains(statement)}
        others = {at: part or _gone_through(statement) for at, (statement, part) in enumerate(made) if at not in parts}
        whole = _made_into(read, parts.values(), {at: part for at, part in others.items() if part})
        self.made: Mapping[str, Part] = {name: part for part in whole.values() for name in part.names}
        asking = [each for at, (each, _) in enumerate(made) if at not in parts and not _is_built(whole.get(at))]
        self.asked = {
            spelling(reference["value"][:length])
            for reference in _needed(asking)
            for length in range(1, len(reference["value"]) + 1)
        }


def _parts(made: Sequence[tuple[Node, Part | None]], read: Node) -> dict[int, Part]:
    """The statements that only the head needs, by their places. What a condition needs is dropped until none does."""
    given = Counter(name for _, part in made if part for name in part.names)
    parts = {at: part for at, (_, part) in enumerate(made) if part and all(given[name] == 1 for name in part.names)}
    while True:
        needed = free(read).union(*(free(part.term) for part in parts.values()))
        conditions = [part.term if part else statement for at, (statement, part) in enumerate(made) if at not in parts]
        asked = free(conditions)
        kept = {at: part for at, part in parts.items() if part.names & needed and not part.names & asked}
        if len(kept) == len(parts):
            return kept
        parts = kept


def _is_built(part: Part | None) -> bool:
    return part is not None and part.term["type"] != "ref"


def _made_into(read: Node, parts: Iterable[Part], others: Mapping[int, Part]) -> dict[int, Part]:
    """Those of `others` that become what is read, or are gone through for it, by their places."""
    reached, whole = free(read), _shaped(read)
    while True:
        found = [part for part in (*parts, *others.values()) if part.names & reached]
        further = reached.union(*(free(part.term) for part in found))
        shaped = whole.union(*(_shaped(part.term) for part in found if part.each or part.names & whole))
        if (further, shaped) == (reached, whole):
            break
        reached, whole = further, shaped
    return {
        at: part
        for at, part in others.items()
        if part.names & reached and (part.each or part.names & whole or _is_shape(part.term))
    }


def _shaped(term: Node) -> Names:
    """The variables whose values make up the value of a term, as those of `object.union` do."""
    match term:
        case {"type": "var", "value": str(name)}:
            return frozenset([name])
        case {"type": "call", "value": [_, *arguments]} if _is_shape(term):
            return NONE.union(*map(_shaped, arguments))
        case {"type": "ref", "value": [first, *_]}:
            return _shaped(first)
    return NONE


def _is_shape(term: Node) -> bool:
    match term:
        case {"type": "call", "value": [function, *_]}:
            return ".".join(str(part.get("value")) for part in function["value"]) in SHAPING
    return bool(term["type"] == "object")


def _gone_through(statement: Node) -> Part | None:
    """What a statement takes each value of; a variable at the end of a reference stands for each member of a set."""
    match statement:
        case {"negated": True} | {"with": _}:
            return None
        case {"terms": {"symbols": [{"type": "call", "value": [_, *names, domain]}]}}:
            return Part({"type": "array", "value": names}, domain, each=True)
        case {"terms": {"type": "ref", "value": [*parts, {"type": "var"} as last]}} if parts:
            return Part(last, {"type": "ref", "value": parts}, each=True)
    return None


def is_unconditional(rule: Node) -> bool:
    """Whether the rule has no body, which OPA's syntax tree shows as the body `true`."""
    return all(statement.get("generated", False) for statement in rule.get("body", []))


def free(node: object) -> Names:
    """The variables that must have a value for `node` to have one; names of documents and imports are among them."""
    match node:
        case {"type": "var", "value": str(name)}:
            return frozenset([name])
        case {"type": kind, "value": dict(inner)} if kind in COMPREHENSIONS:
            return free(list(inner.values())) - NONE.union(*map(_declared, inner["body"]))
        case {"domain": domain, "value": value, "body": body, **rest}:
            return free(domain) | (free(body) - free([value, rest.get("key")]))
    return NONE.union(*map(free, _below(node)))


def _below(node: object) -> Sequence[object]:
    """The parts of a node of which each may hold a variable. The name of a called function is none."""
    match node:
        case {"type": "call", "value": [_, *arguments]}:
            return arguments
        case {"terms": [_, *arguments], **rest}:
            return [*arguments, rest.get("with")]
        case dict():
            return [value for key, value in node.items() if key != "location"]
        case list():
            return node
    return ()


def _declared(statement: Node) -> Names:
    """The variables that a statement declares by `:=` or `some`."""
    match statement["terms"]:
        case {"symbols": [{"type": "var"}, *_] as names}:
            return free(names)
    return _bound(statement)


def spelling(node: object) -> str:
    """Equal for parts of the syntax tree that are written alike, wherever they stand."""
    return json.dumps(_unplaced(node), sort_keys=True)


def _unplaced(node: object) -> object:
    if isinstance(node, dict):
        return {key: _unplaced(value) for key, value in node.items() if key != "location"}
    return [_unplaced(part) for part in node] if isinstance(node, list) else node


def _needed(node: object) -> Iterator[Node]:
    """The references that must have a value for a statement to hold; `x in object.keys(y)` needs `y[x]`."""
    match node:
        case {"negated": True} | {"with": _} | {"type": "templatestring"}:
            return
        case {"type": str(kind)} if kind in COMPREHENSIONS:
            return
        case {"domain": domain, "value": _, "body": _}:
            yield from _needed(domain)
            return
        case {"type": "ref", "value": list(reference)}:
            yield {"type": "ref", "value": reference}
    if (looked_up := _looked_up(node)) is not None:
        yield looked_up
    for part in _below(node):
        yield from _needed(part)


def _looked_up(node: object) -> Node | None:
    match node:
        case {"terms": [{"value": [{"value": "internal"}, {"value": "member_2"}]}, key, {"type": "call"} as call]}:
            function, *arguments = call["value"]
            if [part["value"] for part in function["value"]] == ["object", "keys"]:
                (whole,) = arguments
                parts = whole["value"] if whole["type"] == "ref" else [whole]
                return {"type": "ref", "value": [*parts, key]}
    return None


def _bound(statement: Node) -> Names:
    """The variables that a statement declares and binds."""
    match statement["terms"]:
        case [{"value": [{"value": "assign"}]}, pattern, _]:
            return free(pattern)
        case {"symbols": [{"type": "call", "value": [_, *names, _]}]}:
            return free(names)
    return NONE


def _domains(statement: Node) -> Iterator[tuple[str, Node]]:
    match statement["terms"]:
        case {"symbols": [{"type": "call", "value": [_, *_, {"type": "var", "value": str(name)}, domain]}]}:
            yield name, domain


def _only_says(statement: Node) -> bool:
    """Whether a statement asks nothing: `print`, or the declaration `some x`."""
    match statement["terms"]:
        case [{"value": [{"value": str(name)}]}, *_]:
            return name in _SAYING
        case {"symbols": [{"type": "var"}, *_]}:
            return True
    return False


def _made(statement: Node, known: Names) -> Part | None:
    """What a statement makes if it only gives a value to variables; those in `known` are declared elsewhere."""
    part = None if statement.get("negated") else _assigned(statement["terms"], known)
    if part is not None and "with" in statement:
        return part._replace(term={**part.term, "type": "with", "value": [part.term, statement["with"]]})
    return part


def _assigned(terms: Any, known: Names) -> Part | None:
    match terms:
        case [{"value": [{"value": "assign"}]}, pattern, term]:
            return Part(pattern, term)
        case [{"value": [{"value": "eq"}]}, left, right]:
            found = [Part(*sides) for sides in ((left, right), (right, left)) if _is_new(sides[0], known)]
            return found[0] if found else None
        case {"symbols": [{"type": "call", "value": [_, *names, {"type": kind} as domain]}]} if kind in LITERALS:
            return Part({"type": "array", "value": names}, domain, each=True)
        case [{"value": [{"value": str(name)}, *_]} as function, *arguments, {"type": "var"} as last]:
            if name not in _COMPARISONS and _is_new(last, known):
                return Part(last, {**function, "type": "call", "value": [function, *arguments]})
    return None


def _is_new(pattern: Node, known: Names) -> bool:
    return pattern["type"] in {"var", "array", "object"} and bool(free(pattern)) and not free(pattern) & known
