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

    found = trace(structure, np.array([d * 2]), any_edge(structure), np.array([a * 2]))
    assert [(hop.src, hop.dst) for hop in found or []] == [(a, d)]
    structure.edges.end(a, d)
    found = trace(structure, np.array([d * 2]), any_edge(structure), np.array([a * 2]))
    assert [(hop.src, hop.dst) for hop in found or []] == [(a, b), (b, c), (c, d)]
    structure.edges.end(a, b)
    assert trace(structure, np.array([d * 2]), any_edge(structure), np.array([a * 2])) is None


def test_ways_are_as_short_as_those_of_a_plain_search() -> None:
    """Sources with several edges into one level, of which some have ended, and levels that lie far apart."""
    rng = np.random.default_rng(7)
    structure = Structure()
    nodes = structure.columns(structure.dataset(Dataset("pg", "t")), [f"c{number}" for number in range(400)])
    edges = {(nodes[src], nodes[dst]) for src, dst in rng.integers(0, 400, (900, 2)).tolist() if src != dst}
    for src, dst in sorted(edges):
        structure.edges.see(src, dst, Code.CARRY, 0)
    ended = {edge for edge in edges if rng.random() < 0.3}
    for src, dst in sorted(ended):
        structure.edges.end(src, dst)
    within = {(src, dst) for layer in structure.edges.layers for src, dst in zip(layer.src, layer.dst, strict=True)}
    followed = {(int(src), int(dst)) for src, dst in within} - ended
    for target in nodes[:40]:
        distances = plain_distances(followed, target)
        for source in nodes[::9]:
            found = trace(structure, np.array([target * 2]), any_edge(structure), np.array([source * 2]))
            assert (None if found is None else len(found)) == distances.get(source)
            assert all((hop.src, hop.dst) in followed for hop in found or [])


def plain_distances(edges: set[tuple[int, int]], target: int) -> dict[int, int]:
    found, level = {target: 0}, {target}
    while level:
        level = {src for src, dst in edges if dst in level and src not in found}
        found |= dict.fromkeys(level, max(found.values()) + 1)
    return found
