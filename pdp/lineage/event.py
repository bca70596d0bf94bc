"""Reads an OpenLineage event as the fact that it is for us.

1. What can never be read is refused as a whole: broken JSON, a dataset without a name, an event over a limit, an output
   that its writer may not write.
2. A facet that is not sound counts as missing, and the event says so in `problems`.
3. Paths are kept and told, never values; SQL, code, plans, statistics, descriptions and errors are left behind.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pdp.errors import InvalidRequest, NotAllowed
from pdp.lineage.column_facet import JOB, ColumnFacet, Columns, job_of
from pdp.lineage.described import REPLACING, Described, described
from pdp.lineage.fact import Dataset, Edge, Event, Tagging
from pdp.lineage.leaving import data_namespace, job_namespace
from pdp.lineage.name import Names
from pdp.lineage.reading import Reading
from pdp.lineage.shape import mapping, member, objects, plain
from pdp.lineage.strict_json import canonical, loads
from pdp.lineage.written import Written, outputs

if TYPE_CHECKING:
    from pdp.lineage_settings import LineageWriter

MAX_EARLY_MILLISECONDS = 300_000
"""How far a writer's clock may be ahead of ours for its event to end edges."""
COLUMN_FACETS = frozenset({"columnLineage", "lineage"})
"""Facets that say where columns come from."""
_FRACTION = re.compile(r"(\.\d{1,6})\d*")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read(
    text: bytes,
    writer: "LineageWriter",
    identity: str,
    names: Names,
    at_ms: int,
    *,
    is_own: bool = False,
    realm: str = "",
) -> Event:
    """The fact of one event, as JSON, of a writer who is this identity.

    `is_own` says that Placet made the event: then descriptions of transformations are the names of its masks. Of
    others, none is of a job of this realm's Placet or writes its datasets. Raises `InvalidRequest` with paths, and
    `NotAllowed` for an output that the writer may not write.
    """
    members = loads(text)
    event = sha256(canonical(members)).hexdigest()
    reserved = () if is_own or not realm else (job_namespace(realm), data_namespace(realm))
    return _Reader(members, Reading(writer, names, is_own=is_own, reserved=reserved)).event(event, identity, at_ms)


class _Reader:
    """One event. What it finds grows while it reads inputs, then outputs, then the entries of its job and its run."""

    def __init__(self, members: Mapping[str, Any], reading: Reading) -> None:
        self.members, self.reading = members, reading
        self.run, self.job = member(members, "run", ""), member(members, "job", "")
        self.own_job = self._own_job()
        self.inputs: dict[Dataset, None] = {}
        self.names_of_inputs: dict[Dataset, Dataset] = {}
        self.aliases: dict[tuple[Dataset, Dataset], None] = {}
        self.tags: dict[Tagging, None] = {}

    def event(self, event: str, identity: str, at: int) -> Event:
        """The fact."""
        time = self._time()
        schemas = {one.dataset: tuple(self.reading.schemas[one.dataset]) for one in self._inputs() if one.columns}
        written = self._all_written(time, at)
        return Event(
            by=identity,
            at=at,
            event=event,
            run=self._run(),
            job=self._job(),
            event_time=time,
            outputs=tuple(outputs(written.values(), self.inputs, self.names_of_inputs, self.reading)),
            inputs=tuple(self.inputs),
            schemas=schemas,
            aliases=tuple(self.aliases),
            tags=tuple(self.tags),
            classifies=self._classifies(),
            problems=tuple(self.reading.problems),
        )

    def _all_written(self, time: int | None, at: int) -> Mapping[Dataset, Written]:
        """Each dataset that the event writes, once."""
        found = dict[Dataset, Written]()
        for output in self._outputs():
            one = self._written(output, replaces=self._replaces(output, time, at))
            if one.dataset in found:
                found[one.dataset].again(one)
            else:
                found[one.dataset] = one
        for entry in self._entries():
            if entry.dataset in found:
                found[entry.dataset].entry(entry)
            else:
                found[entry.dataset] = entry
        return found

    def _inputs(self) -> Sequence[Described]:
        found = [described(one, path, self.reading) for path, one in objects(self.members, "inputs", "")]
        for one in found:
            for name in sorted(COLUMN_FACETS & one.facets.keys()):
                self.reading.note(f"{one.path}.facets.{name}", "is read of outputs only")
            self.inputs[one.dataset] = None
            self.tags.update(one.tags)
            for other in one.others:
                self.names_of_inputs[other] = one.dataset
                if not self._joins(one, other):
                    self.inputs[other] = None
        return found

    def _outputs(self) -> Iterator[Described]:
        """What the event writes. Raises `NotAllowed` for a dataset of others."""
        if self.run or self.job or "run" in self.members:
            found = objects(self.members, "outputs", "")
        elif "dataset" in self.members:
            found = iter([("dataset", mapping(self.members["dataset"], "dataset"))])
        else:
            raise InvalidRequest.field("event", "has neither `run`, `job` nor `dataset`")
        for path, one in found:
            output = described(one, path, self.reading)
            if self._was_read(output):
                continue
            self._require_own(output.dataset, path)
            self.tags.update(output.tags)
            yield output

    def _was_read(self, output: Described) -> bool:
        """Whether an output is an input that an RDD job of Spark looked at.

        Spark's listener names a folder as both where Spark reads the footers of Parquet files, and no column of it. A
        job that writes RDDs cannot write the folder that it reads.
        """
        try:
            kind = member(member(self.job, "facets", "job."), "jobType", "job.facets.")
        except InvalidRequest:
            return False
        is_of_rdd = (kind.get("integration"), kind.get("jobType")) == ("SPARK", "RDD_JOB")
        return is_of_rdd and output.dataset in self.inputs and not COLUMN_FACETS & output.facets.keys()

    def _require_own(self, dataset: Dataset, path: str) -> None:
        if self.reading.is_foreign(dataset):
            raise NotAllowed("DATASET_FOREIGN", f"{path}: its namespace is not one that this writer may write")

    def _joins(self, one: Described, other: Dataset) -> bool:
        """Whether two names become one. Names of others do not: the one then gets the tags of the other."""
        if self.reading.is_foreign(one.dataset) or self.reading.is_foreign(other):
            self.reading.note(one.path, "has another name that its writer may not write; the names are not joined")
            return False
        self.aliases[one.dataset, other] = None
        return True

    def _written(self, one: Described, *, replaces: bool) -> Written:
        """An output with what its facets say of its columns."""
        facet = Columns()
        usable = [self._facet(one, name, facet) for name in sorted(COLUMN_FACETS & one.facets.keys())]
        edges = {Edge("", other, "", how="SYMLINK"): None for other in one.others if not self._joins(one, other)}
        self._add_inputs(facet, is_of_dataset=one.path == "dataset")
        return Written(one.dataset, one.columns, facet if any(usable) else None, edges, replaces)

    def _facet(self, one: Described, name: str, into: Columns) -> bool:
        """Read one facet. Gives whether it is usable."""
        path = f"{one.path}.facets.{name}"
        reader = ColumnFacet(self.reading, one.dataset, self.own_job)
        try:
            into.add(reader.read(name, one.facets[name], path))
        except InvalidRequest as error:
            self.reading.excuse(error, "the facet counts as missing, and all columns get every tag of every input")
            return False
        return True

    def _add_inputs(self, facet: Columns, *, is_of_dataset: bool) -> None:
        """What feeds an output as a whole is an input; so is all that a facet names where no inputs can be listed."""
        self.inputs.update(facet.inputs)
        if is_of_dataset:
            self.inputs.update(facet.by_field | facet.others)

    def _entries(self) -> Iterator[Written]:
        """The entries of the explicit lineage of the job and the run."""
        for name, holder in (("job", self.job), ("run", self.run)):
            path = f"{name}.facets.lineage"
            try:
                yield from self._listed(holder, path)
            except InvalidRequest as error:
                self.reading.excuse(error, "the facet counts as missing")

    def _listed(self, holder: Mapping[str, Any], path: str) -> Sequence[Written]:
        facets = path.removesuffix("lineage")
        facet = member(member(holder, "facets", facets.removesuffix("facets.")), "lineage", facets)
        name = "lineage" if "lineage" in facet else "entries"
        return [self._entry(one, inner) for inner, one in objects(facet, name, f"{path}.")]

    def _entry(self, one: Mapping[str, Any], path: str) -> Written:
        """An entry for a dataset, or for a job, which then stands for what comes from it."""
        is_job = one.get("type") == "JOB"
        target = (job_of(one, path, self.reading) or self.own_job) if is_job else self.reading.dataset(one, path)
        if target is None:
            raise InvalidRequest.field(path, "names no job")
        if not is_job:
            self._require_own(target, path)
        facet = ColumnFacet(self.reading, target, self.own_job).lineage(one, path)
        self._add_inputs(facet, is_of_dataset=False)
        edges = [Edge("", source, "") for source in facet.inputs] if is_job else []
        return Written(target, {}, facet, dict.fromkeys(edges))

    def _replaces(self, one: Described, time: int | None, at: int) -> bool:
        """Whether the event ends the edges of before of its job to this output."""
        if not (one.change in REPLACING and self.reading.writer.may_replace):
            return False
        return self.members.get("eventType") == "COMPLETE" and time is not None and time <= at + MAX_EARLY_MILLISECONDS

    def _classifies(self) -> bool:
        """Whether the event declares what is in columns: not where it tags datasets that its writer may not write."""
        if not self.reading.writer.may_classify:
            return False
        foreign = any(self.reading.is_foreign(one.dataset) for one in self.tags)
        if foreign:
            self.reading.note("event", "tags a dataset that its writer may not write, and so declares nothing")
        return not foreign

    def _own_job(self) -> Dataset | None:
        try:
            found = job_of(self.job, "job", self.reading)
        except InvalidRequest as error:
            self.reading.excuse(error, "the event is of no job")
            return None
        if found and self.reading.is_reserved(found.namespace.removeprefix(JOB)):
            raise NotAllowed("DATASET_FOREIGN", "job: its namespace is of the jobs of this Placet alone")
        return found

    def _job(self) -> tuple[str, str] | None:
        return (self.job["namespace"], self.job["name"]) if self.own_job else None

    def _run(self) -> str:
        if not self.run and "run" not in self.members:
            return ""
        try:
            return plain(self.run, "runId", "run").lower()
        except InvalidRequest as error:
            self.reading.excuse(error, "the event is of no run, and gets the inputs that its job ever had")
            return ""

    def _time(self) -> int | None:
        """Its time in milliseconds since 1970; UTC where it has no time zone; None where it cannot be read."""
        if (value := self.members.get("eventTime")) is None:
            return None
        try:
            time = datetime.fromisoformat(_FRACTION.sub(r"\1", str(value).partition("[")[0].strip()))
            return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1)
        except ValueError:
            self.reading.note("eventTime", "is not a time; it counts as missing")
            return None
