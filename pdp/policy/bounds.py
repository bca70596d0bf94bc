"""Finds bodies that are never true, because two of their statements contradict each other. Pure.

`hour >= 22` and `hour < 6` in one body is meant as two rules.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pdp.policy.branch import Branch, call, dotted, plain
from pdp.policy.finding import Finding
from pdp.policy.module import Node
from pdp.policy.needs import ORDERINGS
from pdp.policy.untyped import shown

_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "=="}
_SIGNS: Mapping[str, str] = {**ORDERINGS, "equal": "==", "eq": "=="}
_NEVER_NEGATIVE = {"count", "abs", "strings.count"}


class _Range(NamedTuple):
    """The numbers that a value may be: the ends, and whether they belong to it."""

    low: float = float("-inf")
    high: float = float("inf")
    with_low: bool = True
    with_high: bool = True

    def narrowed(self, sign: str, number: float) -> "_Range":
        """What is left where the value is also `sign` that number."""
        found = self
        if sign in {">", ">=", "=="} and (number > found.low or (number == found.low and sign == ">")):
            found = found._replace(low=number, with_low=sign != ">")
        if sign in {"<", "<=", "=="} and (number < found.high or (number == found.high and sign == "<")):
            found = found._replace(high=number, with_high=sign != "<")
        return found

    @property
    def is_empty(self) -> bool:
        return self.low > self.high or (self.low == self.high and not (self.with_low and self.with_high))


def contradicted(branch: Branch) -> Iterator[Finding]:
    """A finding for each statement of a body that is never true beside the others."""
    for statement, sentence in (*_outside(branch), *_none_left(branch), *_denied(branch)):
        where = statement if "location" in statement else branch.rule
        yield branch.module.finding(where, "never-equal", sentence)


def _outside(branch: Branch) -> Iterator[tuple[Node, str]]:
    """Statements after which no number is left for a value."""
    left: dict[bytes, _Range] = {}
    for statement in branch.statements:
        for one, other, way in _compared(statement):
            known = branch.expanded(other)
            if known["type"] != "number" or not _is_read(branch, one):
                continue
            before = left.get(key := branch.same(one), _of(branch, one))
            left[key] = before.narrowed(way, known["value"])
            if left[key].is_empty and not before.is_empty:
                yield statement, f"`{shown(one)} {way} {shown(known)}` is never true here; {_ends(branch, one)}"


def _compared(statement: Node) -> Iterator[tuple[Node, Node, str]]:
    """A comparison, and the same with its sides turned."""
    function, sides = call(statement)
    if sign := _SIGNS.get(dotted(function)):
        yield sides[0], sides[1], sign
        yield sides[1], sides[0], _TURNED[sign]


def _ends(branch: Branch, term: Node) -> str:
    if _of(branch, term).low == 0:
        return "it is 0 or more"
    return "the body says otherwise of it, and all of a body must hold; write two rules where one of both is enough"


def _of(branch: Branch, term: Node) -> _Range:
    function, _ = call(branch.expanded(term))
    return _Range(low=0) if dotted(function) in _NEVER_NEGATIVE else _Range()


def _none_left(branch: Branch) -> Iterator[tuple[Node, str]]:
    """Statements after which no text is left for a value."""
    left: dict[bytes, set[str]] = {}
    without: dict[bytes, set[str]] = {}
    for statement in branch.statements:
        for one, texts, is_one in _told(branch, statement):
            key = branch.same(one)
            before = left.get(key)
            if is_one:
                left[key] = texts if before is None else before & texts
            else:
                without.setdefault(key, set()).update(texts)
            if key in left and not left[key] - without.get(key, set()) and (before is None or before):
                left[key] = set()
                yield statement, f"no text is left for `{shown(one)}` here, because the body says otherwise of it, too"


def _told(branch: Branch, statement: Node) -> Iterator[tuple[Node, set[str], bool]]:
    """Each value of which a statement says which texts it is one of, or is not."""
    function, sides = call(statement)
    name = dotted(function)
    if name in {"equal", "eq", "neq"}:
        for one, other in (sides[:2], sides[1::-1]):
            known = branch.expanded(other)
            if known["type"] == "string" and _is_read(branch, one):
                yield one, {known["value"]}, name != "neq"
    elif name == "internal.member_2" and _is_read(branch, sides[0]):
        known = branch.expanded(sides[1])
        items: list[Any] = known["value"] if known["type"] in {"array", "set"} else []
        if items and all(item["type"] == "string" for item in items):
            yield sides[0], {item["value"] for item in items}, True


def _denied(branch: Branch) -> Iterator[tuple[Node, str]]:
    """Statements of which the same body says that they are not true."""
    said = {_terms(statement) for statement in branch.statements}
    for statement in branch.node.get("body", ()):
        if statement.get("negated") and "with" not in statement and _terms(statement) in said:
            yield statement, "the same body says this and denies it, so it is never true"


def _terms(statement: Node) -> bytes:
    return plain(statement.get("terms"))


def _is_read(branch: Branch, term: Node) -> bool:
    """Whether a term is known only when a request is decided."""
    return branch.expanded(term)["type"] in {"ref", "var", "call"}
