"""Rows of a queue in which no two requests look alike.

1. A row shows the values that the policy names (`summary`), else the first leaves that differ among its kind.
2. That of an unmasking begins with the columns that it opens.
3. Rows of different requests that still look alike get more of what differs, and at last a part of their digests.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pdp.v1.approval_pb2 import Approval
from pdp.view.leaf import Leaf
from pdp.view.request import Named, Part, items
from pdp.view.theirs import Theirs
from pdp.view.unmasking import BOUND, Opened, Unmasking, unmasking

MAX_LEAVES = 3
"""Leaves of a row for which no policy names others."""
MAX_VALUE = 60
"""Characters of a value in a row; the whole value stands in the approval itself."""
MAX_OPENED = 5
"""Columns that a row of a list names; all of them stand in the approval itself."""
ROUNDS = 3
"""Times that rows which look alike get one more leaf each, before they get a part of their digests."""
_NO_MARK = Theirs("")
_OPENED = tuple(f"context.{member}" for member in BOUND)
"""What an unmasking says of itself in words, beside the hash of its tokens."""


@dataclass(slots=True)
class Row:
    """What a list shows of one approval's request: what it does, for whom, and the leaves that tell it from others.

    `caller` is there where somebody else than the subject asks. `mark` is the beginning of the digest, where it is
    needed.
    """

    held: Approval
    named: dict[Part, list[Named]]
    caller: Theirs | None
    opens: Unmasking | None
    leaves: list[Leaf]
    shown: list[Leaf] = field(default_factory=list)
    mark: Theirs = _NO_MARK

    @property
    def opened(self) -> tuple[tuple[Opened, ...], tuple[Theirs, ...]]:
        """The first columns that an unmasking opens, and the first domains beside theirs."""
        if self.opens is None:
            return ((), ())
        return self.opens.columns[:MAX_OPENED], tuple(self.opens.further[:MAX_OPENED])

    @property
    def looks(self) -> Hashable:
        """What a person sees of the request."""
        names = tuple(name for part in self.named.values() for name in part)
        opens = self.opens and (self.opens.values, len(self.opens.columns), len(self.opens.further))
        return (names, self.caller, self.opened, opens, tuple((one.label, cut(one)) for one in self.shown), self.mark)


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


def kind(held: Approval) -> tuple[str, ...]:
    """The kind of an approval: its action, the type of its resource, and the rules of its requirements."""
    return (
        held.request.action.name,
        held.request.resource.type,
        *sorted(requirement.rule for requirement in held.requirements),
    )


def cut(leaf: Leaf) -> str:
    """The value of a leaf, or the beginning of a long one."""
    text = leaf.text
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…"


def _row(held: Approval) -> Row:
    asked, named = list(items(held.request)), defaultdict[Part, list[Named]](list)
    for item in asked:
        if isinstance(item, Named):
            named[item.part].append(item)
    subject = held.request.subject
    is_own = held.caller == f"{subject.type}:{subject.id}"
    leaves = [item for item in asked if isinstance(item, Leaf)]
    return Row(held, named, None if is_own else Theirs(held.caller), unmasking(held), leaves)


def _choose(alike: Sequence[Row]) -> None:
    """Choose what rows of one kind show first."""
    differing = list(_differing(alike)) if len(alike) > 1 else [leaf.path.text for leaf in alike[0].leaves]
    if all(any(row.opened) for row in alike):
        differing = [path for path in differing if not any(_is_at(path, told) for told in _OPENED)]
    first = set(differing[:MAX_LEAVES])
    for row in alike:
        paths = list(dict.fromkeys(path for one in row.held.requirements for path in one.summary))
        named = [leaf for path in paths for leaf in row.leaves if _is_at(leaf.path.text, path)]
        row.shown = list(dict.fromkeys(named)) or [leaf for leaf in row.leaves if leaf.path.text in first]


def _is_at(leaf: str, path: str) -> bool:
    return leaf == path or leaf.startswith((f"{path}.", f"{path}["))


def _differing(alike: Sequence[Row]) -> Iterator[str]:
    """The paths at which not all of them have the same value, in the order in which requests are shown."""
    values: dict[str, set[Theirs | str]] = defaultdict(set)
    count: dict[str, int] = defaultdict(int)
    for row in alike:
        for leaf in row.leaves:
            values[leaf.path.text].add(leaf.value)
            count[leaf.path.text] += 1
    return (path for path in values if len(values[path]) > 1 or count[path] < len(alike))


def _add_one(alike: Sequence[Row]) -> None:
    """Show one more leaf of each, the first that differs among them."""
    shown = {leaf.path.text for row in alike for leaf in row.shown}
    path = next((path for path in _differing(alike) if path not in shown), None)
    for row in alike:
        row.shown += [leaf for leaf in row.leaves if leaf.path.text == path]


def _mark(alike: Sequence[Row]) -> None:
    """Show of each digest as much as tells them apart."""
    digests = [row.held.request_digest for row in alike]
    length = next((size for size in range(8, 43) if len({one[:size] for one in digests}) == len({*digests})), 43)
    for row in alike:
        row.mark = Theirs(row.held.request_digest[:length])


def _alike(made: Iterable[Row]) -> list[list[Row]]:
    """The groups of rows that look alike although their requests differ."""
    groups = _grouped(made, lambda row: row.looks)
    return [group for group in groups if len({row.held.request_digest for row in group}) > 1]


def _grouped(made: Iterable[Row], by: Callable[[Row], Hashable]) -> list[list[Row]]:
    groups: dict[Hashable, list[Row]] = defaultdict(list)
    for row in made:
        groups[by(row)].append(row)
    return list(groups.values())
