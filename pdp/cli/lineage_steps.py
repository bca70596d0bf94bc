"""One step of lineage, and one thing that somebody said of data, in words."""

from collections.abc import Iterator, Mapping
from datetime import UTC

from google.protobuf.timestamp_pb2 import Timestamp

from pdp.cli.dataset import written
from pdp.v1.dataset_pb2 import DatasetName, LineageStep, LineageWay, TagAssertion, TagSource
from pdp.visible import visible

_WAYS: Mapping[int, str] = {
    LineageWay.LINEAGE_WAY_MASKED: "masked",
    LineageWay.LINEAGE_WAY_INDIRECT: "indirect",
    LineageWay.LINEAGE_WAY_STOPPED: "stopped",
}


def assertion(one: TagAssertion) -> Iterator[str]:
    """Who said it, of what, when and why."""
    what = visible(one.tag) or "no tag"
    where = f"{visible(written(one.dataset))}{f' column {visible(one.column)}' if one.column else ''}"
    sure = f", {one.confidence:.0%} sure" if one.HasField("confidence") else ""
    yield f"{what} of {where}: {source(one.source)} {visible(one.by)}, {moment(one.at)}{sure}"
    if one.reason:
        yield f"  {visible(one.reason)}"


def step(one: LineageStep) -> str:
    """Where values come from and go to, how, and who says so."""
    said = [
        visible(one.how),
        _WAYS.get(one.way, ""),
        "columns unknown" if one.coarse else "",
        f"job {visible(one.job_namespace)}/{visible(one.job_name)}" if one.job_name else "",
        f"run {visible(one.run)}" if one.run else "",
        f"by {visible(one.by)}, {moment(one.at)}" if one.by else "",
    ]
    ends = f"{_end(one.source, one.source_column)} -> {_end(one.dataset, one.column)}"
    return f"{ends}  ({'; '.join(filter(None, said))})" if any(said) else ends


def source(value: int) -> str:
    """Who asserts it, in a word."""
    return TagSource.Name(value).removeprefix("TAG_SOURCE_")


def moment(stamp: Timestamp) -> str:
    """A time to the second."""
    return stamp.ToDatetime(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _end(dataset: DatasetName, column: str) -> str:
    return f"{visible(written(dataset))}{f' {visible(column)}' if column else ''}"
