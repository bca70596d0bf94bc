"""The least fixpoint: tags follow edges until nothing is new. Cycles are fine, and there is no limit of depth."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pdp.lineage.edges import Layer
from pdp.lineage.tag_bits import Code, Ints, Masks, Words

STRIDE = 1 << 14
"""Edges of a region that are looked at in one go: few, for what they bring is there for those behind them."""
FEW = 16
"""Nodes are sorted where they are so many times fewer than all, and marked otherwise."""


class Detours:
    """Columns at which a tag stops: what leads to them goes edge by edge, and each edge has what it may not bring."""

    def __init__(self, count: int, sources: Sequence[tuple[int, int, int]], stops: Words) -> None:
        table = np.array(sources, np.int64).reshape(-1, 3)
        self.src, self.dst, self.code = table[:, 0], table[:, 1], table[:, 2].astype(np.uint8)
        self.stops = stops
        self.is_end = np.zeros(count, bool)
        self.is_end[self.dst] = True


def flow(bits: Words, masks: Masks, src: Ints, dst: Ints, code: Ints, stops: Words | None = None) -> Ints:
    """Let some edges bring what they carry, and give the nodes that got something new."""
    moved = np.zeros(len(src), bool)
    for row, brought in masks.carried(bits, src, code):
        got = brought & ~bits[row].take(dst)
        if stops is not None:
            got &= ~stops[row]
        new = np.flatnonzero(got != 0)
        if new.size:
            np.bitwise_or.at(bits[row], dst[new], got[new])
            moved[new] = True
    return dst[moved]


def settle(bits: Words, layers: Sequence[Layer], masks: Masks, nodes: Ints, detours: Detours) -> Ints:
    """Follow the edges that leave nodes, and those that leave what changes; give all nodes that changed."""
    changed = [np.zeros(0, np.int64)]
    while nodes.size:
        moved = [flow(bits, masks, *ends) for ends in _leaving(layers, nodes, detours)]
        moved.append(flow(bits, masks, detours.src, detours.dst, detours.code, detours.stops))
        nodes = distinct(moved, bits.shape[1])
        changed.append(nodes)
    return distinct(changed, bits.shape[1])


def refill(bits: Words, layers: Sequence[Layer], masks: Masks, region: NDArray[np.bool_], detours: Detours) -> Ints:
    """Let every edge into the region bring what it carries, once; give the nodes of which edges must bring it again.

    Edges of the first layer come in the order of their sources: of a node that gets something before its own turn, they
    bring it then.
    """
    moved = []
    for layer in layers:
        for rows, visited in _into(layer, region):
            for ends in _open(layer, rows, detours):
                got = flow(bits, masks, *ends)
                moved.append(got[layer.first_out(got) < visited] if layer is layers[0] else got)
    return distinct(moved, bits.shape[1])


def downstream(layers: Sequence[Layer], nodes: Ints, count: int) -> NDArray[np.bool_]:
    """All nodes that edges lead to from some, and these."""
    region = np.zeros(count, bool)
    region[nodes] = True
    while nodes.size:
        ends = [layer.dst[rows[layer.code[rows] < Code.ENDED]] for layer in layers for rows in layer.out_of(nodes)]
        found = distinct([end[~region[end]].astype(np.int64) for end in ends], count)
        region[found] = True
        nodes = found
    return region


def distinct(parts: Sequence[Ints], count: int) -> Ints:
    """The numbers below `count` that are in any part, each once, sorted."""
    total = sum(map(len, parts))
    if total * FEW < count:
        return np.unique(np.concatenate([np.zeros(0, np.int64), *parts]))
    found = np.zeros(count, bool)
    for part in parts:
        found[part] = True
    return np.flatnonzero(found)


def _leaving(layers: Sequence[Layer], nodes: Ints, detours: Detours) -> Iterator[tuple[Ints, Ints, Ints]]:
    for layer in layers:
        for rows in layer.out_of(nodes):
            yield from _open(layer, rows, detours)


def _into(layer: Layer, region: NDArray[np.bool_]) -> Iterator[tuple[Ints, int]]:
    """Rows of edges into a region, and how many rows of the layer were visited by then; all, where it goes by end."""
    nodes = np.flatnonzero(region)
    if len(nodes) * FEW < len(region):
        yield from ((rows, len(layer) + 1) for rows in layer.rows_into(nodes))
        return
    for start in range(0, len(layer), STRIDE):
        yield start + np.flatnonzero(region[layer.dst[start : start + STRIDE]]), start + STRIDE


def _open(layer: Layer, rows: Ints, detours: Detours) -> Iterator[tuple[Ints, Ints, Ints]]:
    dst = layer.dst[rows].astype(np.int64)
    if len(detours.dst):
        straight = ~detours.is_end[dst]
        rows, dst = rows[straight], dst[straight]
    if len(rows):
        yield layer.src[rows].astype(np.int64), dst, layer.code[rows]
