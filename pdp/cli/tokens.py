"""Approvals to unmask, for reviewers: what is reversed, in words."""

from collections.abc import Iterator, Sequence

from pdp.view.row import MAX_OPENED
from pdp.view.theirs import Theirs
from pdp.view.unmasking import Opened, Unmasking


def described(asked: Unmasking, approval_id: Theirs) -> Iterator[str]:
    """Lines about an approval to unmask."""
    chunks = ""
    if asked.chunks != 0:
        chunks = ", in one chunk" if asked.chunks == 1 else f", in {_count(asked.chunks)} chunks"
    yield f"unmasks       {_count(asked.values)} values of table {asked.table.name}{chunks}"
    for one in asked.columns:
        yield f"  column      {one.column.name}{f', domain {one.domain.name}' if one.domain else ''}"
    if asked.domains:
        yield f"  domains     {', '.join(domain.name for domain in asked.domains)}"
    if asked.quota:
        quota = f"this one use may reverse {asked.quota:,} values instead of what is left of the hourly quota"
        yield f"  quota       {quota}"
    yield "  by hash     you approve exactly these tokens, which only their hash names; to compare a file with it:"
    yield f"              pdp approvals show {approval_id.name} --tokens FILE"
    yield ""


def brief(asked: Unmasking | None) -> str:
    """How much an approval to unmask is about, for a list; empty for any other."""
    return f" ({_count(asked.values)} values)" if asked else ""


def opened(asked: Unmasking | None) -> str:
    """Which columns an approval to unmask opens, each with its domain, for a list; empty for any other."""
    if asked is None:
        return ""
    parts = [("columns", [*map(_with_domain, asked.columns)]), ("domains", [one.name for one in asked.further])]
    return "; ".join(f"{label} {_first(told)}" for label, told in parts if told)


def _with_domain(one: Opened) -> str:
    return f"{one.column.name} ({one.domain.name})" if one.domain else one.column.name


def _first(told: Sequence[str]) -> str:
    rest = len(told) - MAX_OPENED
    return ", ".join(told[:MAX_OPENED]) + (f" and {rest:,} more" if rest > 0 else "")


def _count(value: float | None) -> str:
    return "an unknown number of" if value is None else f"{value:,.0f}"
