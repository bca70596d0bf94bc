"""Where the tags of an approval's data come from, for the person who reviews it."""

from collections.abc import Sequence

from pdp.cli.lineage_steps import assertion, step
from pdp.v1.approval_pb2 import ApprovalLineage, TagOrigin
from pdp.v1.dataset_pb2 import LineageStep
from pdp.visible import visible


def lines(origins: Sequence[TagOrigin], shown: ApprovalLineage) -> list[str]:
    """Who says so, where, and each job between there and here; columns of which that is the same are told together."""
    alike: dict[tuple[bytes, ...], list[TagOrigin]] = {}
    for one in origins:
        alike.setdefault(_way(one), []).append(one)
    found = [line for same in alike.values() for line in _told(same)]
    if found and sum(len(column.tags) for column in shown.columns) > len(origins):
        found.append("  of others: pdp lineage why DATA --column NAME --tag TAG")
    return ["", "where the tags come from:", *found] if found else []


def _told(same: Sequence[TagOrigin]) -> list[str]:
    one = same[0]
    columns = ", ".join(visible(each.column) or "the data itself" for each in same)
    said = [f"    {line}" for each in one.said for line in assertion(each)]
    begins = said or ["    nobody has classified the data where this begins"]
    steps = one.steps if len(same) == 1 else _without_end(one)
    return [f"  {columns}: {visible(one.tag)}", *begins, *(f"    {step(each)}" for each in steps)]


def _way(one: TagOrigin) -> tuple[bytes, ...]:
    """What is equal of two tags that came the same way: all but the column where they arrive."""
    begins_here = [] if one.steps else [one.column.encode()]
    parts = (each.SerializeToString(deterministic=True) for each in (*one.said, *_without_end(one)))
    return (one.tag.encode(), *begins_here, *parts)


def _without_end(one: TagOrigin) -> list[LineageStep]:
    """The steps without the column where they arrive."""
    if not one.steps:
        return []
    *steps, last = one.steps
    end = LineageStep()
    end.CopyFrom(last)
    end.ClearField("column")
    return [*steps, end]
