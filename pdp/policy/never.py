"""Finds questions with one answer for all requests: of values of other kinds, or that a schema does not have. Pure.

`in` asks the values of an object and the items of a list; a list has a step for numbers alone.
"""

from collections.abc import Collection, Container, Iterator, Sequence
from typing import Any

from pdp.policy.bounds import contradicted
from pdp.policy.branch import Branch, until
from pdp.policy.finding import Finding
from pdp.policy.forms import may_be
from pdp.policy.module import Node
from pdp.policy.near import near
from pdp.policy.schema import Schema
from pdp.policy.shape import SET, below, kinds
from pdp.policy.untyped import Typing, shown

_EQUALITIES = {"equal": "==", "eq": "=", "neq": "!="}
_NEAR = 20_000
"""Pairs of texts that are held side by side in search of a misspelt one."""
_SHOWN = 20
"""Values that a sentence lists."""


def never_in(typing: Typing) -> Iterator[Finding]:
    """A finding for each question about data that no value of the asked kind answers."""
    for branch in _authored(typing):
        for node, _, name, arguments in branch.calls:
            if name == "internal.member_2" and (sentence := _asked(typing, branch, arguments)):
                yield branch.module.finding(_located(node, branch), "never-in", sentence)
        for node in branch.references:
            for sentence in _stepped(typing, branch, node):
                yield branch.module.finding(_located(node, branch), "never-in", sentence)


def never_equal(typing: Typing) -> Iterator[Finding]:
    """A finding for each comparison of two values of which schemas, data or the body say that they are never equal."""
    for branch in _authored(typing):
        for node, _, name, arguments in branch.calls:
            for sign, sides in _compared(branch, name, arguments):
                if why := _unequal(typing, branch, sides):
                    sentence = f"`{shown(sides[0])} {sign} {shown(sides[1])}` has always the same answer: {why}"
                    yield branch.module.finding(_located(node, branch), "never-equal", sentence)
        yield from contradicted(branch)


def _located(node: Node, branch: Branch) -> Node:
    return node if "location" in node else branch.rule


def _compared(branch: Branch, name: str, sides: Sequence[Node]) -> Iterator[tuple[str, Sequence[Node]]]:
    """The two sides of a comparison, and `x` with each item of a list that is written out, in `x in [...]`."""
    if sign := _EQUALITIES.get(name):
        yield sign, sides[:2]
    if name == "internal.member_2" and (known := branch.expanded(sides[1]))["type"] in {"array", "set"}:
        for item in known["value"]:
            yield "==", (sides[0], item)


def _authored(typing: Typing) -> Iterator[Branch]:
    yield from (branch for branch in typing.inference.branches if branch.is_authored)


def _asked(typing: Typing, branch: Branch, arguments: Sequence[Node]) -> str:
    """The sentence for `x in y` where no item of `y`, a list in data, is of the kind of `x`."""
    if branch.path(arguments[1])[:1] != ("data",):
        return ""
    domain = typing.inference.shape(branch, arguments[1])
    asked, held = kinds(typing.inference.shape(branch, arguments[0])), kinds(below(domain, None))
    if kinds(domain) != {"array"} or not asked or not held or asked & held:
        return _unmatched(typing, branch, arguments[0], typing.inference.reach.listed(branch.path(arguments[1])))
    name = shown(arguments[1])
    return f"`{name}` has items of another type ({_named(held)}) than `{shown(arguments[0])}` ({_named(asked)})"


def _unmatched(typing: Typing, branch: Branch, asked: Node, items: Sequence[Any]) -> str:
    """The sentence for `asked` beside items of data of which it is never one: none of them, or a misspelt one."""
    texts = [item for item in items if isinstance(item, str)]
    for text in texts:
        if not may_be(branch, asked, text):
            return f"`{shown(asked)}` is never `{text}`; mend that item"
    enum = typing.inference.shape(branch, asked).get("enum")
    listed = dict.fromkeys(each for each in enum or () if isinstance(each, str))
    odd = [] if enum is None else [text for text in texts if text not in listed]
    if odd and (len(odd) == len(items) or _is_misspelt(odd, listed, set(texts))):
        return f"`{shown(asked)}` is never `{odd[0]}`: there is only {_shown([*listed])}"
    return ""


def _is_misspelt(odd: Sequence[str], listed: Collection[str], texts: Container[str]) -> bool:
    """Whether one of these texts is nearly one of the listed that is not there; of many, the first are looked at."""
    meant = (near(text, listed) for text in odd[: _NEAR // (len(listed) or 1)])
    return any(other and other not in texts for other in meant)


def _stepped(typing: Typing, branch: Branch, node: Node) -> Iterator[str]:
    """A sentence for each step by a text into a list in data."""
    for at, part in enumerate(node["value"][1:], 1):
        if part["type"] not in {"var", "ref", "call"} or branch.path(whole := until(node, at))[:1] != ("data",):
            continue
        held, steps = typing.inference.shape(branch, whole), typing.inference.shape(branch, part)
        name, key = shown(whole), shown(part)
        if _is_list(held) and kinds(steps) == {"string"}:
            yield f"`{name}` is a list, so `{name}[{key}]` finds nothing; write `{key} in {name}`"
        elif _is_document(held) and kinds(steps) and "string" not in kinds(steps):
            yield f"names in data are texts, so `{name}[{key}]` finds nothing; write `format_int({key}, 10)` in it"
        elif _is_document(held) and (sentence := _unmatched(typing, branch, part, [*held["properties"]])):
            yield sentence


def _is_document(shape: Schema) -> bool:
    return bool(shape.get("properties")) and shape.get("additionalProperties") is False


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
            return f"there is only {_shown(listed)}"
    for side, other in (sides[:2], sides[1::-1]):
        known = branch.expanded(other)
        if known["type"] == "string" and not may_be(branch, side, known["value"]):
            return f"`{shown(side)}` is made so that it is never that"
    return _of_an_item(typing, branch, sides)


def _of_an_item(typing: Typing, branch: Branch, sides: Sequence[Node]) -> str:
    """The sentence where one side is each item of a list in data of which the other is never one."""
    for one, other in (sides[:2], sides[1::-1]):
        bound = branch.bound.get(str(other.get("value")), ()) if other["type"] == "var" else ()
        if len(bound) == 1 and bound[0][1] == (None,):
            items = typing.inference.reach.listed(branch.path(bound[0][0]))
            if sentence := _unmatched(typing, branch, one, items):
                return sentence
    return ""


def _shown(listed: Sequence[Any]) -> str:
    named = [f"`{each}`" for each in listed if each != ""]
    more = f" and {len(named) - _SHOWN:,} more" if len(named) > _SHOWN else ""
    return ", ".join(named[:_SHOWN]) + more


def _named(found: frozenset[str]) -> str:
    return " or ".join(sorted(found))
