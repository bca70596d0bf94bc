"""Where the tags of one node come from: its edges, seen through the nodes that only pass on what they get."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from pdp.lineage.fact import Dataset
from pdp.lineage.fixpoint import Detours
from pdp.lineage.nodes import ALL, BASE, HUB
from pdp.lineage.structure import Structure
from pdp.lineage.tag_bits import WAY_BITS, Code, Words

Sources = frozenset[tuple[int, int]]
"""Nodes, each with the code of what comes from it."""
Halts = Mapping[int, Mapping[str, Sources]]
"""Nodes at which tags stop, and for each tag the sources from which it does not come."""


def inflow(structure: Structure, node: int) -> tuple[set[tuple[int, int]], set[int]]:
    """The sources of a node with the code of what they bring, and the nodes that were seen through.

    What every column of a dataset gets, and sets of inputs, are seen through; columns and whole datasets are sources.
    """
    sources, through = set[tuple[int, int]](), {node}
    waiting = [(node, int(Code.WITHIN))]
    while waiting:
        end, code = waiting.pop()
        for src, own in _edges(structure, end):
            way = own if code == Code.WITHIN else code
            if structure.nodes.role(src) not in {BASE, HUB}:
                sources.add((src, way))
            elif src not in through:
                through.add(src)
                waiting.append((src, way))
    return sources, through


def _edges(structure: Structure, node: int) -> Iterator[tuple[int, int]]:
    for layer, row in structure.edges.into(node):
        yield int(layer.src[row]), int(layer.code[row]) & WAY_BITS


def covered(structure: Structure, node: int, listed: Sequence[tuple[Dataset, str]]) -> Sources:
    """Those of a node's sources that are listed."""
    found = {structure.nodes.find(dataset, column, ALL) for dataset, column in listed}
    return frozenset(source for source in inflow(structure, node)[0] if source[0] in found)


def sources_of(structure: Structure, node: int) -> list[tuple[Dataset, str]]:
    """The columns, and with an empty name the datasets, from which a node has its tags now, sorted."""
    sources, _ = inflow(structure, node)
    return sorted({structure.nodes.where(src) for src, _ in sources})


def stopped(structure: Structure) -> dict[int, dict[str, Sources]]:
    """For each node at which a tag stops now: the tags, and the sources from which they do not come.

    That is a column, or what every column of a dataset gets.
    """
    found: dict[int, dict[str, Sources]] = {}
    for (node, tag), stops in structure.ledger.stops.items():
        edges = frozenset(edge for stop in stops if not 0 < stop.until < structure.clock for edge in stop.edges)
        if edges:
            found.setdefault(node, {})[tag] = edges
    return found


def blocked(structure: Structure, node: int, halts: Halts) -> tuple[dict[str, Sources], set[int]]:
    """For each tag the sources of a node from which it does not come: it stops there, or at what is seen through.

    Gives the nodes that were seen through, too. `halts` is what `stopped` gives.
    """
    sources, through = inflow(structure, node)
    near = [halts[one] for one in through if one in halts]
    if near == [halts.get(node)]:
        return dict(near[0]), through
    tags = {tag for one in near for tag in one}
    ends = {tag: {one: halts[one][tag] for one in through if tag in halts.get(one, ())} for tag in tags}
    return {tag: frozenset(sources - _arriving(structure, node, through, ends[tag])) for tag in tags}, through


def _arriving(structure: Structure, node: int, through: set[int], ends: Mapping[int, Sources]) -> set[tuple[int, int]]:
    """The sources of a node from which a tag comes that ends at some of the nodes that are seen through."""
    held: dict[int, set[tuple[int, int]]] = {one: set() for one in through}
    before = -1
    while before != (before := sum(map(len, held.values()))):
        for one, so_far in held.items():
            got = set(so_far)
            for src, own in _edges(structure, one):
                more = held.get(src, ((src, own),))
                got.update((first, code if own == Code.WITHIN else own) for first, code in more)
            held[one] = got - ends.get(one, frozenset())
    return held[node]


def detours(structure: Structure, bits: Words, words: int) -> tuple[Detours, dict[int, set[int]]]:
    """What leads to nodes at which a tag stops, edge by edge; and the nodes whose own tags these have."""
    ways, stops, through = list[tuple[int, int, int]](), list[Words](), dict[int, set[int]]()
    halts = stopped(structure)
    for node in halts:
        tags, through[node] = blocked(structure, node, halts)
        for src, code in sorted(inflow(structure, node)[0]):
            ways.append((src, node, code))
            stops.append(_stops(structure, tags, (src, code), words))
    table = np.array(stops, np.uint64).reshape(-1, 2 * words).T
    return Detours(bits.shape[1], ways, table), through


def _stops(structure: Structure, tags: Mapping[str, Sources], edge: tuple[int, int], words: int) -> Words:
    row = np.zeros(2 * words, np.uint64)
    for tag, edges in tags.items():
        place = structure.tags.place(tag, words)
        if place and edge in edges:
            row[place[0]] |= place[1]
    return row
