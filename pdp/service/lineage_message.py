"""Values of lineage -> the contract's messages."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from pdp.lineage.coverage import Found
from pdp.lineage.fact import Settled, Suggested
from pdp.lineage.view import Revision, State
from pdp.service.dataset_message import at, dataset, step
from pdp.v1 import lineage_pb2
from pdp.workflow.reading_lineage import Around, Coverage

MAX_BYTES = 2 * 1024 * 1024
"""Bytes of the datasets of an answer: its steps, at most 10,000, have room beside them."""

_STATES: Mapping[State, lineage_pb2.LineageState] = {
    State.NONE: lineage_pb2.LINEAGE_STATE_NONE,
    State.UNKNOWN: lineage_pb2.LINEAGE_STATE_UNKNOWN,
    State.AMBIGUOUS: lineage_pb2.LINEAGE_STATE_AMBIGUOUS,
    State.KNOWN: lineage_pb2.LINEAGE_STATE_KNOWN,
}


def revision(value: Revision) -> lineage_pb2.LineageRevision:
    """How far the log was read."""
    return lineage_pb2.LineageRevision(n=value.n, head=value.head)


def state(value: State) -> lineage_pb2.LineageState:
    """Whether anything is known."""
    return _STATES[value]


def columns(values: Mapping[str, Iterable[str]]) -> list[lineage_pb2.LineageColumn]:
    """Columns with their tags, sorted."""
    return [lineage_pb2.LineageColumn(name=name, tags=tags) for name, tags in sorted(values.items())]


def fill_around(answer: lineage_pb2.GetLineageResponse, around: Around) -> None:
    """Data and what is around it, as much of it as a message has room for."""
    answer.state, answer.truncated = state(around.state), around.is_cut
    left = MAX_BYTES
    for seen, distance in around.portraits:
        shown = lineage_pb2.LineageDataset(
            dataset=dataset(seen.dataset),
            tags=seen.tags,
            columns=columns(seen.columns),
            coarse=seen.is_coarse,
            distance=distance,
            column_names=seen.names,
        )
        left -= shown.ByteSize()
        if left < 0:
            answer.truncated = True
            break
        answer.datasets.append(shown)
    answer.steps.extend(map(step, around.steps))
    answer.tags.extend(sorted({tag for seen, distance in around.portraits if not distance for tag in seen.tags}))


def problem(value: Found) -> lineage_pb2.LineageProblem:
    """What a person should look at."""
    return lineage_pb2.LineageProblem(
        kind=value.kind.upper(),
        dataset=dataset(value.dataset) if value.dataset else None,
        path=value.path,
        message=value.sentence,
        job_namespace=value.job[0],
        job_name=value.job[1],
        by=value.by,
        at=at(value.at),
    )


def fill_coverage(answer: lineage_pb2.GetCoverageResponse, found: Coverage) -> None:
    """How much is classified."""
    answer.namespaces.extend(lineage_pb2.NamespaceCoverage(**asdict(one)) for one in found[0])
    answer.first.extend(
        lineage_pb2.ClassifyFirst(dataset=dataset(one.dataset), columns=one.columns, downstream=max(one.downstream, 0))
        for one in found[1]
    )


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
