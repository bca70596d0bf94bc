"""Finds statements that are true for every request, and so ask nothing. Pure.

1. A statement that is only a value is true for every value but false. So one that always has a value, and none that is
   false, asks nothing: a set of a rule, empty or not, a list in data, the number of `count`.
2. `x != each`, over the items of a list, is true as soon as one of two items is another one. Over a list in data that
   excludes nobody from what an `allow` depends on.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from pdp.policy.branch import Branch, call, dotted, until
from pdp.policy.finding import Finding
from pdp.policy.module import Node
from pdp.policy.reach import ALLOWS
from pdp.policy.shape import kinds
from pdp.policy.untyped import Typing, shown, stated

_ANSWERED = {"count", "indexof", "indexof_n", "sum", "product", "lower", "upper", "split", "sprintf", "concat"}
"""Builtins that always answer, and never true or false."""


def always_true(typing: Typing) -> Iterator[Finding]:
    """A finding for each statement that asks nothing."""
    for branch in typing.inference.branches:
        if branch.is_authored and typing.inference.reach.signs(branch):
            for node in stated(branch):
                if sentence := _said(typing, branch, node["terms"]):
                    yield branch.module.finding(node if "location" in node else branch.rule, "always-true", sentence)
            yield from _looped(typing, branch)


def _said(typing: Typing, branch: Branch, terms: Any) -> str:
    """The sentence for a statement that is only a value."""
    if isinstance(terms, list):
        name = dotted(call({"terms": terms})[0])
        return f"`{name}(…)` alone is true for every answer; compare it" if name in _ANSWERED else ""
    if terms.get("type") not in {"ref", "var"} or not _always_has(typing, branch, terms):
        return ""
    found = kinds(typing.inference.shape(branch, terms))
    if not found or "boolean" in found:
        return ""
    return (
        f"`{shown(terms)}` alone is true even if it is empty; ask what is in it: `count({shown(terms)}) > 0`, or `in`"
    )


def _always_has(typing: Typing, branch: Branch, term: Node) -> bool:
    """Whether a reference has a value for every request: of data, of a rule that is a set, of one without a body."""
    path = branch.path(term)
    if typing.inference.reach.listed(path):
        return True
    rules = [each for each in typing.inference.branches if each.name == path]
    return bool(rules) and (
        all("key" in each.node["head"] and "value" not in each.node["head"] for each in rules)
        or any(each.rule.get("default") for each in rules)
        or any(not _has_body(each) and _is_comprehension(each.node["head"].get("value", {})) for each in rules)
    )


def _has_body(branch: Branch) -> bool:
    return any(each.get("terms", {}) != {"type": "boolean", "value": True} for each in _bare(branch.node.get("body")))


def _bare(body: Sequence[Node] | None) -> Iterator[Node]:
    for each in body or ():
        terms = each["terms"]
        yield {"terms": {key: terms[key] for key in ("type", "value")}} if _is_term(terms) else each


def _is_term(terms: Any) -> bool:
    return isinstance(terms, dict) and {"type", "value"} <= terms.keys()


def _is_comprehension(term: Node) -> bool:
    return str(term.get("type")).endswith("comprehension")


def _looped(typing: Typing, branch: Branch) -> Iterator[Finding]:
    """Comparisons with each item of a list in data that say only that some item is another one."""
    if ALLOWS not in typing.inference.reach.signs(branch):
        return
    for statement in branch.node.get("body", ()):
        function, sides = call(statement)
        is_other = dotted(function) == ("equal" if statement.get("negated") else "neq")
        for each in sides[:2] if is_other and "with" not in statement else ():
            if (listing := _items(typing, branch, each)) is not None:
                sentence = (
                    f"some item of `{listing}` is nearly always another one, so this excludes none; "
                    f"write `not x in {listing}`"
                )
                yield branch.module.finding(
                    statement if "location" in statement else branch.rule, "always-true", sentence
                )


def _items(typing: Typing, branch: Branch, term: Node) -> str | None:
    """The list in data whose items a term takes, one by one, where nothing else in the body asks of the item."""
    own, listing, most = str(term.get("value")), term, 2
    if term["type"] == "ref":
        own, listing, most = str(term["value"][-1].get("value")), until(term, len(term["value"]) - 1), 1
        is_item = own in branch.iterated
    else:
        bound = branch.bound.get(own, ()) if term["type"] == "var" else ()
        is_item = len(bound) == 1 and bound[0][1] == (None,)
        listing = next((held for held, _ in bound), term)
    used = sum(node.get("type") == "var" and node.get("value") == own for node in branch.nodes)
    listed = typing.inference.reach.listed(branch.path(listing)) if is_item else ()
    return shown(listing) if listed and used <= most else None
