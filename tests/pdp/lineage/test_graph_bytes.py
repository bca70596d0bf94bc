"""A graph as bytes."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.lineage import fact
from pdp.lineage.fact import Dataset, Edge, Event, Output, Tagging
from pdp.lineage.graph import Graph
from tests.pdp.lineage.test_graph import (
    ANY,
    COMMON,
    DATASETS,
    ENDED,
    MAYBE,
    OF_A_RUN,
    SEEN_AGAIN,
    TAG,
    batches,
    seen,
    whole,
)

SUGGESTED = st.builds(
    fact.Suggested,
    suggestion=st.sampled_from("ab"),
    tagging=st.builds(Tagging, DATASETS, MAYBE, TAG),
    hits=st.just(0.5),
    recognizer=st.just("email/1"),
    **COMMON,
)
SETTLED = st.builds(fact.Settled, suggestion=st.sampled_from("ab"), accepted=st.booleans(), **COMMON)
FACTS = st.lists(st.one_of(ANY, ANY, OF_A_RUN, OF_A_RUN, ENDED, SUGGESTED, SETTLED), max_size=12)


@settings(max_examples=150, deadline=None)
@given(FACTS, st.integers(0, 12), st.lists(st.integers(1, 4), max_size=6), SEEN_AGAIN)
def test_equal_logs_give_equal_bytes_however_they_were_read(
    facts: list[Any], at: int, sizes: list[int], few: int
) -> None:
    graph = Graph.load(whole(facts[:at], few).dump())
    graph.structure.few = few
    graph.apply([(n, [one]) for n, one in enumerate(facts[at:])])
    expected = batches(facts, sizes, few)
    assert seen(graph) == seen(expected)
    assert graph.dump() == expected.dump()
    assert joined(graph) == joined(expected)
    assert graph.shown.coarse == expected.shown.coarse


def joined(graph: Graph) -> dict[int, frozenset[int]]:
    return {number: names for number, names in graph.shown.joined.items() if len(names) > 1}


def test_edge_that_ends_after_a_snapshot_leaves_nothing_coarse() -> None:
    wrote = Event(
        by="w",
        at=0,
        event="00",
        run="r",
        job=("j", "1"),
        inputs=[Dataset("pg", "a")],
        outputs=[Output(Dataset("pg", "b"))],
    )
    ended = fact.EdgeEnded(
        by="user:x", at=0, dataset=Dataset("pg", "b"), column="", source=Dataset("pg", "a"), source_column=""
    )
    graph = Graph.load(whole([wrote], 0).dump())
    graph.apply([(1, [ended])])
    assert graph.dump() == batches([wrote, ended], [], 0).dump()
    assert not graph.structure.coarse


def test_sightings_that_no_edge_needs_are_let_go() -> None:
    output = Output(Dataset("pg", "b"), ["k"], ["k"], [Edge("k", Dataset("pg", "a"), "k")])
    events = [Event(by="w", at=number, event=f"{number:02x}", run="r", outputs=[output]) for number in range(50)]
    graph = whole(events)
    graph.dump()
    assert [sighting.event for sighting in graph.structure.ledger.sightings] == ["31"]


def test_what_is_prepared_is_not_dumped() -> None:
    graph = Graph()
    change = graph.prepare([])
    with pytest.raises(RuntimeError, match="committed first"):
        graph.dump()
    graph.commit(change)
    assert graph.dump() == Graph().dump()
