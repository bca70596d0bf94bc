"""Shortest ways back through the graph, level by level.

A state is a node, and whether what is looked for is masked there: node * 2, and 1 more where it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pdp.lineage.edges import Layer
from pdp.lineage.inflow import blocked, inflow, stopped
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
        halts = stopped(structure)
        nodes = {node: blocked(structure, node, halts)[0][tag] for node, tags in halts.items() if tag in tags}
        return cls({node: sorted(inflow(structure, node)[0] - edges) for node, edges in nodes.items()})


class Edges(NamedTuple):
    """Edges that lead to nodes."""

    src: Ints
    codes: Callable[[Ints], Ints]
    """The codes of edges by their place here, looked up for those that matter."""


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
        states, levels = np.sort(start), list[Ints]()
        self._open[start % 2, start // 2] = False
        while states.size:
            reached = states[is_goal[states]]
            if reached.size:
                return list(self._way(int(reached.min()), levels))
            levels.append(states)
            states = self._sorted(list(self._level(states)))
        return None

    def _level(self, states: Ints) -> Iterator[Ints]:
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
        for layer in self._layers:
            for places in layer.places_into(nodes):
                yield from _into(layer, places)

    def _around(self, node: int) -> Edges:
        src, code = np.array(self._avoided.sources[node], np.int64).reshape(-1, 2).T
        return Edges(src, code.take)

    def _take(self, edges: Edges, before: int, after: int) -> Iterator[Ints]:
        """The new states that edges come from, each once."""
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
            yield found * 2 + before
            again = np.flatnonzero(~is_last & is_open.take(nodes))
            left, nodes = left.take(again), nodes.take(again)

    def _way(self, state: int, levels: Sequence[Ints]) -> Iterator[Hop]:
        """From a state to one of the first: of several edges the same in each process, however it stores them."""
        for level in reversed(levels):
            (state, _, _), hop = min(self._leading(state, level))
            yield hop

    def _leading(self, state: int, level: Ints) -> Iterator[tuple[tuple[int, int, int], Hop]]:
        """Edges that lead from a state to states of a level, each with the state, its code and its job."""
        src, before = divmod(state, 2)
        special = self._avoided.sources
        for after in [after for half, after in self._carries if half == before]:
            carries = self._carries[before, after]
            for node, sources in special.items():
                if _among(level, np.array([node * 2 + after])).any():
                    brought = [code for one, code in sources if one == src and carries[code]]
                    yield from (((node * 2 + after, code, 0), Hop(src, node, NOWHERE, NOWHERE)) for code in brought)
            for number, layer in enumerate(self._layers):
                for rows in layer.out_of(np.array([src])):
                    ends = layer.dst[rows].astype(np.int64)
                    leads = carries[layer.code[rows]] & _among(level, ends * 2 + after)
                    if special:
                        leads &= ~np.isin(ends, list(special))
                    for row in rows[leads][:1].tolist():  # they are sorted
                        end = int(layer.dst[row])
                        key = (end * 2 + after, int(layer.code[row]), int(layer.job[row]))
                        yield key, Hop(src, end, number, row)


def _among(level: Ints, states: Ints) -> NDArray[np.bool_]:
    """Which of these are among the sorted states of a level."""
    places = np.searchsorted(level, states)
    found: NDArray[np.bool_] = level[np.minimum(places, len(level) - 1)] == states
    return found


def trace(
    structure: Structure, start: Ints, wanted: Wanted, goals: Ints, avoided: Avoided | None = None
) -> Sequence[Hop] | None:
    """The shortest way of edges that count, from one of the goals to one of the first states."""
    return Trace(structure, wanted, avoided or Avoided({})).run(start, goals)


def _into(layer: Layer, places: Ints) -> Iterator[Edges]:
    for start in range(0, len(places), STRIDE):
        some = places[start : start + STRIDE]

        def codes(chosen: Ints, some: Ints = some) -> Ints:
            found: Ints = layer.code.take(layer.into.take(some.take(chosen)))
            return found

        yield Edges(layer.sources.take(some), codes)
