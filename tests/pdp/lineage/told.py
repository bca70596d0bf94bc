"""Facts -> what the model knows: what events leave behind, what adds up over a run, and what people and time take."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, TypeAlias

from pdp.lineage import fact
from pdp.lineage.fact import Dataset, Event, Way
from pdp.lineage.ledger import FORGOTTEN_MS, WEEK_MS
from pdp.lineage.name import above
from tests.pdp.lineage.model import Model, Node, Ways

ALWAYS, NEVER = float("inf"), -float("inf")
Job: TypeAlias = tuple[str, str] | None
Times: TypeAlias = dict[Any, float]  # when each was said last


@dataclass
class Flows:
    """What one run, or one job, read and wrote. `targets` are (node, job) that get all of the inputs."""

    inputs: Times = field(default_factory=dict)
    targets: Times = field(default_factory=dict)
    first: float = ALWAYS
    last: float = NEVER
    jobs: set[Job] = field(default_factory=set)
    wrote: set[Dataset] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    is_torn: bool = False

    def add(self, inputs: Times, targets: Times) -> None:
        later(self.inputs, inputs)
        later(self.targets, targets)


class Told(Model):
    """The facts of a log, in their order."""

    def __init__(self, facts: Iterable[Any]) -> None:
        super().__init__()
        self.seen, self.replaced, self.ended = Times(), Times(), set[Any]()
        self.over = set[
            tuple[Node, Node, Any]
        ]()  # edges that a person ended, with runs and jobs that do not revive them
        self.runs, self.jobs = dict[str, Flows](), dict[Job, Flows]()
        for one in facts:
            self.now = max(self.now, one.at)
            getattr(self, type(one).__name__.lower())(one)
            self.edges = self.live()

    def live(self) -> Ways:
        """The edges that neither a person ended nor their job replaced since."""
        live = {key: time for key, time in self.seen.items() if key not in self.ended}
        return {key[:3] for key, time in live.items() if time >= self.replaced.get((key[3], key[1][0]), NEVER)}

    def meet(self, dataset: Dataset, columns: Iterable[str] = ()) -> Dataset:
        self.met.add(dataset)
        self.names.add(dataset)
        self.columns |= {(dataset, column) for column in columns if column}
        return dataset

    def see(self, src: Node, dst: Node, way: Way, job: Job, time: float, who: Any) -> None:
        if (src, dst, who) not in self.over:
            later(self.seen, {(src, dst, way, job): time})
            self.ended.discard((src, dst, way, job))

    def event(self, event: Event) -> None:
        inputs = {self.meet(one): when(event) for one in event.inputs}
        targets: Times = {}
        for dataset, columns in event.schemas.items():
            self.meet(dataset, columns)
        for out in event.outputs:
            self.meet(out.dataset, out.columns)
            if out.replaces and event.job and when(event) != ALWAYS:
                later(self.replaced, {(event.job, out.dataset): when(event)})
            for edge in out.edges:
                inputs[self.meet(edge.source, [edge.source_column])] = when(event)
                src, dst = (
                    (edge.source, edge.source_column or "**"),
                    (self.meet(out.dataset, [edge.column]), edge.column),
                )
                self.see(src, dst, edge.way, event.job, when(event), event.run)
                declares = event.classifies and edge.column and edge.source != out.dataset
                self.declared |= {dst} if declares else set()
            targets |= {((out.dataset, column), event.job): when(event) for column in coarse(out)}
        if event.run:
            self.of_run(event, inputs, targets)
        else:
            self.spread(Flows(inputs, targets), "")
        self.names |= {name for pair in event.aliases for name in pair}
        self.links |= {ends for a, b in event.aliases if a != b for ends in ((a, b), (b, a))}
        for tag in event.tags:
            self.tag(tag, (), declares=event.classifies)

    def of_run(self, event: Event, inputs: Times, targets: Times) -> None:
        """The events of a run add up; a run that lasts over a week falls back to all that its jobs ever had."""
        run = self.runs.setdefault(event.run, Flows(first=event.at))
        if run.first < self.now - FORGOTTEN_MS:
            run = self.runs[event.run] = Flows(first=NEVER)
        run.first, run.last = min(run.first, event.at), max(run.last, event.at)
        run.jobs.add(event.job)
        run.wrote |= {out.dataset for out in event.outputs}
        run.events.append(event)
        more = disagreeing(run.events)
        run.add(inputs, targets | more)
        self.spread(run, event.run)
        self.jobs.setdefault(event.job, Flows()).add(inputs, targets)
        torn = run.jobs if run.last - run.first > WEEK_MS else set[Job]()
        for one in {event.job, *torn, *(job for _, job in more)}:
            job = self.jobs[one]
            job.is_torn |= one in torn
            job.add({}, {target: time for target, time in more.items() if target[1] == one})
            if job.is_torn:
                self.spread(job, one)

    def spread(self, flows: Flows, who: Any) -> None:
        """Each target gets all of each input."""
        for source, ((target, job), time) in product(flows.inputs, flows.targets.items()):
            self.see((source, "**"), target, Way.CARRY, job, max(time, *flows.inputs.values()), who)

    def tag(self, tagging: fact.Tagging, names: Sequence[Dataset], *, declares: bool) -> None:
        node = (self.meet(tagging.dataset, [tagging.column]), tagging.column)
        self.own.setdefault(node, set()).add(tagging.tag)
        self.declared |= {node} if declares else set()
        self.shared |= {(node, name) for name in names if tagging.column}

    def tagged(self, entry: fact.Tagged) -> None:
        self.tag(entry.tagging, entry.names, declares=True)

    def classified(self, entry: fact.Classified) -> None:
        self.meet(entry.dataset, entry.columns)
        for column, tags in entry.columns.items():
            self.own.setdefault((entry.dataset, column), set()).update(tags)
            self.declared.add((entry.dataset, column))
            self.shared |= {((entry.dataset, column), name) for name in entry.names}

    def untagged(self, entry: fact.Untagged) -> None:
        self.own.get((entry.dataset, entry.column), set()).discard(entry.tag)

    def edgeended(self, entry: fact.EdgeEnded) -> None:
        src, dst = (entry.source, entry.source_column or "**"), (entry.dataset, entry.column)
        self.ended |= {key for key in self.seen if key[:2] == (src, dst)}
        for name, run in self.runs.items():
            if entry.source in run.inputs and dst[0] in run.wrote and run.first >= self.now - FORGOTTEN_MS:
                self.over.add((src, dst, name))
        for one, job in self.jobs.items():
            if entry.source in job.inputs and (dst, one) in job.targets:
                self.over.add((src, dst, one))

    def unlinked(self, entry: fact.Unlinked) -> None:
        self.links -= {(entry.one, entry.other), (entry.other, entry.one)}

    def declassified(self, entry: fact.Declassified) -> None:
        node, listed = (entry.dataset, entry.column), {(dataset, column or "**") for dataset, column in entry.edges}
        covered = {source for source in self.sources(node)[0] if source[0] in listed}
        self.stops.append((node, entry.tag, covered, entry.until))

    def rules(self, entry: fact.Rules) -> None:
        self.travels = dict(entry.tags)

    def clock(self, entry: fact.Clock) -> None:
        """Time went on."""


def when(event: Event) -> float:
    return ALWAYS if event.event_time is None else event.event_time


def later(known: Times, more: Mapping[Any, float]) -> None:
    known |= {key: max(time, known.get(key, time)) for key, time in more.items()}


def coarse(out: fact.Output) -> Iterable[str]:
    """The columns of an output that get all of its inputs; "" is every one."""
    if out.named is None or out.is_tainted:
        return [""]
    named = {*out.named, *(edge.column for edge in out.edges)}
    return [] if out.is_complete else [column for column in out.columns if column not in named]


def disagreeing(events: Sequence[Event]) -> Times:
    """The outputs whose facets do not fit to what another event of the run lists."""
    found: Times = {}
    for event, other in product(events, events):
        facets = [out for out in event.outputs if out.named is not None]
        edges = [edge for out in facets for edge in out.edges]
        mine, known = inputs_of(event), inputs_of(event) | inputs_of(other)
        read = {
            edge: next((known[n] for n in (edge.source, *above(edge.source)) if n in known), None) for edge in edges
        }
        if known != mine and set(known.values()) - {read[edge] for edge in edges if edge.column}:
            tainted = [out for out in facets if None in read.values() or not (out.columns or mine)]
            later(found, {((out.dataset, ""), event.job): when(event) for out in tainted})
    return found


def inputs_of(event: Event) -> dict[Dataset, Dataset]:
    """The inputs that an event lists, by each of their names."""
    return {**{one: one for one in event.inputs}, **{b: a for a, b in event.aliases if a in event.inputs}}
