"""What each kind of fact does, one by one; all of them together are held against the model in `test_graph`."""

from collections.abc import Sequence

import pytest

from pdp.lineage import fact
from pdp.lineage.fact import Dataset, Edge, Event, Output, Tagging, Way
from pdp.lineage.graph import Graph
from pdp.lineage.tag_bits import tags_of

A, B, C = (Dataset("pg", name) for name in "abc")
PII = fact.Tagged(by="user:bob", at=1, tagging=Tagging(A, "k", "pii"))
B_IS_DECLARED = fact.Classified(by="user:bob", at=1, dataset=B, columns={"k": [], "l": []})


def tags(facts: Sequence[fact.Fact], dataset: Dataset = B, column: str = "k") -> list[str]:
    graph = Graph()
    graph.apply([(n, [one]) for n, one in enumerate(facts)])
    node = graph.structure.nodes.find(dataset, column, 0)
    assert node is not None
    return tags_of(graph.shown.tags, graph.shown.bits[:, node].tolist())


def wrote(*outputs: Output, time: int | None = 1, classifies: bool = False, inputs: Sequence[Dataset] = ()) -> Event:
    return Event(
        by="workload:etl", at=1, event="00", job=("j", "1"), event_time=time, outputs=outputs, classifies=classifies,
        inputs=inputs,
    )  # fmt: skip


def edge(way: Way = Way.CARRY, column: str = "k", source: Dataset = A) -> Edge:
    return Edge(column, source, "k", way)


@pytest.mark.parametrize(
    ("output", "arrives"),
    [
        (Output(B), True),  # no facet
        (Output(B, ["k", "l"], ["k"]), False),  # the facet says that it has no inputs
        (Output(B, ["k", "l"], ["l"]), True),  # the facet does not name it
        (Output(B, ["k", "l"], ["l"], is_complete=True), False),
        (Output(B, ["k", "l"], ["k", "l"], is_tainted=True), True),
        (Output(B, ["k"], ["k"], [edge()]), True),
        (Output(B, ["k", "l"], ["k", "l"], [edge(column="l")]), False),
        (Output(B, ["k"], ["k"], [edge(column="")]), True),
    ],
)
def test_outputs_get_what_their_facet_says_or_everything(output: Output, arrives: bool) -> None:  # noqa: FBT001
    assert ("pii" in tags([PII, B_IS_DECLARED, wrote(output, inputs=[A])])) is arrives


def test_edges_of_writers_who_may_not_classify_leave_a_column_unclassified() -> None:
    clean = fact.Classified(by="user:bob", at=1, dataset=A, columns={"k": []})
    output = Output(B, ["k"], ["k"], [edge()])
    assert tags([clean, wrote(output)]) == ["unclassified"]
    assert tags([clean, wrote(output, classifies=True)]) == []
    assert tags([wrote(output, classifies=True)]) == ["unclassified"]


def test_what_feeds_on_itself_stays_unclassified() -> None:
    itself = Output(B, ["k"], ["k"], [edge(source=B)])
    assert tags([wrote(itself, classifies=True)]) == ["unclassified"]


def test_overwriting_ends_what_its_job_wrote_before() -> None:
    old = wrote(Output(B, ["k"], ["k"], [edge()]))
    new = wrote(Output(B, ["k"], ["k"], [edge(source=C)], replaces=True), time=2)
    for facts in ([old, new], [new, old]):
        assert "pii" not in tags([PII, *facts])
    untimed = wrote(Output(B, ["k"], ["k"], [edge()]), time=None)
    assert "pii" in tags([PII, untimed, new])
    assert "pii" in tags([PII, old, wrote(Output(B, ["k"], ["k"], replaces=True), time=None)])


def test_joining_a_public_table_makes_nothing_public() -> None:
    secret = Event(by="workload:etl", at=1, event="00", schemas={C: ["k"]})
    alias = Event(by="workload:bad", at=1, event="00", aliases=[(C, B), (A, B)])
    assert tags([B_IS_DECLARED, secret, PII, alias], C) == ["pii", "unclassified"]
    assert tags([B_IS_DECLARED, secret, PII, alias], B) == ["pii", "unclassified"]
    bare = Event(by="workload:etl", at=1, event="00", inputs=[C])
    graph = Graph()
    graph.apply([(1, [B_IS_DECLARED, bare, alias])])
    everything = graph.structure.nodes.find(C, "", 2)
    assert tags_of(graph.shown.tags, graph.shown.bits[:, everything].tolist()) == ["unclassified"]


def test_declassifying_covers_the_edges_of_then_and_ends_in_time() -> None:
    flow = wrote(Output(B, ["k"], ["k"], [edge()]))
    stop = fact.Declassified(by="user:bob", at=2, dataset=B, column="k", tag="pii", edges=[(A, "k")], until=5)
    assert tags([PII, B_IS_DECLARED, flow, stop]) == []
    assert tags([PII, B_IS_DECLARED, flow, stop, flow]) == []
    again = fact.Tagged(by="user:bob", at=2, tagging=Tagging(C, "k", "pii"))
    assert tags([PII, B_IS_DECLARED, flow, stop, again, wrote(Output(B, ["k"], ["k"], [edge(source=C)]))]) == ["pii"]
    later = fact.Settled(by="user:bob", at=6, suggestion="s", accepted=False)
    assert tags([PII, B_IS_DECLARED, flow, stop, later]) == ["pii"]


def test_declassifying_what_every_column_gets_leaves_what_comes_by_columns() -> None:
    coarse, named = wrote(Output(B), inputs=[A]), wrote(Output(B, ["k"], ["k"], [edge(Way.MASKED)]))
    stop = fact.Declassified(by="user:bob", at=2, dataset=B, column="", tag="pii", edges=[(A, "")])
    facts = [PII, B_IS_DECLARED, coarse, named, stop]
    assert [tags(facts, column=column) for column in ("k", "l", "")] == [["pii:masked"], [], []]
    assert tags([*facts, coarse], column="l") == [], "an event that comes twice brings no new edge"
    other = fact.Tagged(by="user:bob", at=2, tagging=Tagging(C, "k", "pii"))
    assert tags([*facts, other, wrote(Output(B), inputs=[C])], column="l") == ["pii"]


def test_what_stops_for_every_column_stops_at_one_where_another_tag_stops_too() -> None:
    secret = fact.Tagged(by="user:bob", at=1, tagging=Tagging(A, "k", "secret"))
    facts = [PII, secret, B_IS_DECLARED, wrote(Output(B), inputs=[A])]
    stops = [
        fact.Declassified(by="user:bob", at=2, dataset=B, column=column, tag=tag, edges=[(A, "")])
        for column, tag in (("", "pii"), ("k", "secret"))
    ]
    for said in (stops, stops[::-1]):
        assert [tags([*facts, *said], column=column) for column in ("k", "l")] == [[], ["secret"]]
    direct = wrote(Output(B, ["k"], ["k"], [Edge("k", A, "")]))
    assert tags([*facts, direct, *stops]) == ["pii"], "the column has an edge of its own"


def test_suggestions_bind_nothing() -> None:
    suggested = fact.Suggested(
        by="user:a", at=1, suggestion="s", tagging=Tagging(B, "k", "pii"), hits=0.9, recognizer="email/1"
    )
    assert tags([B_IS_DECLARED, suggested]) == []
