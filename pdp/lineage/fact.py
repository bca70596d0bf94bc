"""The facts that the log of lineage holds. Tags follow from their set, and all that was asserted is kept.

1. Names are folded before they become facts (`name`), and what a writer is trusted with is resolved: what follows from
   facts depends on the log alone.
2. No fact holds SQL text, source code, values, statistics or errors of an event.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, TypeAlias


class Dataset(NamedTuple):
    """A dataset by OpenLineage's namespace and name, both folded."""

    namespace: str
    name: str


class Way(StrEnum):
    """What an edge does to the tags that it carries."""

    CARRY = "carry"
    """It carries all of them. Edges of a kind that is not known do so, too."""
    INDIRECT = "indirect"
    """It carries those that declare `indirect: "carry"`."""
    MASKED = "masked"
    """`t` becomes `t:masked`."""
    STOPPED = "stopped"
    """It carries nothing but `unclassified`: a mask of Placet's that leaves nothing of a value."""


class Source(StrEnum):
    """Who asserts a tag."""

    PERSON = "PERSON"
    EVENT = "EVENT"
    POLICY = "POLICY"
    SUGGESTION = "SUGGESTION"


class Edge(NamedTuple):
    """A column that gets its values from another one.

    An empty `column` is every column of the output, an empty `source_column` every column of the source. `how` is the
    transformation as the event names it, such as `DIRECT/AGGREGATION`, for people alone.
    """

    column: str
    source: Dataset
    source_column: str
    way: Way = Way.CARRY
    how: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """What one event says of a dataset that it wrote.

    `columns` are those of its schema. `named` are the columns for which the event names the inputs, none of them
    included; None where it has no usable column facet. Columns that are not named get every tag of every input of the
    run, unless `is_complete` says that they have no inputs. `is_tainted` says that all columns get those, named or not.
    `replaces` ends the edges of the same job to this dataset that were last seen before the event's time.
    """

    dataset: Dataset
    columns: Sequence[str] = ()
    named: Sequence[str] | None = None
    edges: Sequence[Edge] = ()
    is_complete: bool = False
    is_tainted: bool = False
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Tagging:
    """A tag that is asserted of a column, or with an empty `column` of a whole dataset."""

    dataset: Dataset
    column: str
    tag: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What all entries have.

    `by` is the writer's identity; `at` the server's time in milliseconds since 1970; `reason` a person's words;
    `decision_id` the decision that let the person do it, and `request_id` that of the person's call.
    """

    by: str
    at: int
    reason: str = ""
    decision_id: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Entry):
    """An OpenLineage event: what a run, a job or a dataset says.

    `event` is SHA-256 (hex) of the event's canonical form. `run` is the run's id, empty where the event is of no run.
    `event_time` is its own time in milliseconds, None where it has none. `classifies` says that its writer may say what
    is in data: columns to which it gives edges, or whose tags it declares, are no longer unclassified themselves.
    `problems` are what a person should look at, as (path, sentence).
    """

    event: str
    run: str = ""
    job: tuple[str, str] | None = None
    event_time: int | None = None
    inputs: Sequence[Dataset] = ()
    outputs: Sequence[Output] = ()
    schemas: Mapping[Dataset, Sequence[str]] = field(default_factory=dict)
    aliases: Sequence[tuple[Dataset, Dataset]] = ()
    tags: Sequence[Tagging] = ()
    classifies: bool = False
    problems: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged(Entry):
    """A tag that a person adds, by itself or by accepting a suggestion. It declares the column's tags.

    `names` are the other names that the dataset had then: the declaration counts for them while they are joined.
    """

    tagging: Tagging
    source: Source = Source.PERSON
    names: Sequence[Dataset] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Classified(Entry):
    """What is in columns, each with its tags; a column without tags is declared to need none.

    `names` are those of `Tagged`.
    """

    dataset: Dataset
    columns: Mapping[str, Sequence[str]]
    names: Sequence[Dataset] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Untagged(Entry):
    """The end of all assertions of a tag of a column, or of a dataset, that were made so far."""

    dataset: Dataset
    column: str
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeEnded(Entry):
    """The end of edges between two columns that were seen so far. Empty columns are whole datasets, as in `Edge`.

    A run that had read the one dataset and written the other by then does not bring them back.
    """

    dataset: Dataset
    column: str
    source: Dataset
    source_column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlinked(Entry):
    """The end of what joined two names so far."""

    one: Dataset
    other: Dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class Declassified(Entry):
    """An inherited tag that stops at a column, for the edges it has now, `until` (ms since 1970; 0 is for good)."""

    dataset: Dataset
    column: str
    tag: str
    edges: Sequence[tuple[Dataset, str]]
    until: int = 0


@dataclass(frozen=True, slots=True)
class TagRule:
    """How a tag travels, as `data.tags.<key>` of the policy says."""

    propagate: bool = True
    stops_on_mask: bool = False
    indirect: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules(Entry):
    """How tags travel from here on: those of the policy revision that a server activated."""

    policy_revision: str
    tags: Mapping[str, TagRule]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock(Entry):
    """That this time has come: what was declassified until before it carries its tag again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested(Entry):
    """A tag that a recognizer proposes. It binds nothing until a person settles it."""

    suggestion: str
    tagging: Tagging
    hits: float
    recognizer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled(Entry):
    """What a person made of a suggestion."""

    suggestion: str
    accepted: bool


Fact: TypeAlias = (
    Event | Tagged | Classified | Untagged | EdgeEnded | Unlinked | Declassified | Rules | Clock | Suggested | Settled
)
