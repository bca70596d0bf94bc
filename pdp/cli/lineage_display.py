"""Shows lineage to people: what data carries, where that comes from, and what is still to do."""

from collections.abc import Iterable, Iterator, Sequence

from pdp.cli.dataset import written
from pdp.cli.display import table
from pdp.cli.lineage_steps import assertion, moment, source, step
from pdp.v1.dataset_pb2 import LineageStep, TagAssertion
from pdp.v1.lineage_pb2 import (
    ExplainTagResponse,
    GetCoverageResponse,
    GetLineageResponse,
    GetPathResponse,
    LineageDataset,
    LineageProblem,
    LineageState,
)
from pdp.visible import visible

_STATES = {
    LineageState.LINEAGE_STATE_NONE: "this type of resource is not data; lineage has nothing about it",
    LineageState.LINEAGE_STATE_UNKNOWN: "no dataset is known by this name, so it counts as unclassified",
    LineageState.LINEAGE_STATE_AMBIGUOUS: "too many datasets fit this name, so it is unclassified, with all their tags",
}


def lineage(answer: GetLineageResponse) -> str:
    """The data with its columns, then what it comes from, then what comes from it."""
    if answer.state in _STATES:
        return _STATES[answer.state]
    lines = [line for one in answer.datasets if not one.distance for line in _whole(one)]
    for title, near in (
        ("comes from", [one for one in answer.datasets if one.distance < 0]),
        ("flows into", [one for one in answer.datasets if one.distance > 0]),
    ):
        if near:
            lines += ["", title]
            lines += [f"  {_name(one)}  {_tags(one.tags)}" for one in sorted(near, key=lambda one: abs(one.distance))]
    return "\n".join([*lines, *_notes(answer), _revision(answer.revision.n)])


def path(answer: GetPathResponse) -> str:
    """The steps of a way."""
    if not answer.steps:
        return "nothing flows from the one to the other"
    return "\n".join([*_steps(answer.steps), _revision(answer.revision.n)])


def explanation(answer: ExplainTagResponse, tag: str, column: str = "") -> str:
    """Who asserted a tag where, and the way from there."""
    if not answer.carried:
        return f"no column of this name carries {visible(tag)}" if column else f"it does not carry {visible(tag)}"
    lines = [line for one in answer.assertions for line in assertion(one)]
    if not lines:
        lines = ["the data where this begins was not classified"]
    return "\n".join([*lines, *_steps(answer.steps), _revision(answer.revision.n)])


def assertion_table(assertions: Iterable[TagAssertion]) -> str:
    """A line for each."""
    rows = [
        (
            visible(written(one.dataset)),
            visible(one.column) or "*",
            visible(one.tag) or "-",
            source(one.source),
            visible(one.by),
            moment(one.at),
        )
        for one in assertions
    ]
    return table(("DATASET", "COLUMN", "TAG", "SOURCE", "BY", "AT"), rows)


def problem_table(problems: Iterable[LineageProblem]) -> str:
    """A line for each."""
    rows = [
        (
            moment(one.at),
            visible(one.kind),
            visible(written(one.dataset)) if one.HasField("dataset") else visible(one.path),
            visible(one.message),
            visible("/".join(filter(None, (one.job_namespace, one.job_name)))),
        )
        for one in problems
    ]
    return table(("AT", "KIND", "WHERE", "WHAT", "JOB"), rows)


def coverage(answer: GetCoverageResponse) -> str:
    """How much of each namespace is classified, and what to classify first."""
    spaces = [
        (
            visible(one.namespace),
            f"{one.classified_datasets}/{one.datasets}",
            f"{one.classified_columns}/{one.columns}",
            f"{one.classified_columns / one.columns:.0%}" if one.columns else "-",
        )
        for one in answer.namespaces
    ]
    first = [(visible(written(one.dataset)), str(one.columns), str(one.downstream)) for one in answer.first]
    lines = [table(("NAMESPACE", "DATASETS", "COLUMNS", "CLASSIFIED"), spaces)]
    if first:
        lines += ["", table(("CLASSIFY FIRST", "COLUMNS", "COLUMNS DOWNSTREAM"), first)]
    return "\n".join([*lines, _revision(answer.revision.n)])


def _steps(steps: Sequence[LineageStep]) -> list[str]:
    return [f"  {step(one)}" for one in steps]


def _whole(one: LineageDataset) -> Iterator[str]:
    yield f"{_name(one)}  {_tags(one.tags)}"
    tagged = {column.name: column.tags for column in one.columns}
    for name in one.column_names or tagged:
        yield f"  {visible(name)}  {_tags(tagged.get(name, ()))}".rstrip()


def _name(one: LineageDataset) -> str:
    return visible(written(one.dataset))


def _tags(tags: Iterable[str]) -> str:
    return " ".join(map(visible, tags))


def _notes(answer: GetLineageResponse) -> Iterator[str]:
    if any(one.coarse for one in answer.datasets if not one.distance):
        yield "some of it came without columns, so every column got every tag"
    if answer.truncated:
        yield "there is more than is shown"


def _revision(n: int) -> str:
    return f"as of revision {n}"
