"""What facets name and what events list is compared over the whole run."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from pdp.lineage import fact
from pdp.lineage.disagreement import MANY, disagreeing
from pdp.lineage.edges import Edges
from pdp.lineage.fact import Dataset, Edge, Event, Output, Tagging
from pdp.lineage.graph import Graph
from pdp.lineage.ledger import Facets, Run
from pdp.lineage.nodes import Nodes
from tests.pdp.lineage.test_graph import seen, whole

A, B, C, OUT = (Dataset("pg", name) for name in ("a", "b", "c", "out"))
FILE, FOLDER = Dataset("s3://b", "f/x"), Dataset("s3://b", "f")
PII = fact.Tagged(by="user:bob", at=1, tagging=Tagging(A, "k", "pii"))


def event(run: str = "r1", **members: Any) -> Event:
    return Event(by="workload:etl", at=1, event="00", run=run, job=("j", "1"), **members)


def wrote(*sources: Dataset, columns: Sequence[str] = ("k",)) -> Output:
    return Output(OUT, columns, ["k"], [Edge("k", source, "k") for source in sources])


def is_pii(*facts: fact.Fact) -> bool:
    found = {"pii" in seen(whole(some))[OUT, "**"] for some in permutations([PII, *facts])}
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize(
    ("lists", "output", "arrives"),
    [
        ([A], wrote(B), True),  # it names what is no input, and leaves the input out
        ([A, B], wrote(B), False),  # it names an input, and the other one is for none of its columns
        ([A], wrote(A, B), True),  # by its edge
        ([C], wrote(B), False),  # a disagreement that brings what C has
        ([], wrote(B), False),
        ([A], wrote(columns=()), True),  # nothing says which columns the facet leaves out
        ([A], wrote(), False),
        ([A], Output(OUT, ["k"], None), True),
    ],
)
def test_start_lists_what_complete_does_not(lists: list[Dataset], output: Output, arrives: bool) -> None:  # noqa: FBT001
    assert is_pii(event(inputs=lists), event(outputs=[output])) is arrives
    assert not is_pii(event("r2", inputs=lists), event(outputs=[Output(OUT, ["k"], ["k"])]))


def test_other_names_and_folders_are_the_inputs_that_they_are() -> None:
    start = event(inputs=[A, B], aliases=[(B, C)])
    assert not is_pii(start, event(outputs=[wrote(C)]))
    assert not is_pii(event(inputs=[A, FOLDER]), event(outputs=[wrote(FILE)]))
    assert is_pii(event(inputs=[A, FILE]), event(outputs=[wrote(FOLDER)]))


def test_third_event_that_lists_what_was_missing_takes_no_tag_away() -> None:
    assert is_pii(event(inputs=[A]), event(outputs=[wrote(B)]), event(inputs=[B]))


def test_event_that_agrees_with_itself_does_not_disagree_with_its_equals() -> None:
    one = event(inputs=[A, B], outputs=[wrote(B)])
    assert not is_pii(one, event(inputs=[A, B]), one)


def test_run_with_more_lists_than_are_compared_counts_as_disagreeing_and_snapshots_know_it() -> None:
    lists = [event(inputs=[Dataset("pg", f"in{number}")]) for number in range(MANY)]
    facts = [PII, event(inputs=[A], outputs=[wrote(B)]), *lists[1:]]
    assert "pii" in seen(whole(facts))[OUT, "k"]  # each two of them disagree
    named = [PII, event(inputs=[A, B], outputs=[wrote(B)])]
    graph = Graph.load(whole([*named, *lists[1:]]).dump())
    assert "pii" not in seen(graph)[OUT, "k"]
    graph.apply([(2, [lists[0], event(inputs=[C])])])
    assert "pii" in seen(graph)[OUT, "k"]


def test_facets_of_a_run_with_too_many_are_told_once() -> None:
    nodes, run = Nodes(Edges()), Run()
    numbers = [nodes.dataset(Dataset("pg", f"t{number}")) for number in range(MANY + 3)]
    told = []
    for number in numbers:
        inputs = ((number, number),)
        told.append(len(list(disagreeing(nodes, run, inputs, Facets(0, inputs, (), (), (number,), ()), 1))))
    assert told == [0] * MANY + [MANY + 1, 1, 1]
