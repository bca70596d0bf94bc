"""Datasets, what somebody says of them and the ways between them, as the contract's messages."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from google.protobuf.timestamp_pb2 import Timestamp

from pdp.lineage.fact import Dataset, Way
from pdp.v1 import dataset_pb2

if TYPE_CHECKING:
    from pdp.lineage.explain import Assertion, Step
    from pdp.lineage.listing import Declared

_WAYS: Mapping[Way, dataset_pb2.LineageWay] = {
    Way.CARRY: dataset_pb2.LINEAGE_WAY_CARRY,
    Way.INDIRECT: dataset_pb2.LINEAGE_WAY_INDIRECT,
    Way.MASKED: dataset_pb2.LINEAGE_WAY_MASKED,
    Way.STOPPED: dataset_pb2.LINEAGE_WAY_STOPPED,
}


def dataset(value: Dataset) -> dataset_pb2.DatasetName:
    """A dataset's names."""
    return dataset_pb2.DatasetName(namespace=value.namespace, name=value.name)


def at(milliseconds: int) -> Timestamp:
    """A moment in milliseconds since 1970."""
    stamp = Timestamp()
    stamp.FromDatetime(datetime.fromtimestamp(milliseconds / 1000, UTC))
    return stamp


def way(value: Way) -> dataset_pb2.LineageWay:
    """What an edge does to tags."""
    return _WAYS[value]


def step(value: "Step") -> dataset_pb2.LineageStep:
    """Values that come from one column into another."""
    return dataset_pb2.LineageStep(
        source=dataset(value.source),
        source_column=value.source_column,
        dataset=dataset(value.dataset),
        column=value.column,
        way=way(value.way),
        how=value.how,
        job_namespace=value.job[0],
        job_name=value.job[1],
        run=value.run,
        by=value.by,
        at=at(value.at) if value.at else None,
        coarse=value.is_coarse,
    )


def assertion(value: "Assertion | Declared") -> dataset_pb2.TagAssertion:
    """What somebody says of a column or of a dataset."""
    return dataset_pb2.TagAssertion(
        dataset=dataset(value.dataset),
        column=value.column,
        tag=value.tag,
        source=f"TAG_SOURCE_{value.source}",
        by=value.by,
        at=at(value.what.at),
        reason=value.what.reason,
        confidence=value.what.confidence,
    )
