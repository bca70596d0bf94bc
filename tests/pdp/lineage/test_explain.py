"""Answers for people."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.lineage import fact
from pdp.lineage.explain import downstream, path, upstream, why
from pdp.lineage.fact import Dataset, Edge, Event, Output, Source, Tagging, Way
from pdp.lineage.graph import Graph
from tests.pdp.lineage.test_graph import ANY, batches, seen, whole

CRM, STAGE, MART, OTHER = (Dataset("pg", name) for name in ("crm", "stage", "mart", "other"))


def step(source: Dataset, target: Dataset, way: Way = Way.CARRY, at: int = 1, run: str = "r") -> Event:
    output = Output(target, ["k"], ["k"], [Edge("k", source, "k", way, "DIRECT/IDENTITY")])
    return Event(
        by="workload:etl", at=at, event="00", run=run, job=("j", target.name), inputs=[source], outputs=[output]
    )


def tagged(dataset: Dataset, column: str = "k", tag: str = "pii") -> fact.Tagged:
    return fact.Tagged(by="user:bob", at=5, reason="mail", tagging=Tagging(dataset, column, tag))


def test_tag_is_traced_to_who_set_it_step_by_step() -> None:
    graph = whole([step(CRM, STAGE), step(STAGE, MART, Way.MASKED, 2, "r2"), tagged(CRM)])
    found = why(graph, MART, "k", "pii:masked")
    assert found
    assert (found.dataset, found.column) == (CRM, "k")
    (said,) = found.assertions
    assert (said.source, said.by, said.what.at, said.what.reason) == (Source.PERSON, "user:bob", 5, "mail")
    first, second = found.steps
    assert (first.source, first.dataset, first.way, first.run) == (CRM, STAGE, Way.CARRY, "r")
    assert (second.source, second.dataset, second.way, second.run) == (STAGE, MART, Way.MASKED, "r2")
    assert (second.job, second.by, second.at, second.how) == (("j", "mart"), "workload:etl", 2, "DIRECT/IDENTITY")
    assert why(graph, MART, "k", "pii") is None
    assert why(graph, MART, "k", "nothing") is None
    assert why(graph, OTHER, "k", "pii") is None


def test_last_run_that_showed_an_edge_is_named() -> None:
    graph = whole([tagged(CRM), step(CRM, STAGE), step(CRM, STAGE, at=9, run="later")])
    found = why(graph, STAGE, "k", "pii")
    assert found
    assert [(one.run, one.at) for one in found.steps] == [("later", 9)]


def test_coarse_steps_folders_and_aliases_say_so() -> None:
    folder, file = Dataset("s3://lake", "raw"), Dataset("s3://lake", "raw/a")
    event = Event(
        by="w", at=1, event="00", job=("j", "1"), inputs=[file], outputs=[Output(CRM)], aliases=[(CRM, STAGE)]
    )
    graph = whole([tagged(folder, ""), event])
    found = why(graph, STAGE, "", "pii")
    assert found
    assert [(one.how, one.is_coarse) for one in found.steps] == [("folder", False), ("", True), ("alias", False)]


def test_stopped_tag_is_not_explained_by_what_is_stopped() -> None:
    stop = fact.Declassified(by="user:bob", at=2, dataset=STAGE, column="k", tag="pii", edges=[(CRM, "k")])
    facts = [tagged(CRM), tagged(OTHER), step(CRM, STAGE), stop]
    assert why(whole(facts), STAGE, "k", "pii") is None
    found = why(whole([*facts, step(OTHER, MART), step(MART, STAGE)]), STAGE, "k", "pii")
    assert found
    assert (found.dataset, [one.source for one in found.steps]) == (OTHER, [OTHER, MART])


def test_tag_that_stops_for_every_column_is_explained_by_what_a_column_has_by_itself() -> None:
    coarse = Event(by="w", at=1, event="00", job=("j", "1"), inputs=[CRM], outputs=[Output(STAGE)])
    stop = fact.Declassified(by="user:bob", at=2, dataset=STAGE, column="", tag="pii", edges=[(CRM, "")])
    graph = whole([tagged(CRM), tagged(OTHER), coarse, step(OTHER, STAGE), stop])
    assert why(graph, STAGE, "l", "pii") is None
    found = why(graph, STAGE, "", "pii")
    assert found
    assert (found.dataset, [one.source_column for one in found.steps]) == (OTHER, ["k"])


def test_sets_of_inputs_are_one_step() -> None:
    inputs, outputs = ([Dataset("pg", f"{kind}{number}") for number in range(6)] for kind in ("in", "out"))
    event = Event(by="w", at=1, event="00", job=("j", "1"), inputs=inputs, outputs=[Output(one) for one in outputs])
    graph = whole([tagged(inputs[3]), event])
    found = why(graph, outputs[2], "", "pii")
    assert found
    assert [(one.source, one.dataset, one.is_coarse) for one in found.steps] == [(inputs[3], outputs[2], True)]
    assert set(upstream(graph, outputs[0], 1)[0]) == {outputs[0], *inputs}
    assert set(downstream(graph, inputs[0], 1)[0]) == {inputs[0], *outputs}
    assert len(upstream(graph, outputs[0], 1)[1]) == len(inputs)


def test_path_and_surroundings_follow_data() -> None:
    graph = whole([step(CRM, STAGE), step(STAGE, MART), step(OTHER, MART)])
    found = path(graph, CRM, MART)
    assert found
    assert [(one.source, one.dataset) for one in found] == [(CRM, STAGE), (STAGE, MART)]
    assert path(graph, MART, CRM) is None
    assert path(graph, CRM, Dataset("pg", "nothing")) is None
    assert upstream(graph, MART, 1)[0] == {MART: 0, STAGE: 1, OTHER: 1}
    assert upstream(graph, MART, 2)[0] == {MART: 0, STAGE: 1, OTHER: 1, CRM: 2}
    distances, steps = downstream(graph, CRM, 9)
    assert distances == {CRM: 0, STAGE: 1, MART: 2}
    assert [(one.source, one.dataset) for one in steps] == [(CRM, STAGE), (STAGE, MART)]
    assert upstream(Graph(), CRM, 1) == ({}, [])


@settings(max_examples=100, deadline=None)
@given(st.lists(ANY, max_size=10))
def test_every_tag_has_a_reason_and_no_other_has(facts: list[Any]) -> None:
    graph = whole(facts)
    for (dataset, column), tags in seen(graph).items():
        if not column.startswith("*") and column:
            assert all(why(graph, dataset, column, tag) for tag in tags)
            assert why(graph, dataset, column, "t3") is None or "t3" in tags


def test_surroundings_are_told_alike_however_edges_are_stored() -> None:
    """A new edge of few stands apart from many old ones."""
    many = [Edge(f"c{number}", OTHER, f"c{number}") for number in range(1000)]
    schemas = {CRM: ["a", "k"], STAGE: ["a", "k"]}
    common: dict[str, Any] = {"by": "workload:etl", "event": "00", "job": ("j", "1"), "schemas": schemas}
    written = [Output(MART, named=[], edges=many), Output(STAGE, named=[], edges=[Edge("k", CRM, "k")])]
    old = Event(at=1, outputs=written, **common)
    new = Event(at=2, outputs=[Output(STAGE, named=[], edges=[Edge("a", CRM, "a")])], **common)
    one, other = whole([old, new]), batches([old, new], [1])
    assert len(one.structure.edges.layers) < len(other.structure.edges.layers)
    assert upstream(one, STAGE, 1) == upstream(other, STAGE, 1)
    assert downstream(one, CRM, 1) == downstream(other, CRM, 1)


def test_way_is_told_alike_however_edges_are_stored() -> None:
    """Of two jobs that show one edge, and of two ways that are equally long."""
    many = [Edge(f"c{number}", OTHER, f"c{number}") for number in range(3000)]
    common: dict[str, Any] = {"by": "workload:etl", "event": "00"}
    known = Event(at=1, job=("j", "a"), schemas={CRM: ["k"], STAGE: ["k"], MART: ["k"]}, **common)
    fill = Event(at=1, job=("j", "fill"), outputs=[Output(Dataset("pg", "wide"), named=[], edges=many)], **common)

    def feeds(source: Dataset, job: str, at: int) -> Event:
        output = Output(MART, named=[], edges=[Edge("k", source, "k")])
        return Event(at=at, job=("j", job), outputs=[output], **common)

    for first, last in ((("a", CRM), ("b", CRM)), (("b", CRM), ("a", CRM)), (("a", STAGE), ("a", CRM))):
        feeding = feeds(first[1], first[0], 2), fill, feeds(last[1], last[0], 3)
        facts = [known, tagged(CRM), tagged(STAGE), *feeding]
        one, other = whole(facts), batches(facts, [1] * len(facts))
        assert len(one.structure.edges.layers) < len(other.structure.edges.layers)
        assert why(one, MART, "k", "pii") == why(other, MART, "k", "pii") is not None
        assert path(one, CRM, MART) == path(other, CRM, MART) is not None
