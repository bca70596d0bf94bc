"""Says whether a term may be a text, by how the term is made: `lower(x)` is never "Payroll". Pure."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from pdp.policy.branch import Branch, call, dotted
from pdp.policy.module import Node

_CASES: Mapping[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "trim_space": str.strip}
"""Builtins that leave a text as it is if they made it."""
_VERB = re.compile(r"%[-+# 0-9.]*[a-zA-Z%]")
"""What `sprintf` puts a value in the place of; `%%` is a percent sign."""
INDEXED = re.compile(r"%[^a-zA-Z%]*[\[*]")
"""A place in a format that says which value it takes, or whose width is a value itself."""


def may_be(branch: Branch, term: Node, text: str) -> bool:
    """Whether a term's value may be `text`, as far as the builtin that made it tells."""
    known = branch.expanded(term)
    function, arguments = call(known)
    name = dotted(function)
    if name in _CASES:
        return _CASES[name](text) == text
    if name in {"sprintf", "concat"}:
        pattern = "".join(_format(branch, arguments) if name == "sprintf" else _joined(branch, arguments))
        return re.fullmatch(pattern, text, re.DOTALL) is not None
    separator = _separator(branch, known)
    return not separator or separator not in text


def keeps_case(branch: Branch, term: Node, text: str) -> bool:
    """Whether a term's value may hold `text` somewhere, as far as `lower` and `upper` tell."""
    function, _ = call(branch.expanded(term))
    name = dotted(function)
    return name not in {"lower", "upper"} or _CASES[name](text) == text


def verbs(form: str) -> int:
    """How many values `sprintf` puts into a format."""
    return sum(found != "%%" for found in _VERB.findall(form))


def _format(branch: Branch, arguments: Sequence[Node]) -> Iterator[str]:
    """The parts of a regular expression that every text of a format matches."""
    form = branch.expanded(arguments[0])
    if form["type"] != "string" or INDEXED.search(form["value"]):
        yield ".*"
        return
    at = 0
    for verb in _VERB.finditer(form["value"]):
        yield re.escape(form["value"][at : verb.start()])
        yield "%" if verb.group() == "%%" else ".*"
        at = verb.end()
    yield re.escape(form["value"][at:])


def _joined(branch: Branch, arguments: Sequence[Node]) -> Iterator[str]:
    """The parts of a regular expression that every text of `concat` matches."""
    between, items = map(branch.expanded, arguments[:2])
    if between["type"] != "string" or items["type"] != "array":
        yield ".*"
        return
    for index, item in enumerate(items["value"]):
        yield re.escape(between["value"]) if index else ""
        known = branch.expanded(item)
        yield re.escape(known["value"]) if known["type"] == "string" else ".*"


def _separator(branch: Branch, term: Node) -> str:
    """What a piece of a text that was split does not hold; empty for every other term."""
    made: Node = {}
    match term:
        case {"type": "ref", "value": [dict(head), _]}:
            made = branch.expanded(head)
        case {"type": "var", "value": str(name)}:
            bound = branch.bound.get(name, ())
            made = branch.expanded(bound[0][0]) if len(bound) == 1 and len(bound[0][1]) == 1 else {}
    function, arguments = call(made)
    known = branch.expanded(arguments[1]) if dotted(function) == "split" else {}
    return str(known["value"]) if known.get("type") == "string" else ""
