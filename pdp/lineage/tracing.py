"""Shortest ways back through the graph, level by level.

A state is a node, and whether what is looked for is masked there: node * 2, and 1 more where it is.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from pdp.lineage.edges import Layer
from pdp.lineage.fixpoint import STRIDE
from pdp.lineage.inflow import inflow, stopped
from pdp.lineage.structure import Structure
from pdp.lineage.tag_bits import Code, Ints, Masks, Words

NOWHERE = -1
"""In place of a layer and a row: what was seen through other nodes has none of its own."""


class Hop(NamedTuple):
    """One edge of a way: its ends, the layer and the row where it stands."""

    src: int
    dst: int
    layer: int
    row: int


Brings = Callable[[Ints, Ints, int, int], Ints]
"""Of sources with codes of edges: whether they bring what is looked for, from one half of states to the other."""


class Avoided(NamedTuple):
    """Nodes at which something stops, and for each the sources that still count, with their codes."""

    sources: dict[int, list[tuple[int, int]]]

    @classmethod
    def of(cls, structure: Structure, tag: str) -> "Avoided":
        """Where a tag stops now."""
        nodes = {node: tags[tag] for node, tags in stopped(structure).items() if tag in tags}
        return cls({node: sorted(inflow(structure, node)[0] - edges) for node, edges in nodes.items()})


class Edges(NamedTuple):
    """Edges that lead to states of one half: sources, ends, codes, and where they stand."""

    src: Ints
    dst: Callable[[Ints], Ints]
    code: Callable[[Ints], Ints]
    layer: int
    row: Callable[[Ints], Ints]


def bringing(bits: Words, masks: Masks, word: int, bit: np.uint64) -> Brings:
    """Edges that bring one tag."""
    tables = {(0, 0): masks.plain[word], (1, 1): masks.masked[word], (0, 1): masks.turned[word]}
    carries = {halves: (table & bit) != 0 for halves, table in tables.items()}
    rows = (bits[word], bits[masks.words + word])

    def brings(src: Ints, code: Ints, before: int, after: int) -> Ints:
        there: Ints = (rows[before][src] & bit) != 0
        there &= carries[before, after][code]
        return there

    return brings


def any_edge(_src: Ints, code: Ints, before: int, after: int) -> Ints:
    """All edges that have not ended."""
    return (code < Code.ENDED) & (before == after)


class Trace:
    """One search, from its first states backwards."""

    def __init__(self, structure: Structure, brings: Brings, avoided: Avoided) -> None:
        self._layers, self._brings, self._avoided = structure.edges.layers, brings, avoided
        count = 2 * len(structure.nodes.labels)
        self._open = np.ones((2, count // 2), bool)
        self._following, self._row, self._winner = (np.empty(count, np.int32) for _ in range(3))
        self._layer = np.empty(count, np.int8)

    def run(self, start: Ints, goals: Ints) -> list[Hop] | None:
        """The shortest way from a goal to one of the first states. None if there is none."""
        is_goal = np.zeros(len(self._layer), bool)
        is_goal[goals] = True
        states, levels = np.sort(start), [start]
        self._open[start % 2, start // 2] = False
        while states.size:
            reached = states[is_goal[states]]
            if reached.size:
                return self._way(int(reached.min()), len(levels) - 1)
            states = np.concatenate([np.zeros(0, np.int64), *self._level(states)])
            levels.append(states)
        return None

    def _level(self, states: Ints) -> Iterator[Ints]:
        for after in (0, 1):
            nodes = states[states % 2 == after] // 2
            for edges in self._edges(nodes):
                for before in range(after + 1):
                    yield self._take(edges, before, after)

    def _edges(self, nodes: Ints) -> Iterator[Edges]:
        if self._avoided.sources:
            special = np.isin(nodes, list(self._avoided.sources))
            yield from (self._around(node) for node in nodes[special].tolist())
            nodes = nodes[~special]
        for number, layer in enumerate(self._layers):
            yield from _into(layer, number, nodes)

    def _around(self, node: int) -> Edges:
        src, code = np.array(self._avoided.sources[node], np.int64).reshape(-1, 2).T
        return Edges(
            src,
            lambda chosen: np.full(len(chosen), node),
            lambda chosen: code[chosen],
            NOWHERE,
            lambda chosen: np.full(len(chosen), NOWHERE),
        )

    def _take(self, edges: Edges, before: int, after: int) -> Ints:
        """The new states that edges come from; of several edges from one state, the last."""
        chosen = np.flatnonzero(self._open[before].take(edges.src))
        src = edges.src[chosen].astype(np.int64)
        brought = self._brings(src, edges.code(chosen), before, after)
        states: Ints = src[brought] * 2 + before
        chosen = chosen[brought]
        self._winner[states] = np.arange(len(states))
        won = self._winner[states] == np.arange(len(states))
        states, chosen = states[won], chosen[won]
        self._open[before][states // 2] = False
        self._following[states] = edges.dst(chosen) * 2 + after
        self._row[states], self._layer[states] = edges.row(chosen), edges.layer
        return states

    def _way(self, state: int, length: int) -> list[Hop]:
        hops = []
        for _ in range(length):
            following = int(self._following[state])
            hops.append(Hop(state // 2, following // 2, int(self._layer[state]), int(self._row[state])))
            state = following
        return hops


def trace(
    structure: Structure, start: Ints, brings: Brings, goals: Ints, avoided: Avoided | None = None
) -> Sequence[Hop] | None:
    """The shortest way of edges that count, from one of the goals to one of the first states."""
    return Trace(structure, brings, avoided or Avoided({})).run(start, goals)


def _into(layer: Layer, number: int, nodes: Ints) -> Iterator[Edges]:
    for places in layer.places_into(nodes):
        for start in range(0, len(places), STRIDE):
            yield _those(layer, number, places[start : start + STRIDE])


def _those(layer: Layer, number: int, places: Ints) -> Edges:
    """What is looked up of few edges only is looked up late."""

    def row(chosen: Ints) -> Ints:
        rows: Ints = layer.into[places[chosen]]
        return rows

    def end(chosen: Ints) -> Ints:
        ends: Ints = layer.dst[row(chosen)].astype(np.int64)
        return ends

    def code(chosen: Ints) -> Ints:
        codes: Ints = layer.code[row(chosen)]
        return codes

    return Edges(layer.sources.take(places), end, code, number, row)
