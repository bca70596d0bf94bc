"""What was asserted, beside the edges: tags and who says so, runs and their jobs, and what people ended or proposed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np

from pdp.lineage.edges import NEVER
from pdp.lineage.fact import Dataset, Settled, Source, Suggested
from pdp.lineage.tag_bits import Ints

DAY_MS = 24 * 3600 * 1000
"""A day in milliseconds."""
WEEK_MS = 7 * DAY_MS
"""A run whose events lie further apart is taken for one of which something was forgotten."""
FORGOTTEN_MS = WEEK_MS + DAY_MS
"""A run that began so long ago is forgotten. It is a day more, for the clocks of servers differ."""
RATE = 4
"""Edges that it may see anew for each input and each target that its events show."""
LONG_AGO = -FORGOTTEN_MS - 1
"""When a run began of which only that is known that it is forgotten."""


class Asserted(NamedTuple):
    """That a tag was asserted: when, with what confidence and reason, and by which event (SHA-256)."""

    at: int
    confidence: float | None = None
    reason: str = ""
    event: str = ""


class Sighting(NamedTuple):
    """The event that last showed an edge: its run, its writer, the server's time, and its SHA-256."""

    run: str
    by: str
    at: int
    event: str


class Stop(NamedTuple):
    """A tag that stops at a column for edges from these nodes (node, code), until a time in ms, or for good."""

    edges: frozenset[tuple[int, int]]
    until: int
    by: str
    at: int
    reason: str


class Problem(NamedTuple):
    """What a person should look at, found in the events of a job."""

    job: tuple[str, str]
    path: str
    sentence: str


Inputs: TypeAlias = tuple[tuple[int, int], ...]
"""The inputs that one event lists: each name of one, with the input. Sorted."""


class Facets(NamedTuple):
    """What the column facets of one event of a job say, and the inputs that it lists. All of it is sorted.

    `by_column` are the datasets that they name for a column, `others` those for a whole output. `outputs` are those
    with such a facet, `bare` the ones of them whose schema the event does not have.
    """

    job: int
    inputs: Inputs
    by_column: tuple[int, ...]
    others: tuple[int, ...]
    outputs: tuple[int, ...]
    bare: tuple[int, ...]


@dataclass(slots=True)
class Flows:
    """The inputs of a run or a job, and the (node, job) that get all of them, each with the time of its last event."""

    inputs: dict[int, int] = field(default_factory=dict)
    targets: dict[tuple[int, int], int] = field(default_factory=dict)
    latest: int = NEVER
    """The latest time of an input."""
    credit: int = 0
    """Edges that may be seen anew before it gets hubs of its own (`spreading`)."""
    hubs: dict[tuple[int, int], int] = field(default_factory=dict)
    """The nodes in which its inputs meet, where they are its own."""
    over: int = 0
    """Edges that a person had ended when these were worked out."""

    def add(self, said: "Flows") -> None:
        """What another event says."""
        for dataset, time in said.inputs.items():
            self.inputs[dataset] = max(time, self.inputs.get(dataset, time))
            self.latest = max(self.latest, time)
        for target, time in said.targets.items():
            self.targets[target] = max(time, self.targets.get(target, time))
        self.credit = min(self.credit + RATE * said.size, RATE * self.size)

    @property
    def size(self) -> int:
        """How much it is."""
        return len(self.inputs) + len(self.targets)

    def pays(self, cost: int, few: int) -> bool:
        """Whether so many edges may be seen anew: `few` always, and more where its events showed enough for it."""
        if not few or cost > max(self.credit, few):
            return False
        self.credit -= cost if cost > few else 0
        return True


@dataclass(slots=True)
class Run(Flows):
    """One run, the server's times of its first and last event, and the numbers of all jobs that its events name.

    `wrote` are the datasets that its events have as outputs. `lists` are the different lists of inputs of its events,
    `facets` what its facets say, each with the time of its last event; of either there is one more than are compared.
    `is_torn`: more than a week lies between its events.
    """

    first_at: int = 0
    last_at: int = 0
    is_torn: bool = False
    jobs: set[int] = field(default_factory=set)
    wrote: set[int] = field(default_factory=set)
    lists: set[Inputs] = field(default_factory=set)
    facets: dict[Facets, int] = field(default_factory=dict)


@dataclass(slots=True)
class Job(Flows):
    """What all runs of a job had. `is_partly_forgotten`: everything flows from each of its inputs."""

    is_partly_forgotten: bool = False


class Ledger:
    """All of it."""

    def __init__(self) -> None:
        self.tags: dict[int, dict[int, dict[tuple[Source, str], Asserted]]] = {}
        """For each node its own tags, and who asserts each of them."""
        self.declared: dict[int, tuple[str, int]] = {}
        """Columns of which somebody who may has said what is in them: who, and when."""
        self.shared: dict[int, frozenset[Dataset]] = {}
        """For such a column the other names of its dataset for which that counts, too."""
        self.ended: dict[int, dict[int, set[int]]] = {}
        """For runs (`short`) and jobs (`~number`): edges that a person ended and they do not revive, sources by end."""
        self.latest: dict[int, int] = {}
        """For each hub that is a run's or a job's own: a time at which all edges that leave it were seen."""
        self.dead: dict[int, set[tuple[int, int]]] = {}
        """For such a hub the edges (end, job) that were replaced by then."""
        self.met: set[int] = set()
        """Datasets that something read or wrote."""
        self.jobs: list[Job] = []
        self.job_names: list[tuple[str, str]] = []
        self.job_numbers: dict[tuple[str, str], int] = {}
        self.runs: dict[str, Run] = {}
        self.forgotten: Ints = np.zeros(0, np.uint64)
        """Of each run that is forgotten, 8 bytes of the hash of its id, sorted."""
        self.replaced: dict[tuple[int, int], int] = {}
        """For a job and a dataset: the time before which its edges have ended."""
        self.sightings: list[Sighting] = []
        self.hows: dict[str, int] = {"": 0}
        self.stops: dict[tuple[int, str], list[Stop]] = {}
        self.problems: dict[Problem, tuple[str, int]] = {}
        """Each with the last event that has it, and when."""
        self.suggestions: dict[str, Suggested] = {}
        self.settled: dict[str, Settled] = {}

    def job(self, name: tuple[str, str] | None) -> int:
        """The number of a job; one for all that is of no job."""
        key = name or ("", "")
        found = self.job_numbers.setdefault(key, len(self.jobs))
        if found == len(self.jobs):
            self.jobs.append(Job())
            self.job_names.append(key)
        return found

    def how(self, text: str) -> int:
        """The number of a transformation's text."""
        return self.hows.setdefault(text, len(self.hows))

    def run(self, name: str, at: int, clock: int) -> Run:
        """A run that has an event at this time. One that began too long ago is a new one, as if it were forgotten."""
        run = self.runs.get(name) or Run(first_at=LONG_AGO if self._is_forgotten(name) else at, last_at=at)
        if self.is_old(run, clock):
            run = Run(first_at=LONG_AGO)
        self.runs[name] = run
        run.first_at, run.last_at = min(run.first_at, at), max(run.last_at, at)
        return run

    def forget(self, clock: int) -> None:
        """Let go of runs that began too long ago."""
        old = [name for name, run in self.runs.items() if self.is_old(run, clock)]
        for name in old:
            del self.runs[name]
        self.forgotten = np.union1d(self.forgotten, np.array([*map(short, old)], np.uint64))

    @staticmethod
    def is_old(run: Run, clock: int) -> bool:
        """Whether a run is forgotten."""
        return run.first_at < clock - FORGOTTEN_MS

    def next_expiry(self, clock: int) -> int:
        """When the first stop ends that holds now, in ms since 1970; 0 where none of them ends."""
        ends = (stop.until for stops in self.stops.values() for stop in stops)
        return min((until for until in ends if until >= max(clock, 1)), default=0)

    def _is_forgotten(self, name: str) -> bool:
        key = np.uint64(short(name))
        place = int(np.searchsorted(self.forgotten, key))
        return place < len(self.forgotten) and bool(self.forgotten[place] == key)

    def own(self, node: int) -> Mapping[int, object]:
        """The tags that somebody asserts of a node."""
        return self.tags.get(node, {})


def short(run: str) -> int:
    """8 bytes of the hash of a run's id."""
    return int.from_bytes(hashlib.sha256(run.encode()).digest()[:8], "big")
