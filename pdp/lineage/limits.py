"""How much the graph takes of tags and columns, asked at the door. All that is in the log counts.

1. All data together has `MAX_TAGS` different tags. Events bring `EVENT_TAGS` of them, so that people always have room,
   and each writer `WRITER_TAGS`.
2. A column has `COLUMN_TAGS` tags by events, and as many by people. A dataset has `COLUMNS` columns.
3. What a writer says of data that it may not write fills half of a limit at most: the other half is for those
   whose data it is.

This process counts what it has admitted and not read yet. Several processes may admit a few more together, which the
graph takes: it loses nothing of what the log has.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from pdp.errors import NotAllowed
from pdp.lineage.fact import Dataset, Event, Source
from pdp.lineage.nodes import Nodes
from pdp.lineage.structure import Structure

MAX_TAGS, EVENT_TAGS, WRITER_TAGS = 1024, 768, 256
"""Different tags: of all, of those that events bring, and of those that one writer brings."""
COLUMN_TAGS = 64
"""Tags that events, or people, say of one column."""
COLUMNS = 10_000
"""Columns of a dataset."""


class Known(Protocol):
    """A graph."""

    structure: Structure


class Limits:
    """The door of one process."""

    def __init__(self, graph: Callable[[], Known]) -> None:
        """`graph` gives the graph of now. It may be prepared meanwhile: only sizes of what it holds are looked at."""
        self._graph = graph
        self._admitted: dict[str, str] = {}

    def admit(self, event: Event, is_foreign: Callable[[Dataset], bool]) -> None:
        """Raise `NotAllowed` for an event that brings too much. `is_foreign` tells what its writer may not write."""
        structure = self._graph().structure
        for dataset, columns in _columns(event, structure.nodes).items():
            _require_columns(structure.nodes, dataset, columns, is_foreign)
        by_column: dict[tuple[Dataset, str], set[str]] = defaultdict(set)
        for one in event.tags:
            by_column[one.dataset, one.column].add(one.tag)
        for (dataset, column), tags in by_column.items():
            most = COLUMN_TAGS // 2 if is_foreign(dataset) else COLUMN_TAGS
            _require_tags(structure, (dataset, column), tags, {Source.EVENT}, most)
        self._admit_new({one.tag for one in event.tags}, event.by, is_event=True)

    def admit_people(
        self, dataset: Dataset, columns: Mapping[str, Iterable[str]], by: str, *, binds: bool = True
    ) -> None:
        """The same for what a person says of columns: the tags of each. What binds nothing takes no room."""
        structure = self._graph().structure
        _require_columns(structure.nodes, dataset, set(columns) - {""}, lambda _: False)
        for column, tags in columns.items():
            _require_tags(structure, (dataset, column), set(tags), {Source.PERSON, Source.SUGGESTION}, COLUMN_TAGS)
        self._admit_new({tag for tags in columns.values() for tag in tags}, by, is_event=False, binds=binds)

    def _admit_new(self, tags: set[str], by: str, *, is_event: bool, binds: bool = True) -> None:
        known = self._graph().structure.tags
        if not (new := tags - known.numbers.keys() - self._admitted.keys()):
            return
        self._admitted = {tag: who for tag, who in self._admitted.items() if tag not in known.numbers}
        total = len(known.numbers) - 1 + len(self._admitted) + len(new)
        mine = known.brought.get(by, 0) + sum(who == by for who in self._admitted.values()) + len(new)
        if is_event and mine > WRITER_TAGS:
            raise _full(f"this writer would bring more than {WRITER_TAGS} different tags")
        if total > (EVENT_TAGS if is_event else MAX_TAGS):
            most = f"{EVENT_TAGS} that events may bring" if is_event else f"{MAX_TAGS} that there may be"
            raise _full(f"there would be more different tags than the {most}")
        self._admitted |= dict.fromkeys(new, by) if binds else {}


def _columns(event: Event, nodes: Nodes) -> Mapping[Dataset, set[str]]:
    """The columns that an event names of each dataset that it may fill to more than half."""
    found: dict[Dataset, set[str]] = defaultdict(set)
    for dataset, columns in event.schemas.items():
        found[dataset].update(columns)
    for output in event.outputs:
        found[output.dataset].update(output.columns)
        for edge in output.edges:
            found[output.dataset].add(edge.column)
            found[edge.source].add(edge.source_column)
    for one in event.tags:
        found[one.dataset].add(one.column)
    room = COLUMNS // 2
    return {one: columns - {""} for one, columns in found.items() if _held(nodes, one) + len(columns) > room}


def _held(nodes: Nodes, dataset: Dataset) -> int:
    number = nodes.numbers.get(dataset)
    return 0 if number is None else len(nodes.columns[number])


def _require_columns(nodes: Nodes, dataset: Dataset, columns: set[str], is_foreign: Callable[[Dataset], bool]) -> None:
    number = nodes.numbers.get(dataset)
    known = nodes.columns[number] if number is not None else {}
    new = sum(column not in known for column in columns)
    if new and len(known) + new > COLUMNS // 2:
        most = COLUMNS // 2 if is_foreign(dataset) else COLUMNS
        if len(known) + new > most:
            raise _full(f"a dataset would have more than the {most} columns that this caller may bring it to")


def _require_tags(
    structure: Structure, where: tuple[Dataset, str], tags: set[str], sources: set[Source], most: int
) -> None:
    node = structure.nodes.find(*where, 0)
    own = dict(structure.ledger.tags.get(node, {})) if node is not None else {}
    said = {structure.tags.names[number] for number, by in own.items() if any(who[0] in sources for who in list(by))}
    if not tags <= said and len(said | tags) > most:
        raise _full(f"a column would have more than the {most} tags that this caller may bring it to")


def _full(sentence: str) -> NotAllowed:
    return NotAllowed("LINEAGE_FULL", sentence)
