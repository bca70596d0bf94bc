"""The graph against the model on random facts."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.lineage import fact
from pdp.lineage.fact import Dataset, Edge, Event, Output, Tagging, TagRule, Way
from pdp.lineage.graph import Graph
from pdp.lineage.ledger import FORGOTTEN_MS, WEEK_MS
from pdp.lineage.nodes import ROLES
from pdp.lineage.structure import FEW
from pdp.lineage.tag_bits import tags_of
from tests.pdp.lineage.told import Told

TABLES = [Dataset("pg", name) for name in "abcd"]
FILES = [Dataset("s3://b", name) for name in ("/", "f", "f/x", "f/x/y", "g")]
DATASETS = st.sampled_from(TABLES + FILES)
COLUMN = st.sampled_from(["k", "l", "m"])
COLUMNS = st.lists(COLUMN, max_size=3, unique=True)
MAYBE = st.one_of(COLUMN, st.just(""))
TAG = st.sampled_from(["pii", "area=x", "still", "stop", "far", *(f"t{i}" for i in range(70))])
INHERITED = st.one_of(TAG, TAG.map(lambda tag: tag + ":masked"), st.just("unclassified"))
TIME = st.one_of(st.none(), st.integers(0, 5))
AT = st.sampled_from([0, 1000, 2000, WEEK_MS + 500, FORGOTTEN_MS + 500])
COMMON: dict[str, Any] = {"by": st.just("user:x"), "at": AT}
RULE = st.builds(TagRule, st.booleans(), st.booleans(), st.booleans())
EDGE = st.builds(Edge, MAYBE, DATASETS, MAYBE, st.sampled_from(list(Way)), st.just(""))
OUTPUT = st.builds(
    Output, DATASETS, COLUMNS, st.one_of(st.none(), COLUMNS), st.lists(EDGE, max_size=3), st.booleans(), st.booleans(),
    st.booleans(),
)  # fmt: skip
EVENT = st.builds(
    Event,
    event=st.just("00"),
    run=st.sampled_from(["", "r1", "r2"]),
    job=st.sampled_from([None, ("j", "1"), ("j", "2")]),
    event_time=TIME,
    inputs=st.lists(DATASETS, max_size=2),
    outputs=st.lists(OUTPUT, max_size=2),
    schemas=st.dictionaries(DATASETS, COLUMNS, max_size=2),
    aliases=st.lists(st.tuples(DATASETS, DATASETS), max_size=1),
    tags=st.lists(st.builds(Tagging, DATASETS, MAYBE, TAG), max_size=2),
    classifies=st.booleans(),
    **COMMON,
)
NAMES = st.lists(DATASETS, max_size=2)
TAGGED = st.builds(fact.Tagged, tagging=st.builds(Tagging, DATASETS, MAYBE, TAG), names=NAMES, **COMMON)
CLASSIFIED = st.builds(
    fact.Classified,
    dataset=DATASETS,
    columns=st.dictionaries(COLUMN, st.lists(TAG, max_size=2), max_size=3),
    names=NAMES,
    **COMMON,
)
RULES = st.builds(
    fact.Rules,
    policy_revision=st.just("p"),
    tags=st.dictionaries(st.sampled_from(["still", "stop", "far", "area", "unclassified"]), RULE, max_size=4),
    **COMMON,
)
PERSON = st.one_of(
    st.builds(fact.Untagged, dataset=DATASETS, column=MAYBE, tag=TAG, **COMMON),
    st.builds(fact.EdgeEnded, dataset=DATASETS, column=MAYBE, source=DATASETS, source_column=MAYBE, **COMMON),
    st.builds(fact.Unlinked, one=DATASETS, other=DATASETS, **COMMON),
    st.builds(
        fact.Declassified,
        dataset=DATASETS,
        column=MAYBE,
        tag=INHERITED,
        edges=st.lists(st.tuples(DATASETS, MAYBE), max_size=4),
        until=st.sampled_from([0, 1500, 2500]),
        **COMMON,
    ),
    RULES,
)
ADDING = st.one_of(EVENT, EVENT, TAGGED, CLASSIFIED)
ANY = st.one_of(EVENT, EVENT, TAGGED, CLASSIFIED, PERSON)
SEEN_AGAIN = st.sampled_from([0, 0, 3, FEW])
OF_A_RUN = st.builds(
    Event,
    event=st.just("00"),
    run=st.sampled_from(["r1", "r1", "r2"]),
    job=st.sampled_from([("j", "1"), ("j", "1"), ("j", "2")]),
    event_time=st.integers(0, 9),
    inputs=st.lists(st.sampled_from(TABLES), max_size=2),
    outputs=st.lists(st.builds(Output, st.sampled_from(TABLES), replaces=st.booleans()), max_size=2),
    by=st.just("workload:etl"),
    at=st.sampled_from([0, 0, 1000, WEEK_MS + 500, FORGOTTEN_MS + 500]),
)
ENDED = st.builds(
    fact.EdgeEnded,
    dataset=st.sampled_from(TABLES),
    column=st.just(""),
    source=st.sampled_from(TABLES),
    source_column=st.just(""),
    **COMMON,
)
Seen = dict[tuple[Dataset, str], set[str]]


def seen(graph: Graph) -> Seen:
    nodes, shown = graph.structure.nodes, graph.shown
    found: Seen = {}
    for node in range(shown.counts[0]):
        role = nodes.role(node)
        if role >= 0:
            dataset, column = nodes.where(node)
            key = column if role == ROLES else ("", "*", "**")[role]
            found[dataset, key] = set(tags_of(shown.tags, shown.bits[:, node].tolist()))
    return found


def whole(facts: Sequence[Any], few: int = FEW) -> Graph:
    graph = Graph()
    graph.structure.few = few
    graph.apply([(1, facts)])
    return graph


def batches(facts: Sequence[Any], sizes: Sequence[int], few: int = FEW) -> Graph:
    graph, left = Graph(), list(facts)
    graph.structure.few = few
    for size in [*sizes, len(left)]:
        graph.apply([(1, left[:size])])
        del left[:size]
    return graph


def test_model_is_short_enough_to_be_read_beside_the_rules() -> None:
    assert len(Path("tests/pdp/lineage/model.py").read_text().splitlines()) <= 92


@settings(max_examples=200, deadline=None)
@given(st.lists(ANY, max_size=12), st.lists(st.integers(1, 4), max_size=6), SEEN_AGAIN)
def test_graph_says_what_the_model_says_however_facts_come(facts: list[Any], sizes: list[int], few: int) -> None:
    model = Told(facts).effective()
    assert seen(whole(facts, few)) == model
    assert seen(batches(facts, sizes, few)) == model


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(OF_A_RUN, OF_A_RUN, OF_A_RUN, ENDED, ANY), max_size=14), SEEN_AGAIN)
def test_runs_that_grow_say_what_the_model_says(facts: list[Any], few: int) -> None:
    assert seen(batches(facts, [1] * len(facts), few)) == Told(facts).effective()


@settings(max_examples=100, deadline=None)
@given(st.lists(ADDING.filter(lambda one: one.at <= FORGOTTEN_MS), max_size=8), st.data())
def test_order_and_repetition_of_what_adds_change_nothing(facts: list[Any], data: st.DataObject) -> None:
    again = data.draw(st.permutations(facts + facts[:3]))
    assert seen(whole(again)) == seen(batches(facts, [1] * len(facts)))


@settings(max_examples=100, deadline=None)
@given(st.lists(ADDING, max_size=8), ADDING)
def test_what_adds_takes_no_tag_away(facts: list[Any], new: Any) -> None:
    kept = [
        replace(one, outputs=[o for o in one.outputs if not o.replaces]) if isinstance(one, Event) else one
        for one in [*facts, new]
    ]
    graph = whole(kept[:-1])
    before = seen(graph)
    graph.apply([(2, kept[-1:])])
    after = seen(graph)
    assert all(tags - after[node] <= {"unclassified"} for node, tags in before.items())


def test_nothing_is_visible_before_it_is_committed() -> None:
    graph = whole([tagged(TABLES[0], "k", "pii")])
    before = seen(graph)
    change = graph.prepare([(2, [tagged(TABLES[0], "k", "far"), tagged(TABLES[1], "l", "pii")])])
    assert seen(graph) == before
    with pytest.raises(RuntimeError, match="committed first"):
        graph.prepare([])
    graph.commit(change)
    assert seen(graph)[TABLES[0], "k"] == {"pii", "far"}
    with pytest.raises(RuntimeError, match="prepared last"):
        graph.commit(change)


def test_more_tags_than_any_writer_may_set_lose_none() -> None:
    names = [f"t{number}" for number in range(1025)]
    graph = whole([tagged(TABLES[0], "k", name) for name in names])
    edge = Edge("k", TABLES[0], "k")
    graph.apply([(2, [event(outputs=[Output(TABLES[1], ["k"], ["k"], [edge])])])])
    assert seen(graph)[TABLES[1], "k"] == {*names, "unclassified"}


def test_runs_that_come_apart_for_more_than_a_week_get_what_their_job_ever_had() -> None:
    job = ("airflow", "load")
    source = tagged(TABLES[0], "k", "pii")
    earlier = event(run="r1", job=job, inputs=[TABLES[0]])
    start = event(run="r2", job=job, at=1)
    end = event(run="r2", job=job, at=2 + WEEK_MS, outputs=[Output(TABLES[1], ["l"])])
    assert "pii" in seen(whole([source, earlier, start, end]))[TABLES[1], "l"]
    assert "pii" not in seen(whole([source, earlier, start, replace(end, at=WEEK_MS)]))[TABLES[1], "l"]


def test_many_inputs_of_many_outputs_can_be_ended_one_by_one() -> None:
    inputs = [Dataset("pg", f"in{number}") for number in range(6)]
    outputs = [Dataset("pg", f"out{number}") for number in range(6)]
    facts = [tagged(one, "k", one.name) for one in inputs]
    graph = whole([*facts, event(job=("j", "1"), inputs=inputs, outputs=[Output(one) for one in outputs])])
    end = fact.EdgeEnded(by="user:x", at=0, dataset=outputs[0], column="", source=inputs[0], source_column="")
    graph.apply([(2, [end])])
    assert seen(graph)[outputs[0], ""] == {one.name for one in inputs[1:]}
    assert seen(graph)[outputs[1], ""] == {one.name for one in inputs}


def tagged(dataset: Dataset, column: str, tag: str) -> fact.Tagged:
    return fact.Tagged(by="user:x", at=0, tagging=Tagging(dataset, column, tag))


def event(at: int = 0, **members: Any) -> Event:
    return Event(by="workload:etl", at=at, event="00", **members)


def test_run_that_names_two_jobs_and_is_torn_spreads_what_both_had_in_any_order() -> None:
    common: dict[str, Any] = {"by": "user:x", "event": "00"}
    writes = Event(at=0, run="r1", job=("j", "1"), outputs=[Output(TABLES[1])], **common)
    late = Event(at=WEEK_MS + 500, run="r1", **common)
    reads = Event(at=0, run="r2", job=("j", "1"), inputs=[TABLES[0]], **common)
    tagged = fact.Tagged(by="user:x", at=0, tagging=Tagging(TABLES[0], "k", "pii"))
    for facts in ([writes, late, reads, tagged], [late, writes, tagged, reads], [tagged, reads, writes, late]):
        assert "pii" in seen(whole(facts))[TABLES[1], ""]
