"""Finds questions with one answer for all requests: of values of other kinds, or that a schema does not have. Pure.

`in` asks the values of an object and the items of a list; a list has a step for numbers alone.
"""

from collections.abc import Iterator, Sequence

from pdp.policy.branch import Branch, call, dotted, until
from pdp.policy.finding import Finding
from pdp.policy.module import Node, nodes
from pdp.policy.schema import Schema
from pdp.policy.shape import SET, below, kinds
from pdp.policy.untyped import Typing, shown

_EQUALITIES = {"equal": "==", "eq": "=", "neq": "!="}


def never_in(typing: Typing) -> Iterator[Finding]:
    """A finding for each question about data that no value of the asked kind answers."""
    for branch in _authored(typing):
        for node in nodes(branch.tree):
            where = node if "location" in node else branch.rule
            function, arguments = call(node)
            if dotted(function) == "internal.member_2" and (sentence := _asked(typing, branch, arguments)):
                yield branch.module.finding(where, "never-in", sentence)
            for sentence in _stepped(typing, branch, node):
                yield branch.module.finding(where, "never-in", sentence)


def never_equal(typing: Typing) -> Iterator[Finding]:
    """A finding for each comparison of two values of which schemas, data or the body say that they are never equal."""
    for branch in _authored(typing):
        for node in nodes(branch.tree):
            for sign, sides in _compared(branch, node):
                if why := _unequal(typing, branch, sides):
                    sentence = f"`{shown(sides[0])} {sign} {shown(sides[1])}` has always the same answer: {why}"
                    yield branch.module.finding(node if "location" in node else branch.rule, "never-equal", sentence)
        yield from _contradicted(branch)


def _compared(branch: Branch, node: Node) -> Iterator[tuple[str, Sequence[Node]]]:
    """The two sides of a comparison, and `x` with each item of a list that is written out, in `x in [...]`."""
    function, sides = call(node)
    if sign := _EQUALITIES.get(dotted(function)):
        yield sign, sides[:2]
    if dotted(function) == "internal.member_2" and (known := branch.expanded(sides[1]))["type"] in {"array", "set"}:
        for item in known["value"]:
            yield "==", (sides[0], item)


def _contradicted(branch: Branch) -> Iterator[Finding]:
    """A finding for each value that the body says is equal to two different texts or numbers."""
    found: dict[bytes, Node] = {}
    for statement in branch.statements:
        function, sides = call(statement)
        if dotted(function) not in {"equal", "eq"}:
            continue
        for one, other in (sides, sides[::-1]):
            known = branch.expanded(other)
            if known["type"] not in {"string", "number"} or branch.expanded(one)["type"] not in {"ref", "var"}:
                continue
            first = found.setdefault(branch.same(one), known)
            if first["value"] != known["value"]:
                sentence = f"`{shown(one)}` is not both {shown(first)} and {shown(known)}, so this is never true"
                yield branch.module.finding(
                    statement if "location" in statement else branch.rule, "never-equal", sentence
                )


def _authored(typing: Typing) -> Iterator[Branch]:
    yield from (branch for branch in typing.inference.branches if branch.is_authored)


def _asked(typing: Typing, branch: Branch, arguments: Sequence[Node]) -> str:
    """The sentence for `x in y` where no item of `y`, a list in data, is of the kind of `x`."""
    if branch.path(arguments[1])[:1] != ("data",):
        return ""
    domain = typing.inference.shape(branch, arguments[1])
    asked, held = kinds(typing.inference.shape(branch, arguments[0])), kinds(below(domain, None))
    if kinds(domain) != {"array"} or not asked or not held or asked & held:
        return ""
    name = shown(arguments[1])
    return f"`{name}` has items of another type ({_named(held)}) than `{shown(arguments[0])}` ({_named(asked)})"


def _stepped(typing: Typing, branch: Branch, node: Node) -> Iterator[str]:
    """A sentence for each step by a text into a list in data."""
    for at, part in enumerate(node["value"][1:], 1) if node.get("type") == "ref" else ():
        if part["type"] not in {"var", "ref", "call"} or branch.path(whole := until(node, at))[:1] != ("data",):
            continue
        if _is_list(typing.inference.shape(branch, whole)) and kinds(typing.inference.shape(branch, part)) == {
            "string"
        }:
            name, key = shown(whole), shown(part)
            yield f"`{name}` is a list, so `{name}[{key}]` finds nothing; write `{key} in {name}`"


def _is_list(shape: Schema) -> bool:
    return kinds(shape) == {"array"} and not any(SET in each for each in shape.get("anyOf", [shape]))


def _unequal(typing: Typing, branch: Branch, sides: Sequence[Node]) -> str:
    shapes = [typing.inference.shape(branch, side) for side in sides]
    left, right = map(kinds, shapes)
    if left and right and not left & right and {"null"} not in (left, right):
        return f"one is of type {_named(left)}, the other of type {_named(right)}"
    if left == right == {"array"} and len({SET in shape for shape in shapes if "anyOf" not in shape}) > 1:
        return "one is a set, the other a list"
    for shape, other in ((shapes[0], sides[1]), (shapes[1], sides[0])):
        known, listed = branch.expanded(other), shape.get("enum", [shape["const"]] if "const" in shape else None)
        if listed is not None and known["type"] in {"string", "number"} and known["value"] not in listed:
            return f"there is only {', '.join(f'`{each}`' for each in listed)}"
    return ""


def _named(found: frozenset[str]) -> str:
    return " or ".join(sorted(found))
