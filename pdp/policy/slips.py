"""Finds slips in calls: arguments the wrong way round, seconds for nanoseconds, a range that goes downwards. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from pdp.policy.branch import Branch, call, dotted
from pdp.policy.finding import Finding
from pdp.policy.forms import INDEXED, keeps_case, verbs
from pdp.policy.inference import named
from pdp.policy.module import Node
from pdp.policy.needs import ORDERINGS
from pdp.policy.reference import Path
from pdp.policy.shape import FROM, MADE
from pdp.policy.untyped import Typing, shown

NOW = ("input", "now")
EARLIEST = 10**17
"""Nanoseconds from 1970 to 1973. A smaller number that is compared with the time counts seconds or milliseconds."""
_IS_MEMBER = ("data", "pdp", "is_member")
_COMPARISONS = {**ORDERINGS, "equal": "==", "neq": "!="}
_SEARCHES: Mapping[str, tuple[int, int]] = {
    "startswith": (0, 1),
    "endswith": (0, 1),
    "contains": (0, 1),
    "regex.match": (1, 0),
    "glob.match": (2, 0),
}
"""Builtins that look for a text or a pattern in another text: where that stands, and where what is looked for."""


def slips(typing: Typing) -> Iterator[Finding]:
    """A finding for each call that does not ask what its author means."""
    for branch in typing.inference.branches:
        for node, function, name, arguments in branch.calls if branch.is_authored else ():
            for sentence in _found(typing, branch, function, name, arguments):
                yield branch.module.finding(node if "location" in node else branch.rule, "slip", sentence)


def _found(
    typing: Typing, branch: Branch, function: Sequence[Node], name: str, arguments: Sequence[Node]
) -> Iterator[str]:
    if name in _COMPARISONS:
        yield from _compared(typing, branch, _COMPARISONS[name], arguments[:2])
    if name in _SEARCHES:
        yield from _searched(typing, branch, name, arguments)
    if name in _CALLS:
        yield from _CALLS[name](branch, arguments)
    if named(branch, function) == _IS_MEMBER:
        yield from _member(branch, arguments)


def _compared(typing: Typing, branch: Branch, sign: str, sides: Sequence[Node]) -> Iterator[str]:
    one, other = sides
    if branch.same(one) == branch.same(other) and branch.expanded(one)["type"] in {"ref", "var", "call"}:
        yield f"`{shown(one)} {sign} {shown(other)}` compares a value with itself; compare it with another"
    for left, right, way in ((one, other, sign), (other, one, ">" if sign == "<" else "")):
        number = _number(typing, branch, right)
        if branch.path(left) == NOW and number and number < EARLIEST:
            yield f"`input.now` counts nanoseconds, and {number} of them end in 1970; write time.parse_rfc3339_ns(…)"
        function, _ = call(branch.expanded(left))
        if dotted(function) == "indexof" and way == ">" and number == 0:
            yield f"`indexof` is 0 at the beginning, which `> 0` leaves out; write `contains`, or `{shown(left)} >= 0`"


def _number(typing: Typing, branch: Branch, term: Node) -> float | None:
    known = branch.expanded(term)
    number = known["value"] if known["type"] == "number" else typing.inference.reach.document(branch.path(term))
    return number if isinstance(number, int | float) and not isinstance(number, bool) else None


def _searched(typing: Typing, branch: Branch, name: str, arguments: Sequence[Node]) -> Iterator[str]:
    where, what = (arguments[at] for at in _SEARCHES[name])
    known = branch.expanded(what)
    if branch.expanded(where)["type"] == "string" and _is_sent(typing, branch, what):
        yield f"`{name}` looks for `{shown(what)}` in {shown(where)}; its arguments stand the wrong way round"
    elif name in {"regex.match", "glob.match"} and _is_sent(typing, branch, what):
        yield f"the pattern `{shown(what)}` is the caller's, so the caller chooses what `{name}` answers"
    elif known["type"] == "string" and not name.endswith(".match") and not keeps_case(branch, where, known["value"]):
        yield f"`{shown(where)}` never holds {shown(known)}, because of its case; write that in the same"


def _is_sent(typing: Typing, branch: Branch, term: Node) -> bool:
    """Whether a value is as a caller sends it."""
    shape = typing.inference.shape(branch, term)
    return FROM in shape and MADE not in shape and branch.path(term)[:1] == ("input",)


def _range(branch: Branch, arguments: Sequence[Node]) -> Iterator[str]:
    first, last = (branch.expanded(each) for each in arguments[:2])
    if first["type"] == last["type"] == "number" and first["value"] > last["value"]:
        low, high = last["value"], first["value"]
        yield (
            f"`numbers.range({high}, {low})` counts down and has all numbers from {low} to {high}; for those outside, "
            f"write `not x in numbers.range({low + 1}, {high - 1})`"
        )


def _format(branch: Branch, arguments: Sequence[Node]) -> Iterator[str]:
    form, values = (branch.expanded(each) for each in arguments[:2])
    is_plain = form["type"] == "string" and not INDEXED.search(form["value"])
    if is_plain and values["type"] == "array" and verbs(form["value"]) != len(values["value"]):
        yield f"{shown(form)} has {verbs(form['value'])} places for {len(values['value'])} values; mend one of both"


_CALLS: Mapping[str, Callable[[Branch, Sequence[Node]], Iterator[str]]] = {"numbers.range": _range, "sprintf": _format}


def _member(branch: Branch, arguments: Sequence[Node]) -> Iterator[str]:
    """Sentences for `data.pdp.is_member(identity, group)` with something else for an identity."""
    one = branch.expanded(arguments[0])
    is_bare = one["type"] == "string" and ":" not in one["value"]
    if is_bare or _is_id(branch.path(arguments[0])):
        sentence = 'an identity is `<type>:<id>`: `sprintf("%s:%s", [input.subject.type, input.subject.id])`'
        yield f"`{shown(arguments[0])}` lacks the type, so no group has it; {sentence}"
    if branch.path(arguments[1]) == ("input", "caller", "identity"):
        yield "`is_member` takes the identity first, and then the group"


def _is_id(path: Path) -> bool:
    return path in {("input", "subject", "id"), ("input", "resource", "id")}
