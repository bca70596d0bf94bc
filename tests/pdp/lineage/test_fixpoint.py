"""The least fixpoint."""

import numpy as np

from pdp.lineage.edges import Edges
from pdp.lineage.fixpoint import Detours, distinct, downstream, refill, settle
from pdp.lineage.tag_bits import Code, Masks, Tags

NONE = Detours(40, [], np.zeros((2, 0), np.uint64))


def ring(count: int = 30) -> Edges:
    found = Edges()
    for node in range(count):
        found.see(node, (node + 1) % count, Code.CARRY, 0)
    found.flush()
    return found


def test_tags_go_around_a_cycle_once() -> None:
    bits, layers = np.zeros((2, 40), np.uint64), ring().layers
    bits[0, 3] = 1
    moved = settle(bits, layers, Masks(Tags()), np.array([3]), NONE)
    assert moved.tolist() == [node for node in range(30) if node != 3]
    assert bits[0, :30].tolist() == [1] * 30


def test_region_is_worked_out_from_what_lies_around_it() -> None:
    bits, layers, masks = np.zeros((2, 40), np.uint64), ring().layers, Masks(Tags())
    bits[0, 3] = 1
    region = np.zeros(40, bool)
    region[[4, 5]] = True
    moved = refill(bits, layers, masks, region, NONE)
    settle(bits, layers, masks, moved, NONE)
    assert bits[0, 5] == 1


def test_detour_brings_all_but_what_stops() -> None:
    bits, masks = np.zeros((2, 40), np.uint64), Masks(Tags())
    bits[0, 3] = 1
    detours = Detours(40, [(3, 4, Code.CARRY)], np.array([[1], [0]], np.uint64))
    assert settle(bits, ring().layers, masks, np.array([3]), detours).tolist() == []
    open_detours = Detours(40, [(3, 4, Code.CARRY)], np.array([[0], [0]], np.uint64))
    assert 4 in settle(bits, ring().layers, masks, np.array([3]), open_detours)


def test_downstream_ends_where_edges_end() -> None:
    found = ring()
    found.end(9, 10)
    assert np.flatnonzero(downstream(found.layers, np.array([7]), 40)).tolist() == [7, 8, 9]


def test_distinct_numbers_are_sorted_however_many() -> None:
    assert distinct([np.array([5, 3]), np.array([3])], 1000).tolist() == [3, 5]
    assert distinct([np.array([5, 3]), np.array([3])], 6).tolist() == [3, 5]
