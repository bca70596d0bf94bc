"""Where the columns of an output come from: the facets `columnLineage` and `lineage` of a dataset or an entry.

A facet that is not sound raises `InvalidRequest`, and then counts as missing as a whole.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pdp.bad_fields import joined, step
from pdp.lineage.fact import Dataset, Edge
from pdp.lineage.reading import Reading
from pdp.lineage.shape import MAX_COLUMNS, mapping, objects, sequence, sized, text, within
from pdp.lineage.transformation import Trust, claims_masking, ways

JOB = "job:"
"""What the namespaces of jobs begin with where a job stands for data that came from it, or went into it.

Their names end with `()`, so that no table is taken for one."""


@dataclass
class Columns:
    """What facets say of one output.

    `named` are the columns whose inputs they name. `by_field` are datasets that they name for a column, `others` those
    for the whole output. `inputs` feed the output as those of the event do. `made` are columns that have their values
    from the job itself: they are not named, and get what all inputs have.
    """

    named: dict[str, None] = field(default_factory=dict)
    edges: dict[Edge, None] = field(default_factory=dict)
    by_field: dict[Dataset, None] = field(default_factory=dict)
    others: dict[Dataset, None] = field(default_factory=dict)
    inputs: dict[Dataset, None] = field(default_factory=dict)
    made: dict[str, None] = field(default_factory=dict)

    def add(self, other: "Columns") -> None:
        """What another facet says, too."""
        for one in ("named", "edges", "by_field", "others", "inputs", "made"):
            getattr(self, one).update(getattr(other, one))


class ColumnFacet:
    """Reads the facets of one output."""

    def __init__(self, reading: Reading, output: Dataset, own_job: Dataset | None) -> None:
        self._reading, self._output, self._own_job = reading, output, own_job
        self.found = Columns()

    def read(self, name: str, facet: Any, path: str) -> Columns:
        """The facet of this name. Raises `InvalidRequest`."""
        return self.column_lineage(facet, path) if name == "columnLineage" else self.lineage(facet, path)

    def column_lineage(self, facet: Any, path: str) -> Columns:
        """The facet `columnLineage`. Raises `InvalidRequest`."""
        members = mapping(facet, path)
        for name, one, inner in self._fields(members, path, required=True):
            column = self._named(name)
            sequence(one.get("inputFields"), f"{inner}.inputFields")
            for place, source in objects(one, "inputFields", f"{inner}."):
                self._field(column, source, one.get("transformationType"), place)
        for place, source in objects(members, "dataset", f"{path}."):
            self._whole(source, place)
        return self.found

    def lineage(self, facet: Any, path: str) -> Columns:
        """The facet `lineage` of a dataset, or one entry of that of a job or a run. Raises `InvalidRequest`."""
        members = mapping(facet, path)
        for name, one, inner in self._fields(members, path, required=False):
            sequence(one.get("inputs"), f"{inner}.inputs")
            sources = list(objects(one, "inputs", f"{inner}."))
            jobs = [job_of(one, place, self._reading) for place, one in sources if one.get("type") == "JOB"]
            datasets = [(place, one) for place, one in sources if one.get("type") != "JOB"]
            if None in jobs or self._own_job in jobs:
                self._made(self._reading.column(self._output, name), datasets, jobs)
                continue
            column = self._named(name)
            for place, source in datasets:
                self._field(column, source, None, place, needs_field=False)
            self._keep({Edge(column, job, ""): None for job in jobs if job})
        for place, source in objects(members, "inputs", f"{path}."):
            self._input(source, place)
        return self.found

    def _fields(
        self, members: Mapping[str, Any], path: str, *, required: bool
    ) -> Iterator[tuple[str, Mapping[str, Any], str]]:
        fields = mapping(
            {} if members.get("fields") is None and not required else members.get("fields"), f"{path}.fields"
        )
        within(len(fields), MAX_COLUMNS, f"{path}.fields", "columns")
        for name, one in fields.items():
            inner = joined(f"{path}.fields", step(name))
            yield sized(name, inner), mapping(one, inner), inner

    def _made(
        self, column: str, datasets: Sequence[tuple[str, Mapping[str, Any]]], jobs: Sequence[Dataset | None]
    ) -> None:
        """A column that the job makes: of its inputs, of which these are more."""
        self.found.made[column] = None
        self.found.inputs.update({self._reading.dataset(source, place): None for place, source in datasets})
        self.found.inputs.update({job: None for job in jobs if job and job != self._own_job})

    def _named(self, name: str) -> str:
        column = self._reading.column(self._output, name)
        if column:
            self.found.named[column] = None
        return column

    def _field(self, column: str, source: Mapping[str, Any], old: Any, path: str, *, needs_field: bool = True) -> None:
        dataset = self._reading.dataset(source, path)
        self.found.by_field[dataset] = None
        is_whole = not needs_field and source.get("field") is None
        self._edges(column, dataset, "*" if is_whole else text(source, "field", path), (source, old, path))

    def _whole(self, source: Mapping[str, Any], path: str) -> None:
        """An input field that bears on every column of the output."""
        dataset = self._reading.dataset(source, path)
        self.found.others[dataset] = None
        self._edges("", dataset, text(source, "field", path), (source, None, path))

    def _input(self, source: Mapping[str, Any], path: str) -> None:
        """An input of the whole output in the facet `lineage`."""
        if source.get("type") == "JOB":
            job = job_of(source, path, self._reading)
            self.found.inputs.update({job: None} if job and job != self._own_job else {})
        elif source.get("field") is not None:
            self._whole(source, path)
        else:
            self.found.inputs[self._reading.dataset(source, path)] = None

    def _edges(self, column: str, dataset: Dataset, name: str, source: tuple[Mapping[str, Any], Any, str]) -> None:
        found, how = ways(source[0], source[1], self._reading.trust, source[2])
        if self._reading.trust is Trust.NONE and claims_masking(source[0]):
            self._reading.note("event", "says that it masks, which its writer is not trusted with; it carries all tags")
        inner = self._reading.column(dataset, name)
        columns = (inner, *self._reading.outer_columns(dataset, inner))
        self._keep({Edge(column, dataset, one, way, how): None for one in columns for way in found})

    def _keep(self, edges: Mapping[Edge, None]) -> None:
        self._reading.add_edges(len(edges))
        self.found.edges.update(edges)


def job_of(members: Mapping[str, Any], path: str, reading: Reading) -> Dataset | None:
    """A job as a dataset of what came from it; None where the members name no job. Raises `InvalidRequest`."""
    if members.get("namespace") is None and members.get("name") is None:
        return None
    found = reading.dataset({**members, "namespace": members.get("namespace"), "name": members.get("name")}, path)
    return Dataset(JOB + found.namespace, found.name + "()")
