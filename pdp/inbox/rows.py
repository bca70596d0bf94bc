"""Rows of a list of approvals, in words. Each text is visible already; no two different requests look alike."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from pdp.inbox.look import Exact
from pdp.v1.approval_pb2 import Approval
from pdp.view import row
from pdp.view.data import Tag, carried
from pdp.view.decided import Step, decided
from pdp.view.named import at, moment, state
from pdp.view.progress import Needs, needs
from pdp.view.request import Part
from pdp.view.theirs import Theirs
from pdp.view.unmasking import Opened

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


class Leaf(NamedTuple):
    """A value with its path."""

    label: Exact
    text: Exact


class Told(NamedTuple):
    """One approval: what it does, what tells it from others, for whom, what its data carries, what it still needs."""

    id: str
    version: int
    state: str
    does: Exact
    what: tuple[Leaf, ...]
    opens: tuple[Exact, ...]
    mark: Theirs
    whose: Exact
    tags: tuple[Tag, ...]
    more_tags: int
    needs: tuple[Needs, ...]
    decided: tuple[Step, ...]
    age: str
    asked_at: datetime
    ends_at: datetime | None


def told(approvals: Iterable[Approval], now: datetime) -> list[Told]:
    """A row for each approval, in their order."""
    return [_told(one, now) for one in row.rows(approvals)]


def age(asked_at: datetime, now: datetime) -> str:
    """How long ago it was asked, in its largest unit."""
    seconds = max(int((now - asked_at).total_seconds()), 0)
    return next((f"{seconds // size} {unit}" for size, unit in _UNITS if seconds >= size), f"{seconds} s")


def _told(one: row.Row, now: datetime) -> Told:
    held, tags = one.held, carried(one.held.lineage)
    return Told(
        id=held.approval_id,
        version=held.version,
        state=state(held),
        does=Exact(f"{_names(one, Part.DOES)} {_names(one, Part.TO)}{_values(one)}"),
        what=tuple(Leaf(Exact(leaf.label), Exact(row.cut(leaf))) for leaf in one.shown),
        opens=tuple(_opens(*one.opened, one)),
        mark=one.mark,
        whose=Exact(_whose(one)),
        tags=tuple(tags.tags),
        more_tags=tags.more_tags,
        needs=tuple(map(needs, held.requirements)),
        decided=decided(held),
        age=age(at(held.created_at), now),
        asked_at=at(held.created_at),
        ends_at=moment(held, "expires_at"),
    )


def _names(one: row.Row, part: Part) -> str:
    return " ".join(named.text for named in one.named[part])


def _values(one: row.Row) -> str:
    if one.opens is None:
        return ""
    return f" ({'an unknown number of' if one.opens.values is None else f'{one.opens.values:,.0f}'} values)"


def _whose(one: row.Row) -> str:
    chain = "".join(f" for {principal.text}" for principal in one.named[Part.FOR])
    return f"{_names(one, Part.WHO)}{chain}{f', asked by {one.caller.name}' if one.caller is not None else ''}"


def _opens(columns: Sequence[Opened], domains: Sequence[Theirs], one: row.Row) -> Iterator[Exact]:
    """The columns that an unmasking opens, and the domains beside theirs."""
    for column in columns:
        yield Exact(f"column {column.column.name}{f' ({column.domain.name})' if column.domain else ''}")
    for domain in domains:
        yield Exact(f"domain {domain.name}")
    if one.opens is not None:
        rest = len(one.opens.columns) - len(columns) + len(tuple(one.opens.further)) - len(domains)
        yield from [Exact(f"and {rest:,} more")] if rest else []
