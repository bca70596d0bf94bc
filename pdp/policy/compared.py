"""Every text, of a rule or of data, with which a rule compares a value. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pdp.policy.branch import Branch, call, dotted, until
from pdp.policy.module import Node
from pdp.policy.shape import FROM, MADE, senders
from pdp.policy.untyped import Places, Typing, shown

EQUALITIES = {"equal", "eq", "neq"}
_SAME_WORD = {"lower", "upper", "trim_space"}
"""Builtins that change how a text is written, not which it is."""


class Compared(NamedTuple):
    """A value that is compared with a text, where, and what the text is an item of; empty if the rule writes it."""

    branch: Branch
    node: Node
    asked: Node
    text: str
    listing: str = ""


def comparisons(typing: Typing) -> Sequence[Compared]:
    """Every comparison of a value with a text in the rules that decide. Several checks ask for them."""
    if not typing.comparisons:
        typing.comparisons.extend(_comparisons(typing))
    return typing.comparisons


def _comparisons(typing: Typing) -> Iterator[Compared]:
    for branch in typing.inference.branches:
        if branch.is_authored and typing.inference.reach.signs(branch):
            for node, found in _in(typing, branch):
                where = node if "location" in node else branch.rule
                yield from (Compared(branch, where, asked, text, listing) for asked, text, listing in found)


def _in(typing: Typing, branch: Branch) -> Iterator[tuple[Node, Iterable[tuple[Node, str, str]]]]:
    for node, _, name, sides in branch.calls:
        if name in EQUALITIES or name == "internal.member_2":
            yield node, _called(typing, branch, name, sides)
    for node in branch.references:
        yield node, _stepped(typing, branch, node)


def _called(typing: Typing, branch: Branch, name: str, sides: Sequence[Node]) -> Iterator[tuple[Node, str, str]]:
    if name == "internal.member_2":
        yield from ((sides[0], text, listing) for text, listing in _items(typing, branch, sides[1]))
    else:
        for one, other in (sides[:2], sides[1::-1]):
            yield from ((one, text, listing) for text, listing in texts(typing, branch, other))


def _stepped(typing: Typing, branch: Branch, node: Node) -> Iterator[tuple[Node, str, str]]:
    """Each name of data by which a reference may step into it."""
    for at, part in enumerate(node["value"][1:], 1):
        is_iterated = part["type"] == "var" and part["value"] in branch.iterated
        if part["type"] in {"ref", "var", "call"} and not is_iterated:
            held = typing.inference.reach.document(branch.path(whole := until(node, at)))
            name = shown(whole)
            yield from ((part, key, name) for key in (held if isinstance(held, dict) else ()))


def texts(typing: Typing, branch: Branch, term: Node) -> Iterator[tuple[str, str]]:
    """The texts that a term may be, each with the name of the list in data that it is an item of."""
    known = branch.expanded(term)
    if known["type"] == "string":
        yield known["value"], ""
    elif (listing := item_of(branch, known)) is not None:
        yield from _items(typing, branch, listing)
    elif isinstance(text := typing.inference.reach.document(branch.path(known)), str):
        yield text, shown(known)


def _items(typing: Typing, branch: Branch, domain: Node) -> Iterator[tuple[str, str]]:
    known = branch.expanded(domain)
    if known["type"] in {"array", "set"}:
        yield from ((item["value"], "") for item in map(branch.expanded, known["value"]) if item["type"] == "string")
    listed: Sequence[Any] = typing.inference.reach.listed(branch.path(known))
    name = shown(known)
    yield from ((item, name) for item in listed if isinstance(item, str))


def item_of(branch: Branch, term: Node) -> Node | None:
    """The list whose items a term takes one by one, whole."""
    if term["type"] == "ref" and str(term["value"][-1].get("value")) in branch.iterated:
        return until(term, len(term["value"]) - 1)
    bound = branch.bound.get(str(term.get("value")), ()) if term["type"] == "var" else ()
    return bound[0][0] if len(bound) == 1 and bound[0][1] == (None,) else None


def origins(typing: Typing, branch: Branch, term: Node) -> Places:
    """Where in the request the values of a term stand, as they are sent or in another case; empty for other values."""
    key = (id(branch), id(term))
    if key not in typing.origins:  # asked for each text of a list, which may have thousands
        typing.origins[key] = (term, _origins(typing, branch, term))
    return typing.origins[key][1]


def _origins(typing: Typing, branch: Branch, term: Node) -> Places:
    known = branch.expanded(term)
    function, arguments = call(known)
    if dotted(function) in _SAME_WORD:
        return origins(typing, branch, arguments[0])
    found = senders(typing.inference.shape(branch, term))
    if found and all(MADE not in each for each in found):
        return {tuple(each[FROM]) for each in found}
    return {path} if not found and (path := branch.path(known))[:1] == ("input",) else set()
