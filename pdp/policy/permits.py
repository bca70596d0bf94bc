"""Finds rules in which a tag that the caller writes, or leaves out, allows something. Pure.

`input.resource.properties.tags` is the caller's word of its own data, so it may only add to what the policy and lineage
know. A rule may ask for it where that restricts, as `lib.tags` does, which holds all tags together.

1. An `allow` does not read it, by itself or through a rule.
2. No statement reads it that is negated. Where a rule holds other tags, too, an `allow` may deny that they have one:
   what the caller leaves out is there all the same.
3. A statement that restricts does not deny that a rule has a tag, where the caller may add it to that rule.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pdp.policy.branch import Branch
from pdp.policy.finding import Finding
from pdp.policy.module import Node
from pdp.policy.reference import Path
from pdp.policy.untyped import Typing

_TAGS = ("input", "resource", "properties", "tags")
_MEND = "ask for `data.lib.tags.all` where it restricts, or for `input.lineage.tags`"
_ALLOW = f"what the caller says of its own data allows nothing; {_MEND}"
_NEGATED = f"a caller leaves out a tag, or adds one, as it likes; {_MEND}"


class _Read(NamedTuple):
    """A reference in a branch, and whether more of what it holds makes the branch true less often."""

    node: Node
    path: Path
    is_negated: bool


def permits(typing: Typing) -> Iterator[Finding]:
    """A finding for each rule that the caller's tags make allow more."""
    known = _Known(typing.inference.branches)
    for branch in typing.inference.branches:
        if not branch.is_authored:
            continue
        for read in known.reads(branch):
            if sentence := known.fault(branch, read):
                place = read.node if "location" in read.node else branch.rule
                yield branch.module.finding(place, "caller-tags-permit", sentence)
                break


class _Known:
    """The branches of each rule, and what they read."""

    def __init__(self, branches: Sequence[Branch]) -> None:
        self._rules: dict[Path, list[Branch]] = {}
        for branch in branches:
            self._rules.setdefault(branch.name, []).append(branch)
        self._holds: dict[Path, bool] = {}

    def reads(self, branch: Branch) -> list[_Read]:
        """Every reference of a branch."""
        head = {name: part for name, part in branch.node["head"].items() if name in {"key", "value"}}
        tree = [head, branch.node.get("body", [])]
        return [_Read(node, self._path(branch, node), negated) for node, negated in _references(tree)]

    def fault(self, branch: Branch, read: _Read) -> str:
        """What is wrong with it; empty for nothing."""
        is_allow = branch.is_entry and branch.name[-1] == "allow"
        if _is_tags(read.path):
            return _ALLOW if is_allow else _NEGATED if read.is_negated else ""
        if not branch.is_entry or not self._may_hold(read.path):
            return ""
        if is_allow:
            return _NEGATED if read.is_negated and self._only(read.path) else "" if read.is_negated else _ALLOW
        return _NEGATED if read.is_negated else ""

    def _path(self, branch: Branch, node: Node) -> Path:
        """Where a reference leads, as far as it is written out."""
        whole = branch.expanded(node)
        head, *rest = whole["value"] if whole["type"] == "ref" else [whole]
        first = str(head.get("value"))
        own = ("data", *branch.module.package, first)
        known = branch.module.names.get(first, own if own in self._rules else ())
        steps = list[str]()
        for part in rest:
            if part["type"] != "string":
                break
            steps.append(part["value"])
        return (*known, *steps) if known else ()

    def _rule(self, path: Path) -> Path:
        return next((path[:end] for end in range(len(path), 2, -1) if path[:end] in self._rules), ())

    def _may_hold(self, path: Path) -> bool:
        """Whether the caller may add to what a rule holds, or make it true."""
        rule = self._rule(path)
        if not rule:
            return False
        if rule not in self._holds:
            self._holds[rule] = False  # what leads back to itself adds nothing
            self._holds[rule] = any(map(self._is_of_the_caller, self._rules[rule]))
        return self._holds[rule]

    def _only(self, path: Path) -> bool:
        """Whether a rule holds nothing but what the caller says."""
        return all(map(self._is_of_the_caller, self._rules[self._rule(path)]))

    def _is_of_the_caller(self, branch: Branch) -> bool:
        return any(
            not read.is_negated and (_is_tags(read.path) or self._may_hold(read.path)) for read in self.reads(branch)
        )


def _is_tags(path: Path) -> bool:
    return path[: len(_TAGS)] == _TAGS


def _references(tree: Any, *, negated: bool = False) -> Iterator[tuple[Node, bool]]:
    """Each reference and variable, and whether it stands in a negation, or is what an `every` goes through."""
    match tree:
        case {"terms": {"domain": domain, "body": body}}:
            is_negated = negated != bool(tree.get("negated"))
            yield from _references(domain, negated=not is_negated)
            yield from _references(body, negated=is_negated)
        case {"type": "ref" | "var"}:
            yield tree, negated
            yield from _references(tree["value"] if tree["type"] == "ref" else (), negated=negated)
        case Mapping():
            inner = negated != bool(tree.get("negated"))
            for name, part in tree.items():
                if name not in {"location", "annotations"}:
                    yield from _references(part, negated=inner)
        case list():
            for part in tree:
                yield from _references(part, negated=negated)
