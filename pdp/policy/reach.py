"""Which rules decide, and whether a rule that says nothing restricts or allows. Pure.

1. A rule of `allow` that says nothing allows nothing; one of the other four sets that says nothing restricts nothing.
2. A helper has the sign of the statements that name it: one that an `allow` asks for allows nothing when it is
   undefined, one that an `allow` negates allows then. So a question such as `is_number(x)` is a safe guard only where
   undefined is safe: in an `allow` and what it asks for, and in what a rule of the other sets negates.
3. A helper that has another value when one of its branches is undefined (`default`, `else`, a set, several values) is
   of both signs, as is what stands in a comprehension.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pdp.policy.branch import Branch
from pdp.policy.module import Node
from pdp.policy.reference import ACTION, TYPE, Path

ALLOWS, RESTRICTS = "+", "-"
BOTH = frozenset((ALLOWS, RESTRICTS))
Signs = frozenset[str]
_COMPREHENSIONS = {"arraycomprehension", "setcomprehension", "objectcomprehension", "templatestring"}
SUBJECT = ("input", "subject", "type")
NAMING = {"resource": TYPE, "subject": SUBJECT, "action": ACTION}
"""Where a request says of which type its parts are."""


class Reach:
    """The signs of each rule, and the types and actions that each branch is about."""

    def __init__(self, everything: Sequence[Branch], data: Mapping[str, Any]) -> None:
        self._branches: dict[Path, list[Branch]] = {}
        for branch in everything:
            self._branches.setdefault(branch.name, []).append(branch)
        self._data = data
        self._signs: dict[Path, Signs] = {}
        self._signed: dict[int, list[tuple[Node, Signs]]] = {}
        self._names: dict[tuple[int, Path], frozenset[str] | None] = {}
        self._callers: dict[Path, dict[int, Branch]] = {}
        self._below: dict[Path, list[Path]] = {}
        for path in self._branches:
            for length in range(1, len(path)):
                self._below.setdefault(path[:length], []).append(path)
        self._spread()

    def signs(self, branch: Branch) -> Signs:
        """What happens when this branch is undefined: something is allowed less, or restricted less, or both."""
        return self._signs.get(branch.name, frozenset())

    def takes_guards(self, branch: Branch) -> bool:
        """Whether a question about a value's kind in this branch cannot silence what restricts."""
        return self.signs(branch) == {ALLOWS}

    def signed(self, branch: Branch) -> Sequence[tuple[Node, Signs]]:
        """Each node of a branch with what happens when it is undefined or false, as `signs` says it of the branch."""
        if id(branch) not in self._signed:
            head = {key: value for key, value in branch.node["head"].items() if key in {"key", "value"}}
            self._signed[id(branch)] = list(_signed([head, branch.node.get("body", ())], self.signs(branch)))
        return self._signed[id(branch)]

    def _spread(self) -> None:
        waiting: list[tuple[Path, Signs]] = []
        for path, branches in self._branches.items():
            if branches[0].is_entry:
                waiting.append((path, frozenset((ALLOWS if path[-1] == "allow" else RESTRICTS,))))
        while waiting:
            path, signs = waiting.pop()
            if signs <= self._signs.get(path, frozenset()):
                continue
            self._signs[path] = signs = signs | self._signs.get(path, frozenset())
            is_plain = self._branches[path][0].is_entry or _is_plain(self._branches[path])
            for branch in self._branches[path]:
                for node, sign in _references(branch, signs if is_plain else BOTH):
                    for target in self._targets(branch, node):
                        self._callers.setdefault(target, {})[id(branch)] = branch
                        waiting.append((target, sign if _is_plain(self._branches[target]) else BOTH))

    def _targets(self, branch: Branch, node: Node) -> Iterator[Path]:
        """The rules that a reference reads; all below it where its steps are known only after evaluation."""
        parts = node["value"]
        first = str(parts[0].get("value"))
        path = list(branch.module.names.get(first, ("data", *branch.module.package, first)))
        for part in parts[1:]:
            if part["type"] != "string":
                break
            path.append(part["value"])
        whole = tuple(path)
        if first in branch.bound or first in branch.parameters:
            return
        yield from (whole[:length] for length in range(2, len(whole) + 1) if whole[:length] in self._branches)
        yield from self._below.get(whole, ())

    def named(self, branch: Branch) -> dict[str, Collection[str]]:
        """The types and actions that a branch is about, where it says so, or all that call it do."""
        found: dict[str, Collection[str]] = {}
        for part, path in NAMING.items():
            if (names := self._named(branch, path)) is not None:
                found[part] = tuple(sorted(names))
        return found

    def _named(self, branch: Branch, path: Path) -> frozenset[str] | None:
        key = (id(branch), path)
        if key not in self._names:
            self._names[key] = None  # so that rules which call each other in a circle end
            self._names[key] = self._own(branch, path) or self._theirs(branch, path)
        return self._names[key]

    def _own(self, branch: Branch, path: Path) -> frozenset[str] | None:
        own = [names for statement in branch.statements if (names := self._says(branch, statement, path)) is not None]
        return frozenset.intersection(*own) if own else None

    def _theirs(self, branch: Branch, path: Path) -> frozenset[str] | None:
        """What all branches that name this one say."""
        callers = () if branch.is_entry else self._callers.get(branch.name, {}).values()
        theirs = [self._named(caller, path) for caller in callers]
        known = [names for names in theirs if names is not None]
        return frozenset().union(*known) if known and len(known) == len(theirs) else None

    def _says(self, branch: Branch, statement: Node, path: Path) -> frozenset[str] | None:
        """The names of which a statement says that `path` is one."""
        match statement.get("terms"):
            case [{"value": [{"value": "equal" | "eq"}]}, left, right]:
                for one, other in ((left, right), (right, left)):
                    if branch.path(one) == path and (text := branch.expanded(other))["type"] == "string":
                        return frozenset((text["value"],))
            case [{"value": [{"value": "internal"}, {"value": "member_2"}]}, one, domain] if branch.path(one) == path:
                return self._texts(branch, domain)
        return None

    def _texts(self, branch: Branch, domain: Node) -> frozenset[str] | None:
        """The texts of a list, written out or in data."""
        term = branch.expanded(domain)
        is_written = term["type"] in {"array", "set"}
        values: Sequence[Any] = [branch.expanded(item).get("value") for item in term["value"]] if is_written else ()
        values = values or self.listed(branch.path(term))
        texts = frozenset(value for value in values if isinstance(value, str))
        return texts if texts and len(texts) == len(set(map(repr, values))) else None

    def listed(self, path: Path) -> Sequence[Any]:
        """The items of a list in data; empty for all else."""
        document = self.document(path)
        return document if isinstance(document, list) else []

    def document(self, path: Path) -> Any:
        """What data has at a path; `None` for a path of rules, and where data has nothing."""
        document: Any = self._data if path[:1] == ("data",) and path not in self._branches else None
        for step in path[1:]:
            document = document.get(step) if isinstance(document, dict) else None
        return document


def _is_plain(branches: Sequence[Branch]) -> bool:
    """Whether these branches of one rule have no other value when one of them is undefined."""
    heads = [branch.node["head"] for branch in branches]
    if any(branch.rule.get("default") or "else" in branch.rule for branch in branches):
        return False
    if any(len(head["ref"]) > 1 or "key" in head for head in heads):
        return False
    return len(branches) == 1 or all(head.get("value", {"value": True}).get("value") is True for head in heads)


def _references(branch: Branch, signs: Signs) -> Iterator[tuple[Node, Signs]]:
    """The references of a branch, each with the signs of what follows when it is undefined."""
    head = {key: value for key, value in branch.node["head"].items() if key in {"key", "value"}}
    yield from _within(head, signs)
    for statement in branch.node.get("body", ()):
        yield from _within(statement, signs)


def _inner(node: Node, signs: Signs) -> Signs:
    """The signs of what stands in a node that has `signs`."""
    if node.get("type") in _COMPREHENSIONS or "with" in node:
        return BOTH
    return frozenset(RESTRICTS if sign == ALLOWS else ALLOWS for sign in signs) if node.get("negated") else signs


def _signed(tree: Any, signs: Signs) -> Iterator[tuple[Node, Signs]]:
    if isinstance(tree, dict):
        yield tree, (signs := _inner(tree, signs))
    for part in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(part, dict | list | tuple):
            yield from _signed(part, signs)


def _within(tree: Any, signs: Signs) -> Iterator[tuple[Node, Signs]]:
    if isinstance(tree, list):
        for part in tree:
            yield from _within(part, signs)
    if not isinstance(tree, dict):
        return
    signs = _inner(tree, signs)
    if tree.get("type") == "ref":
        yield tree, signs
        yield from _within(tree["value"][1:] if tree["value"][0]["type"] == "var" else tree["value"], signs)
        return
    if tree.get("type") == "var":
        yield {"type": "ref", "value": [tree]}, signs
    for part in tree.values():
        yield from _within(part, signs)
