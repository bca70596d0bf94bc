"""Shortest ways back."""

import numpy as np

from pdp.lineage.fact import Dataset
from pdp.lineage.structure import Structure
from pdp.lineage.tag_bits import Code
from pdp.lineage.tracing import any_edge, trace


def test_shortest_way_is_found_and_ended_edges_are_none() -> None:
    structure = Structure()
    number = structure.dataset(Dataset("pg", "t"))
    a, b, c, d = structure.columns(number, "abcd")
    for src, dst in ((a, b), (b, c), (c, d), (a, d)):
        structure.edges.see(src, dst, Code.CARRY, 0)
    structure.edges.flush()

    found = trace(structure, np.array([d * 2]), any_edge, np.array([a * 2]))
    assert [(hop.src, hop.dst) for hop in found or []] == [(a, d)]
    structure.edges.end(a, d)
    found = trace(structure, np.array([d * 2]), any_edge, np.array([a * 2]))
    assert [(hop.src, hop.dst) for hop in found or []] == [(a, b), (b, c), (c, d)]
    structure.edges.end(a, b)
    assert trace(structure, np.array([d * 2]), any_edge, np.array([a * 2])) is None
