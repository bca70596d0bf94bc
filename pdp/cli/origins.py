"""Where the tags of an approval's data come from, for the person who reviews it."""

from collections.abc import Iterable

from pdp.cli.lineage_steps import assertion, step
from pdp.v1.approval_pb2 import TagOrigin
from pdp.visible import visible


def lines(origins: Iterable[TagOrigin]) -> list[str]:
    """Who says so, where, and each job between there and here; columns of which that is the same are told together."""
    columns: dict[tuple[bytes, ...], list[str]] = {}
    told: dict[tuple[bytes, ...], TagOrigin] = {}
    for one in origins:
        way = _way(one)
        columns.setdefault(way, []).append(visible(one.column) or "the data itself")
        told.setdefault(way, one)
    found = [line for way, one in told.items() for line in _told(columns[way], one)]
    return ["", "where the tags come from:", *found] if found else []


def _told(columns: list[str], one: TagOrigin) -> list[str]:
    said = [f"    {line}" for each in one.said for line in assertion(each)]
    begins = said or ["    nobody has classified the data where this begins"]
    return [f"  {', '.join(columns)}: {visible(one.tag)}", *begins, *(f"    {step(each)}" for each in one.steps)]


def _way(one: TagOrigin) -> tuple[bytes, ...]:
    """What is equal of two tags that came the same way: all but the column."""
    parts = [each.SerializeToString(deterministic=True) for each in (*one.said, *one.steps)]
    begins_here = [] if one.steps else [one.column.encode()]
    return (one.tag.encode(), *begins_here, *parts)
