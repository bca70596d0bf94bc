"""Values of lineage -> the contract's messages."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from pdp.lineage.fact import Dataset, Settled, Suggested, Way
from pdp.lineage.view import Revision, State
from pdp.v1 import lineage_pb2

_STATES: Mapping[State, lineage_pb2.LineageState] = {
    State.NONE: lineage_pb2.LINEAGE_STATE_NONE,
    State.UNKNOWN: lineage_pb2.LINEAGE_STATE_UNKNOWN,
    State.AMBIGUOUS: lineage_pb2.LINEAGE_STATE_AMBIGUOUS,
    State.KNOWN: lineage_pb2.LINEAGE_STATE_KNOWN,
}
_WAYS: Mapping[Way, lineage_pb2.LineageWay] = {
    Way.CARRY: lineage_pb2.LINEAGE_WAY_CARRY,
    Way.INDIRECT: lineage_pb2.LINEAGE_WAY_INDIRECT,
    Way.MASKED: lineage_pb2.LINEAGE_WAY_MASKED,
    Way.STOPPED: lineage_pb2.LINEAGE_WAY_STOPPED,
}


def revision(value: Revision | None) -> lineage_pb2.LineageRevision | None:
    """How far the log was read; None stays unset."""
    return lineage_pb2.LineageRevision(n=value.n, head=value.head) if value else None


def dataset(value: Dataset) -> lineage_pb2.DatasetName:
    """A dataset's names."""
    return lineage_pb2.DatasetName(namespace=value.namespace, name=value.name)


def state(value: State) -> lineage_pb2.LineageState:
    """Whether anything is known."""
    return _STATES[value]


def way(value: Way) -> lineage_pb2.LineageWay:
    """What an edge does to tags."""
    return _WAYS[value]


def columns(values: Mapping[str, Iterable[str]]) -> list[lineage_pb2.LineageColumn]:
    """Columns with their tags, sorted."""
    return [lineage_pb2.LineageColumn(name=name, tags=tags) for name, tags in sorted(values.items())]


def suggestion(value: Suggested, settled: Settled | None = None) -> lineage_pb2.Suggestion:
    """A suggestion, and what a steward made of it."""
    name = "PENDING" if settled is None else "ACCEPTED" if settled.accepted else "REJECTED"
    return lineage_pb2.Suggestion(
        id=value.suggestion,
        dataset=dataset(value.tagging.dataset),
        column=value.tagging.column,
        tag=value.tagging.tag,
        score=value.tagging.confidence or 0.0,
        hits=value.hits,
        recognizer=value.recognizer,
        state=f"SUGGESTION_STATE_{name}",
        by=value.by,
        at=at(value.at),
        settled_by=settled.by if settled else "",
        reason=settled.reason if settled else "",
    )


def at(milliseconds: int) -> Timestamp:
    """A moment in milliseconds since 1970."""
    stamp = Timestamp()
    stamp.FromDatetime(datetime.fromtimestamp(milliseconds / 1000, UTC))
    return stamp
