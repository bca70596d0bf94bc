"""One step of lineage, and one thing that somebody said of data, in words."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from pdp.view.origins import Hop, NamedData, Said
from pdp.view.theirs import Theirs

_WAYS: Mapping[str, str] = {"MASKED": "masked", "INDIRECT": "indirect", "STOPPED": "stopped"}


def assertion(one: Said) -> Iterator[str]:
    """Who said it, of what, when and why."""
    where = f"{written(one.dataset)}{f' column {one.column.visible}' if one.column else ''}"
    sure = "" if one.confidence is None else f", {one.confidence:.0%} sure"
    yield f"{one.tag.visible or 'no tag'} of {where}: {one.source} {one.by.visible}, {moment(one.at)}{sure}"
    if one.reason:
        yield f"  {one.reason.visible}"


def step(one: Hop) -> str:
    """Where values come from and go to, how, and who says so."""
    said = [
        one.how.visible,
        _WAYS.get(one.way, ""),
        "columns unknown" if one.is_coarse else "",
        f"job {one.job.namespace.visible}/{one.job.name.visible}" if one.job else "",
        f"run {one.run.visible}" if one.run else "",
        f"by {one.by.visible}, {moment(one.at)}" if one.by else "",
    ]
    ends = f"{_end(one.source, one.source_column)} -> {_end(one.dataset, one.column)}"
    return f"{ends}  ({'; '.join(filter(None, said))})" if any(said) else ends


def moment(at: datetime) -> str:
    """A time to the second."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def written(dataset: NamedData) -> str:
    """A dataset as commands name it."""
    return f"{dataset.namespace.visible}/{dataset.name.visible}"


def _end(dataset: NamedData, column: Theirs) -> str:
    return f"{written(dataset)}{f' {column.visible}' if column else ''}"
