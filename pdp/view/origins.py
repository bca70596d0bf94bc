"""Where the tags of data come from: who said so, and the jobs between there and here."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from pdp.v1.approval_pb2 import ApprovalDataset, ApprovalLineage, TagOrigin
from pdp.v1.dataset_pb2 import DatasetName, LineageStep, LineageWay, TagAssertion, TagSource
from pdp.view.named import at, named
from pdp.view.theirs import Theirs, theirs


class NamedData(NamedTuple):
    """Data by the two names that OpenLineage gives it."""

    namespace: Theirs
    name: Theirs


class Said(NamedTuple):
    """Somebody says that data has a tag. An empty `column` is the whole dataset; `confidence` may not be known.

    `names` are the names of the data for which it counts.
    """

    tag: Theirs
    dataset: NamedData
    column: Theirs
    source: str
    by: Theirs
    at: datetime
    reason: Theirs
    confidence: float | None
    names: tuple[NamedData, ...]


class Hop(NamedTuple):
    """The values of one column that come into another. An empty column is every column."""

    source: NamedData
    source_column: Theirs
    dataset: NamedData
    column: Theirs
    way: str
    how: Theirs
    job: NamedData | None
    run: Theirs
    by: Theirs
    at: datetime
    is_coarse: bool


class Arrival(NamedTuple):
    """Where a tag comes from that several columns have the same way; an empty column is the data itself."""

    columns: tuple[Theirs, ...]
    tag: Theirs
    said: tuple[Said, ...]
    steps: tuple[Hop, ...]


class Provenance(NamedTuple):
    """What is known of where tags come from, and whether there are more tags than it tells of."""

    told: tuple[Arrival, ...]
    more: bool


def origins(came: Sequence[TagOrigin], shown: ApprovalLineage) -> Provenance:
    """Columns of which it is the same are told together."""
    alike: dict[tuple[object, ...], list[TagOrigin]] = {}
    for one in came:
        alike.setdefault(_way(one), []).append(one)
    told = tuple(_told(same) for same in alike.values())
    return Provenance(told, bool(told) and sum(len(column.tags) for column in shown.columns) > len(came))


def said(one: TagAssertion) -> Said:
    """What somebody said of data."""
    source = named(TagSource, one.source, "TAG_SOURCE_")
    confidence = one.confidence if one.HasField("confidence") else None
    of = Theirs(one.tag), dataset(one.dataset), Theirs(one.column)
    return Said(*of, source, Theirs(one.by), at(one.at), Theirs(one.reason), confidence, tuple(map(dataset, one.names)))


def step(one: LineageStep) -> Hop:
    """A step of the way."""
    return Hop(
        source=dataset(one.source),
        source_column=Theirs(one.source_column),
        dataset=dataset(one.dataset),
        column=Theirs(one.column),
        way=named(LineageWay, one.way, "LINEAGE_WAY_"),
        how=Theirs(one.how),
        job=NamedData(Theirs(one.job_namespace), Theirs(one.job_name)) if one.job_name else None,
        run=Theirs(one.run),
        by=Theirs(one.by),
        at=at(one.at),
        is_coarse=one.coarse,
    )


def dataset(one: DatasetName | ApprovalDataset) -> NamedData:
    """A dataset's two names."""
    return NamedData(Theirs(one.namespace), Theirs(one.name))


def _told(same: Sequence[TagOrigin]) -> Arrival:
    one, columns = same[0], theirs(each.column for each in same)
    steps = map(step, one.steps) if len(same) == 1 else _without_end(one)
    return Arrival(columns, Theirs(one.tag), tuple(map(said, one.said)), tuple(steps))


def _way(one: TagOrigin) -> tuple[object, ...]:
    """What is equal of two tags that came the same way: all but the column where they arrive."""
    begins_here = "" if one.steps else one.column
    return (one.tag, begins_here, *map(said, one.said), *_without_end(one))


def _without_end(one: TagOrigin) -> Iterator[Hop]:
    """The steps without the column where they arrive."""
    steps = [step(each) for each in one.steps]
    yield from steps[:-1]
    yield from (last._replace(column=Theirs("")) for last in steps[-1:])
