"""Edges in sorted layers."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.lineage import edges
from pdp.lineage.edges import ALIAS, CHUNK, Edges, spans
from pdp.lineage.tag_bits import Code

SEEN = st.tuples(st.integers(0, 4), st.integers(0, 4), st.sampled_from([Code.CARRY, Code.MASKED]), st.integers(0, 2))


def alive(found: Edges) -> set[tuple[int, ...]]:
    return {
        (int(layer.src[row]), node, int(layer.code[row]), int(layer.job[row]))
        for node in range(5)
        for layer, row in found.into(node)
    }


def seen(*several: Any) -> Edges:
    found = Edges()
    for one in several:
        found.see(*one, time=1)
        found.flush()
    return found


@settings(deadline=None)
@given(st.lists(SEEN, max_size=40))
def test_edge_is_kept_once_and_found_from_both_ends(several: list[tuple[int, int, Code, int]]) -> None:
    found = seen(*several)
    assert alive(found) == set(several)
    out = [
        (int(layer.src[row]), int(layer.dst[row]), int(layer.code[row]), int(layer.job[row]))
        for layer in found.layers
        for rows in layer.out_of(np.arange(5))
        for row in rows.tolist()
    ]
    assert sorted(out) == sorted(set(several))
    found.compact()
    assert alive(found) == set(several)
    assert len(found.layers) == min(1, len(several))


def test_larger_layers_are_left_alone() -> None:
    found = Edges()
    for number in range(100):
        found.see(number, 1, Code.CARRY, 0)
    found.flush()
    first = found.layers[0]
    found.see(0, 2, Code.CARRY, 0)
    found.flush()
    assert (found.layers[0] is first, len(found.layers)) == (True, 2)


def test_ended_edge_is_back_when_it_is_seen_again() -> None:
    found = seen((1, 2, Code.CARRY, 0), (1, 2, Code.MASKED, 0), (1, 3, Code.CARRY, 0))
    assert found.end(1, 2)
    assert not found.end(1, 2)
    assert alive(found) == {(1, 3, Code.CARRY, 0)}
    found.see(1, 2, Code.MASKED, 0)
    found.flush()
    assert (1, 2, Code.MASKED, 0) in alive(found)


def test_replacing_ends_what_the_job_showed_before_only() -> None:
    found = Edges()
    for job, time in ((0, 1), (0, 5), (1, 1)):
        found.see(10 + time, 2, Code.CARRY, job, time=time)
    assert found.replace(np.array([2]), 0, 5, {}) == [(11, 2)]
    assert {one[0] for one in alive(found)} == {11, 15}
    assert {one[3] for one in alive(found)} == {0, 1}
    found.see(11, 2, Code.CARRY, 0, time=4, replaced=5)
    found.see(12, 2, Code.CARRY, 0, time=4, replaced=5)
    found.flush()
    assert {one[:1] + one[3:] for one in alive(found)} == {(15, 0), (11, 1)}


def test_parting_ends_aliases_only() -> None:
    found = seen((1, 2, Code.WITHIN, ALIAS), (1, 2, Code.CARRY, 0))
    found.unlink([(1, 2)])
    assert alive(found) == {(1, 2, Code.CARRY, 0)}


def test_ranges_come_in_chunks() -> None:
    low, high = np.array([0, 5, 7]), np.array([CHUNK, 5, CHUNK + 7])
    parts = list(spans(low, high))
    assert [len(part) for part in parts] == [CHUNK, CHUNK]
    assert parts[1][[0, -1]].tolist() == [7, CHUNK + 6]
    assert edges.span(np.array([3, 9]), np.array([5, 10])).tolist() == [3, 4, 9]
