"""Rows of a queue in which no two requests look alike.

1. A row shows the values that the policy names (`summary`), else the first leaves that differ among its kind.
2. That of an unmasking begins with the columns that it opens.
3. Rows of different requests that still look alike get more of what differs, and at last a part of their digests.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pdp.cli import tokens
from pdp.cli.leaves import Leaf, of_request
from pdp.cli.reviewing import kind
from pdp.v1.approval_pb2 import Approval
from pdp.visible import name, typed, visible

MAX_LEAVES = 3
"""Leaves of a row for which no policy names others."""
MAX_VALUE = 60
"""Characters of a value in a row; the whole value stands in the approval itself."""
ROUNDS = 3
"""Times that rows which look alike get one more leaf each, before they get a part of their digests."""
_OPENED = tuple(f"context.{member}" for member in tokens.BOUND)
"""What an unmasking says of itself in words, beside the hash of its tokens."""


@dataclass(slots=True)
class Row:
    """What a list shows of one approval's request: what it does, for whom, and the leaves that tell it from others."""

    held: Approval
    does: str
    whose: str
    opened: str
    leaves: list[Leaf]
    shown: list[Leaf] = field(default_factory=list)
    mark: str = ""

    @property
    def what(self) -> str:
        """What an unmasking opens, and the leaves that are shown, in one line."""
        shown = [f"{leaf.label} = {_cut(leaf.text)}" for leaf in self.shown]
        return ", ".join(filter(None, [self.opened, *shown, self.mark]))

    @property
    def looks(self) -> tuple[str, str, str]:
        """What a person sees of the request."""
        return self.does, self.what, self.whose


def rows(approvals: Iterable[Approval]) -> list[Row]:
    """A row for each approval, in their order."""
    made = [_row(held) for held in approvals]
    for alike in _grouped(made, lambda row: kind(row.held)):
        _choose(alike)
    for _ in range(ROUNDS):
        for alike in _alike(made):
            _add_one(alike)
    for alike in _alike(made):
        _mark(alike)
    return made


def does(held: Approval) -> str:
    """What an approval is for, in a few words."""
    asked = held.request
    return f"{name(asked.action.name)} {typed(asked.resource.type, asked.resource.id)}{tokens.brief(held)}"


def needs(held: Approval) -> str:
    """The rules that ask for people, each with how far it is."""
    return ", ".join(f"{visible(one.rule)} {one.approved} of {one.count}" for one in held.requirements)


def _row(held: Approval) -> Row:
    asked = held.request
    subject = typed(asked.subject.type, asked.subject.id)
    chain = "".join(f" for {typed(one.type, one.id)}" for one in asked.on_behalf_of)
    caller = "" if held.caller == f"{asked.subject.type}:{asked.subject.id}" else f", asked by {name(held.caller)}"
    return Row(held, does(held), f"{subject}{chain}{caller}", tokens.opened(held), list(of_request(asked)))


def _choose(alike: Sequence[Row]) -> None:
    """Choose what rows of one kind show first."""
    differing = list(_differing(alike)) if len(alike) > 1 else [leaf.path for leaf in alike[0].leaves]
    if all(row.opened for row in alike):
        differing = [path for path in differing if not any(_is_at(path, told) for told in _OPENED)]
    first = set(differing[:MAX_LEAVES])
    for row in alike:
        paths = list(dict.fromkeys(path for one in row.held.requirements for path in one.summary))
        named = [leaf for path in paths for leaf in row.leaves if _is_at(leaf.path, path)]
        row.shown = list(dict.fromkeys(named)) or [leaf for leaf in row.leaves if leaf.path in first]


def _is_at(leaf: str, path: str) -> bool:
    return leaf == path or leaf.startswith((f"{path}.", f"{path}["))


def _differing(alike: Sequence[Row]) -> Iterator[str]:
    """The paths at which not all of them have the same value, in the order in which requests are shown."""
    values: dict[str, set[str]] = defaultdict(set)
    count: dict[str, int] = defaultdict(int)
    for row in alike:
        for leaf in row.leaves:
            values[leaf.path].add(leaf.text)
            count[leaf.path] += 1
    return (path for path in values if len(values[path]) > 1 or count[path] < len(alike))


def _add_one(alike: Sequence[Row]) -> None:
    """Show one more leaf of each, the first that differs among them."""
    shown = {leaf.path for row in alike for leaf in row.shown}
    path = next((path for path in _differing(alike) if path not in shown), None)
    for row in alike:
        row.shown += [leaf for leaf in row.leaves if leaf.path == path]


def _mark(alike: Sequence[Row]) -> None:
    """Show of each digest as much as tells them apart."""
    digests = [row.held.request_digest for row in alike]
    length = next((size for size in range(8, 43) if len({one[:size] for one in digests}) == len({*digests})), 43)
    for row in alike:
        row.mark = f"digest {visible(row.held.request_digest[:length])}…"


def _alike(made: Iterable[Row]) -> list[list[Row]]:
    """The groups of rows that look alike although their requests differ."""
    groups = _grouped(made, lambda row: row.looks)
    return [group for group in groups if len({row.held.request_digest for row in group}) > 1]


def _grouped(made: Iterable[Row], by: Callable[[Row], tuple[str, ...]]) -> list[list[Row]]:
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in made:
        groups[by(row)].append(row)
    return list(groups.values())


def _cut(text: str) -> str:
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"
