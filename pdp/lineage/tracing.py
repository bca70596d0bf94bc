"""Shortest ways back through the graph, level by level.

A state is a node, and whether what is looked for is masked there: node * 2, and 1 more where it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pdp.lineage.edges import Layer
from pdp.lineage.inflow import inflow, stopped
from pdp.lineage.structure import Structure
from pdp.lineage.tag_bits import CODES, Code, Ints, Masks, Words

CLOSE = 64
"""States of a level are close together where there is one of them among so many."""
STRIDE = 1 << 15
"""Edges that are looked at in one go: what belongs to them stays in the cache of a core."""
NOWHERE = -1
"""In place of a layer and a row: what was seen through other nodes has none of its own."""


class Hop(NamedTuple):
    """One edge of a way: its ends, the layer and the row where it stands."""

    src: int
    dst: int
    layer: int
    row: int


class Wanted(NamedTuple):
    """What is looked for: the nodes that have it, plain and masked, and the codes that bring it between the halves."""

    nodes: NDArray[np.bool_]
    carries: Mapping[tuple[int, int], NDArray[np.bool_]]


class Avoided(NamedTuple):
    """Nodes at which something stops, and for each the sources that still count, with their codes."""

    sources: dict[int, list[tuple[int, int]]]

    @classmethod
    def of(cls, structure: Structure, tag: str) -> "Avoided":
        """Where a tag stops now."""
        nodes = {node: tags[tag] for node, tags in stopped(structure).items() if tag in tags}
        return cls({node: sorted(inflow(structure, node)[0] - edges) for node, edges in nodes.items()})


class Edges(NamedTuple):
    """Edges that lead to nodes: their sources, and their places in `into` of a layer; nowhere, these are the ends."""

    src: Ints
    layer: int
    places: Ints
    codes: Callable[[Ints], Ints]
    """The codes of edges by their place here, looked up for those that matter."""


class Reached(NamedTuple):
    """States that were new, each with the place of an edge that leads on, to a state of the half `after`."""

    states: Ints
    places: Ints
    layer: int
    after: int


def bringing(bits: Words, masks: Masks, word: int, bit: np.uint64) -> Wanted:
    """One tag, where nodes have it."""
    tables = {(0, 0): masks.plain[word], (1, 1): masks.masked[word], (0, 1): masks.turned[word]}
    nodes = np.stack([bits[word], bits[masks.words + word]]) & bit != 0
    return Wanted(nodes, {halves: (table & bit) != 0 for halves, table in tables.items()})


def any_edge(structure: Structure) -> Wanted:
    """All edges that have not ended."""
    nodes = np.ones((2, len(structure.nodes.labels)), bool)
    nodes[1] = False
    return Wanted(nodes, {(0, 0): np.arange(CODES) < Code.ENDED})


class Trace:
    """One search, from its first states backwards."""

    def __init__(self, structure: Structure, wanted: Wanted, avoided: Avoided) -> None:
        self._layers, self._avoided = structure.edges.layers, avoided
        self._open, self._carries = wanted
        self._winner = np.empty(self._open.shape[1], np.int32)
        self._marked = np.zeros(2 * self._open.shape[1], bool)

    def run(self, start: Ints, goals: Ints) -> list[Hop] | None:
        """The shortest way from a goal to one of the first states. None if there is none."""
        is_goal = np.zeros(2 * self._open.shape[1], bool)
        is_goal[goals] = True
        states, levels = np.sort(start), list[list[Reached]]()
        self._open[start % 2, start // 2] = False
        while states.size:
            reached = states[is_goal[states]]
            if reached.size:
                return list(self._way(int(reached.min()), levels))
            levels.append(list(self._level(states)))
            states = self._sorted([found.states for found in levels[-1]])
        return None

    def _level(self, states: Ints) -> Iterator[Reached]:
        for after in (0, 1):
            nodes = states[states % 2 == after] // 2
            for edges in self._edges(nodes):
                for before in range(after + 1):
                    if (before, after) in self._carries:
                        yield from self._take(edges, before, after)

    def _sorted(self, parts: Sequence[Ints]) -> Ints:
        """All states of a level, in order: marked where they lie close together, which costs less than to sort them."""
        states = np.concatenate([np.zeros(0, np.int64), *parts])
        if not states.size:
            return states
        first, last = int(states.min()), int(states.max())
        if last - first > CLOSE * len(states):
            return np.sort(states)
        self._marked[states] = True
        found: Ints = np.flatnonzero(self._marked[first : last + 1])
        self._marked[first : last + 1] = False
        return found + first

    def _edges(self, nodes: Ints) -> Iterator[Edges]:
        if self._avoided.sources:
            special = np.isin(nodes, list(self._avoided.sources))
            yield from (self._around(node) for node in nodes[special].tolist())
            nodes = nodes[~special]
        for number, layer in enumerate(self._layers):
            for places in layer.places_into(nodes):
                yield from _into(layer, number, places)

    def _around(self, node: int) -> Edges:
        src, code = np.array(self._avoided.sources[node], np.int64).reshape(-1, 2).T
        return Edges(src, NOWHERE, np.full(len(src), node), code.take)

    def _take(self, edges: Edges, before: int, after: int) -> Iterator[Reached]:
        """The new states that edges come from; of several edges from one state, the last that brings it."""
        is_open, carries = self._open[before], self._carries[before, after]
        left = np.flatnonzero(is_open.take(edges.src))
        nodes = edges.src.take(left).astype(np.int64)
        while left.size:
            order = np.arange(len(nodes), dtype=np.int32)
            self._winner[nodes] = order
            is_last = self._winner.take(nodes) == order
            last = np.flatnonzero(is_last)
            places = left.take(last)
            last = last.compress(carries.take(edges.codes(places)))
            found = nodes.take(last)
            is_open[found] = False
            yield Reached(found * 2 + before, edges.places.take(left.take(last)), edges.layer, after)
            again = np.flatnonzero(~is_last & is_open.take(nodes))
            left, nodes = left.take(again), nodes.take(again)

    def _way(self, state: int, levels: Sequence[Sequence[Reached]]) -> Iterator[Hop]:
        for level in reversed(levels):
            one, place = next(
                (one, int(one.places[found[0]])) for one in level if (found := np.flatnonzero(one.states == state)).size
            )
            hop = self._hop(state // 2, one.layer, place)
            yield hop
            state = hop.dst * 2 + one.after

    def _hop(self, src: int, number: int, place: int) -> Hop:
        if number == NOWHERE:
            return Hop(src, place, NOWHERE, NOWHERE)
        layer = self._layers[number]
        row = int(layer.into[place])
        return Hop(src, int(layer.dst[row]), number, row)


def trace(
    structure: Structure, start: Ints, wanted: Wanted, goals: Ints, avoided: Avoided | None = None
) -> Sequence[Hop] | None:
    """The shortest way of edges that count, from one of the goals to one of the first states."""
    return Trace(structure, wanted, avoided or Avoided({})).run(start, goals)


def _into(layer: Layer, number: int, places: Ints) -> Iterator[Edges]:
    for start in range(0, len(places), STRIDE):
        some = places[start : start + STRIDE]

        def codes(chosen: Ints, some: Ints = some) -> Ints:
            found: Ints = layer.code.take(layer.into.take(some.take(chosen)))
            return found

        yield Edges(layer.sources.take(some), number, some, codes)
