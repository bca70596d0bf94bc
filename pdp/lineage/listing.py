"""What was declared and suggested, as lists for people."""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from pdp.lineage.fact import Dataset, Settled, Source, Suggested
from pdp.lineage.graph import Graph
from pdp.lineage.ledger import Asserted, Ledger
from pdp.lineage.structure import Structure

Place = tuple[str, str, str, str, str, str]
"""Where an assertion stands in the list: namespace, name, column, tag, source and writer."""


class Declared(NamedTuple):
    """One assertion of a tag. An empty `tag` says that the column was declared to need none.

    `names` are the other names of the dataset for which what people declared of the column counts.
    """

    dataset: Dataset
    column: str
    tag: str
    source: Source
    by: str
    what: Asserted
    names: Sequence[Dataset] = ()

    @property
    def place(self) -> Place:
        """Its place in the list."""
        return (*self.dataset, self.column, self.tag, self.source, self.by)


class Proposal(NamedTuple):
    """A suggestion, and what was made of it."""

    suggested: Suggested
    settled: Settled | None

    @property
    def is_accepted(self) -> bool | None:
        """None where nobody has settled it."""
        return self.settled.accepted if self.settled else None


def declared(graph: Graph, datasets: Sequence[Dataset] | None = None, writers: Collection[str] = ()) -> list[Declared]:
    """What people and events assert, by dataset, column and tag; of these datasets, or of all.

    `writers` are the identities that write events: what they declare to need no tag, a person did not say.
    """
    with graph.lock:
        structure = graph.structure
        nodes = None if datasets is None else _nodes(structure, datasets)
        return sorted(_declared(structure, nodes, writers), key=lambda one: one.place)


def behind(listed: Sequence[Declared], place: Place) -> Sequence[Declared]:
    """What follows a place in the list."""
    return listed[bisect_right(listed, place, key=lambda one: one.place) :]


def proposals(graph: Graph, *, accepted: bool | None = None, every: bool = False) -> list[Proposal]:
    """Suggestions, the oldest first: `every` one, or those that were accepted, rejected, or not settled (None)."""
    with graph.lock:
        ledger = graph.structure.ledger
        found = [Proposal(one, ledger.settled.get(name)) for name, one in ledger.suggestions.items()]
    return sorted(
        (one for one in found if every or one.is_accepted is accepted),
        key=lambda one: (one.suggested.at, one.suggested.suggestion),
    )


def _nodes(structure: Structure, datasets: Sequence[Dataset]) -> set[int]:
    numbers = [structure.nodes.numbers[name] for name in datasets if name in structure.nodes.numbers]
    return {
        node for number in numbers for node in (*structure.nodes.own(number), *structure.nodes.columns[number].values())
    }


def _declared(structure: Structure, nodes: set[int] | None, writers: Collection[str]) -> Iterator[Declared]:
    ledger = structure.ledger
    for node in ledger.tags.keys() | ledger.declared.keys():
        if nodes is None or node in nodes:
            yield from _of_node(structure, ledger, node, writers)


def _of_node(structure: Structure, ledger: Ledger, node: int, writers: Collection[str]) -> Iterator[Declared]:
    dataset, column = structure.nodes.where(node)
    said, names = ledger.tags.get(node, {}), sorted(ledger.shared.get(node, ()))
    for number, sources in said.items():
        for (source, by), what in sources.items():
            yield Declared(dataset, column, structure.tags.names[number], source, by, what, names)
    if node in ledger.declared and not said:
        by, at = ledger.declared[node]
        source = Source.EVENT if by in writers else Source.PERSON
        yield Declared(dataset, column, "", source, by, Asserted(at), names)
