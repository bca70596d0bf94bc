"""Finds conditions of an `allow` that one item of a caller's list meets, where the others are not asked. Pure.

1. `some t in tags` beside `t in {"public"}` allows tags of which one is public. `every` asks all of them.
2. Of the chain on whose behalf a request is made, one link that is somebody is what an author may ask for. One that is
   not somebody, as `link.type != "guest"`, says nothing of the others.
3. An item that is found by its name and then asked for more is one item, so that is fine; and so is an item that equals
   something of the request. Groups of the caller, for which the credential vouches, are asked one by one rightly.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pdp.policy.branch import Branch, call, dotted, until
from pdp.policy.finding import Finding
from pdp.policy.module import Node, nodes
from pdp.policy.reach import ALLOWS
from pdp.policy.shape import FROM, senders
from pdp.policy.untyped import Typing, shown

_SIGNS: Mapping[tuple[str, bool], str] = {
    ("equal", False): "==",
    ("internal.member_2", False): "in",
    ("neq", False): "!=",
    ("equal", True): "!=",
    ("internal.member_2", True): "not in",
}
"""How a comparison reads, by its builtin and whether it is denied."""
_CHAIN = ("input", "on_behalf_of")


class _Item(NamedTuple):
    """An item of a list, by each name that the body has for it, and the steps into it."""

    names: frozenset[str]
    listing: Node
    steps: str


def enough(typing: Typing) -> Iterator[Finding]:
    """A finding for each condition that one item of a caller's list meets."""
    for branch in typing.inference.branches:
        if branch.is_authored and typing.inference.reach.signs(branch) == {ALLOWS}:
            for statement in branch.node.get("body", ()):
                if sentence := _said(typing, branch, statement):
                    where = statement if "location" in statement else branch.rule
                    yield branch.module.finding(where, "one-is-enough", sentence)


def _said(typing: Typing, branch: Branch, statement: Node) -> str:
    function, sides = call(statement)
    sign = _SIGNS.get((dotted(function), bool(statement.get("negated"))), "")
    if not sign or "with" in statement:
        return ""
    pairs = [(sides[0], sides[1])] if "in" in sign else [(sides[0], sides[1]), (sides[1], sides[0])]
    for one, other in pairs:
        item = _item(branch, one)
        if item and _is_of_a_caller(typing, branch, item, sign) and not _is_sent(typing, branch, other):
            return _sentence(item, sign, other) if _asks_alone(branch, statement, item) else ""
    return ""


def _is_sent(typing: Typing, branch: Branch, term: Node) -> bool:
    return bool(senders(typing.inference.shape(branch, term))) or branch.path(term)[:1] == ("input",)


def _item(branch: Branch, term: Node) -> _Item | None:
    """The item of a list that a term is, or is part of."""
    known = branch.expanded(term)
    parts = known["value"] if known["type"] == "ref" else [known]
    own = {str(part["value"]) for part in (term, parts[0]) if part["type"] == "var"}
    for at in range(len(parts) - 1, 0, -1):
        if parts[at]["type"] == "var" and parts[at]["value"] in branch.iterated:
            names = frozenset({*own, parts[at]["value"]} - {"input", "data"})
            return _Item(names, until(known, at), _steps(parts[at + 1 :]))
    bound = branch.bound.get(str(parts[0].get("value")), ()) if parts[0]["type"] == "var" else ()
    if len(bound) == 1 and bound[0][1] == (None,):
        return _Item(frozenset(own), branch.expanded(bound[0][0]), _steps(parts[1:]))
    return None


def _steps(parts: list[Node]) -> str:
    return "".join(f".{part['value']}" for part in parts)


def _is_of_a_caller(typing: Typing, branch: Branch, item: _Item, sign: str) -> bool:
    """Whether the items are the caller's word, or, for what they must not be, the chain's links."""
    for sent in senders(typing.inference.shape(branch, item.listing)):
        path = tuple(sent[FROM])
        if path == _CHAIN:
            return sign in {"!=", "not in"}
        if path[1:2] == ("context",) or path[2:3] == ("properties",):
            return True
    return False


def _asks_alone(branch: Branch, statement: Node, item: _Item) -> bool:
    """Whether no other statement asks about the same item."""
    others = [each for each in branch.node.get("body", ()) if each is not statement and not _binds(each, item)]
    return not any(node.get("type") == "var" and node["value"] in item.names for node in nodes(others))


def _binds(statement: Node, item: _Item) -> bool:
    function, sides = call(statement)
    is_assigned = dotted(function) in {"assign", "eq"} and sides[0].get("value") in item.names
    terms = statement.get("terms")
    return is_assigned or (isinstance(terms, dict) and "symbols" in terms)


def _sentence(item: _Item, sign: str, other: Node) -> str:
    listing = shown(item.listing)
    asks = f"{'not ' if sign == 'not in' else ''}each{item.steps} {sign.removeprefix('not ')} {shown(other)}"
    some = f"count([1 | some each in {listing}; {asks}]) > 0"
    return (
        f"one item of `{listing}` is enough here, and the others may be any; write `count({listing}) > 0` and "
        f"`every each in {listing} {{ {asks} }}`, or, if one is enough, `{some}`"
    )
