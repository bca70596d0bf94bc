"""What a removal takes away, at one revision: two revisions at which it is the same may stand for each other."""

from collections.abc import Hashable

from pdp.lineage.fact import Dataset, Declassified, EdgeEnded, Unlinked, Untagged
from pdp.lineage.graph import Graph
from pdp.lineage.inflow import inflow, sources_of
from pdp.lineage.nodes import ALL, BASE
from pdp.lineage.structure import Structure
from pdp.lineage.tag_bits import WAY_BITS

Removal = Untagged | EdgeEnded | Unlinked | Declassified
"""The facts that take something away."""


def taken(graph: Graph, removal: Removal) -> frozenset[Hashable]:
    """What it takes away; empty where there is nothing of the kind."""
    with graph.lock:
        graph.structure.edges.flush()
        match removal:
            case Untagged():
                return _assertions(graph.structure, removal)
            case EdgeEnded():
                return _edges(graph.structure, removal)
            case Unlinked():
                return _joint(graph.structure, removal)
            case Declassified():
                return _inflow(graph.structure, removal)


def sources(graph: Graph, dataset: Dataset, column: str) -> list[tuple[Dataset, str]]:
    """The columns, and with an empty name the datasets, from which a column gets its tags."""
    with graph.lock:
        graph.structure.edges.flush()
        node = graph.structure.nodes.find(dataset, column, BASE)
        return [] if node is None else sources_of(graph.structure, node)


def said_by(assertions: frozenset[Hashable]) -> list[str]:
    """Who says the tag that an `Untagged` takes away: `PERSON`, `EVENT` or `SUGGESTION`, sorted."""
    return sorted({str(one[0]) for one in assertions if isinstance(one, tuple)})


def _assertions(structure: Structure, removal: Untagged) -> frozenset[Hashable]:
    node = structure.nodes.find(removal.dataset, removal.column, BASE)
    number = structure.tags.numbers.get(removal.tag)
    if node is None or number is None:
        return frozenset()
    return frozenset(structure.ledger.tags.get(node, {}).get(number, {}))


def _edges(structure: Structure, removal: EdgeEnded) -> frozenset[Hashable]:
    src = structure.nodes.find(removal.source, removal.source_column, ALL)
    dst = structure.nodes.find(removal.dataset, removal.column, BASE)
    if src is None or dst is None:
        return frozenset()
    return frozenset(source for source in inflow(structure, dst)[0] if source[0] == src)


def _joint(structure: Structure, removal: Unlinked) -> frozenset[Hashable]:
    one, other = (structure.nodes.numbers.get(name) for name in (removal.one, removal.other))
    is_joined = one is not None and other is not None and other in structure.nodes.joined[one]
    return frozenset({(one, other)} if is_joined else ())


def _inflow(structure: Structure, removal: Declassified) -> frozenset[Hashable]:
    node = structure.nodes.find(removal.dataset, removal.column, BASE)
    if node is None:
        return frozenset()
    listed = {structure.nodes.find(dataset, column, ALL) for dataset, column in removal.edges}
    found, _ = inflow(structure, node)
    return frozenset((src, code & WAY_BITS) for src, code in found if src in listed)
