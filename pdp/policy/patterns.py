"""Finds patterns of `regex.match` that fit more texts than they seem to, where a fit lets something through. Pure.

1. `^a|b$` fits each text that begins with a or ends with b: an anchor binds the alternative that it stands in.
2. A pattern without anchors fits each text that has a part like it.
3. What is said is fine: `(?:^a)|(?:b$)` for the first, `^.*a.*$` for the second.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from pdp.policy.branch import Branch, call, dotted
from pdp.policy.compared import texts
from pdp.policy.finding import Finding
from pdp.policy.module import Node
from pdp.policy.reach import ALLOWS
from pdp.policy.shape import senders
from pdp.policy.untyped import Typing, shown

_FLAGS = re.compile(r"\(\?[a-zA-Z-]+\)")
_PART = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
"""One sign of a pattern: quoted text, an escape, a class, or a letter."""
_FIRST = re.compile(r"(?:\((?:\?(?:[a-zA-Z-]*:|P?<\w+>))?)*(?:\^|\\A|\.[*+])")
_LAST = re.compile(r"(?:(?<!\\)(?:\\\\)*(?:\$|\\z|\.[*+]))\)*\Z")
"""The beginning, and the end, of an alternative that says which texts may stand there."""


class _Pattern(NamedTuple):
    """The flags of a pattern and its alternatives, and for each whether its beginning and its end are said."""

    flags: str
    alternatives: list[str]

    @property
    def said(self) -> list[tuple[bool, bool]]:
        return [(bool(_FIRST.match(each)), bool(_LAST.search(each))) for each in self.alternatives]

    @property
    def is_half_anchored(self) -> bool:
        """Whether an anchor binds only some of the alternatives. A group for each says that this is meant."""
        if all(_inside(each) is not None for each in self.alternatives):
            return False
        return any(len(set(side)) > 1 for side in zip(*self.said, strict=True))

    @property
    def is_unanchored(self) -> bool:
        return not any(first or last for first, last in self.said)


def half_anchored(typing: Typing) -> Iterator[Finding]:
    """A finding for each pattern whose anchors bind only some of its alternatives."""
    for branch, node, value, pattern, _ in _lenient(typing):
        found = _parsed(pattern)
        if found.is_half_anchored:
            whole = "|".join(_bare(each) for each in found.alternatives)
            each = "|".join(f"(?:{alternative})" for alternative in found.alternatives)
            sentence = (
                f"in `{pattern}`, `^` and `$` bind only the alternative beside them, so `{shown(value)}` may be more "
                f"than it seems; write `{found.flags}^(?:{whole})$`, or, if that is meant, `{found.flags}{each}`"
            )
            yield branch.module.finding(node, "half-anchored", sentence)


def unanchored(typing: Typing) -> Iterator[Finding]:
    """A finding for each pattern that fits a part of what a caller sends, where a fit allows."""
    for branch, node, value, pattern, only_allows in _lenient(typing):
        found = _parsed(pattern)
        if only_allows and found.is_unanchored:
            whole = "|".join(found.alternatives)
            sentence = (
                f"`{pattern}` fits every `{shown(value)}` that has such a part, so this allows more than it seems; "
                f"write `{found.flags}^(?:{whole})$`, or, if a part is enough, `{found.flags}^.*(?:{whole}).*$`"
            )
            yield branch.module.finding(node, "unanchored-pattern", sentence)


def _lenient(typing: Typing) -> Iterator[tuple[Branch, Node, Node, str, bool]]:
    """Each pattern for what a caller sends where a fit allows more, or restricts less, and whether it does only that.

    The branch, the place, the value and the pattern come with it.
    """
    for branch in typing.inference.branches:
        for node, signs in typing.inference.reach.signed(branch) if branch.is_authored else ():
            function, arguments = call(node) if ALLOWS in signs else ((), ())
            is_lenient = dotted(function) == "regex.match"
            if is_lenient and senders(typing.inference.shape(branch, arguments[1])):
                where = node if "location" in node else branch.rule
                for pattern, _ in texts(typing, branch, arguments[0]):
                    yield branch, where, arguments[1], pattern, signs == {ALLOWS}


def _parsed(pattern: str) -> _Pattern:
    flags = found.group() if (found := _FLAGS.match(pattern)) else ""
    rest = pattern[len(flags) :]
    alternatives = _alternatives(rest)
    inside = _inside(rest) if len(alternatives) == 1 else None
    return _Pattern(flags, alternatives if inside is None else _parsed(inside).alternatives)


def _alternatives(pattern: str) -> list[str]:
    """The parts of a pattern between each `|` that stands outside of groups."""
    found, depth = [""], 0
    for part in _PART.findall(pattern):
        depth += (part == "(") - (part == ")")
        if part == "|" and not depth:
            found.append("")
        else:
            found[-1] += part
    return found


def _inside(pattern: str) -> str | None:
    """What stands in the one group that a pattern is; `None` if it is another."""
    depth, parts = 0, _PART.findall(pattern)
    for at, part in enumerate(parts):
        depth += (part == "(") - (part == ")")
        if not depth:
            is_group = part == ")" and at == len(parts) - 1
            return re.sub(r"\A\((?:\?(?:[a-zA-Z-]*:|P?<\w+>))?", "", pattern[:-1]) if is_group else None
    return None


def _bare(alternative: str) -> str:
    return re.sub(r"\A\^|(?<!\\)\$\Z", "", alternative)
