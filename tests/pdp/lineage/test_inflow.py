"""Where the tags of one node come from."""

from pdp.lineage.fact import Dataset, Edge, Event, Output
from pdp.lineage.graph import Graph
from pdp.lineage.inflow import sources_of

A, B, C = (Dataset("pg", name) for name in "abc")


def test_sources_are_columns_and_whole_datasets_seen_through_what_passes_on() -> None:
    graph = Graph()
    named = Output(B, ["k", "l"], ["k"], [Edge("k", A, "x")])
    event = Event(by="workload:etl", at=1, event="00", inputs=[C], outputs=[named, Output(B)])
    graph.apply([(1, [event])])
    column = graph.structure.nodes.find(B, "k", 0)
    assert column is not None
    assert sources_of(graph.structure, column) == [(A, ""), (A, "x"), (C, "")]
