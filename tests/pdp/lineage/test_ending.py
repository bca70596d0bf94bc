"""An edge that a person ended stays away for the runs that had shown it, and comes back with new evidence."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from pdp.lineage import fact
from pdp.lineage.fact import Dataset, Edge, Event, Output, Tagging
from pdp.lineage.graph import Graph
from pdp.lineage.ledger import FORGOTTEN_MS, WEEK_MS
from tests.pdp.lineage.test_graph import seen, whole

A, B, C = (Dataset("pg", name) for name in "abc")
PII = fact.Tagged(by="user:bob", at=1, tagging=Tagging(A, "k", "pii"))
COARSE, DIRECT = Output(B), Output(B, ["k"], ["k"], [Edge("k", A, "k")])
ENDS = {
    "coarse": fact.EdgeEnded(by="user:bob", at=2, dataset=B, column="", source=A, source_column=""),
    "direct": fact.EdgeEnded(by="user:bob", at=2, dataset=B, column="k", source=A, source_column="k"),
}
OUTPUTS = {"coarse": COARSE, "direct": DIRECT}


def event(run: str = "r1", job: str = "1", at: int = 1, **members: Any) -> Event:
    return Event(by="workload:etl", at=at, event="00", run=run, job=("j", job), **members)


def is_pii(facts: Sequence[fact.Fact]) -> bool:
    return "pii" in seen(whole(facts))[B, "**"]


@pytest.mark.parametrize("kind", ["coarse", "direct"])
def test_repeat_of_the_same_run_brings_nothing_back_and_a_new_run_does(kind: str) -> None:
    ends = ENDS[kind]
    said = event(inputs=[A], outputs=[OUTPUTS[kind]])
    assert is_pii([PII, said])
    assert not is_pii([PII, said, ends])
    assert not is_pii([PII, said, ends, said, event(inputs=[C]), event()])
    assert is_pii([PII, said, ends, event("r2", inputs=[A], outputs=[OUTPUTS[kind]])])
    assert is_pii([PII, said, ends, event("", inputs=[A], outputs=[OUTPUTS[kind]])])


def test_run_that_had_not_read_the_one_and_written_the_other_by_then_is_new_evidence() -> None:
    said, begun = event(inputs=[A], outputs=[COARSE]), event("r2", inputs=[A])
    for late in permutations([event("r2", outputs=[COARSE]), event("r2", inputs=[C])]):
        assert is_pii([PII, said, begun, ENDS["coarse"], *late])


def test_what_the_other_inputs_bring_stays_also_where_many_meet_in_one_node() -> None:
    inputs = [A, *(Dataset("pg", f"in{number}") for number in range(6))]
    outputs = [COARSE, *(Output(Dataset("pg", f"out{number}")) for number in range(6))]
    many = event(inputs=inputs, outputs=outputs)
    other = fact.Tagged(by="user:bob", at=1, tagging=Tagging(inputs[1], "k", "far"))
    rest = {"unclassified"}
    for after in ([], [many], [event()]):
        found = seen(whole([PII, other, many, ENDS["coarse"], *after]))
        assert (found[B, ""], found[outputs[1].dataset, ""]) == (rest | {"far"}, rest | {"far", "pii"})
    assert is_pii([PII, many, ENDS["coarse"], event("r2", inputs=inputs, outputs=outputs)])


def test_what_a_torn_run_falls_back_to_brings_back_nothing_that_its_job_had() -> None:
    said = event(inputs=[A], outputs=[COARSE])
    torn = [event("r3", at=3, inputs=[C]), event("r3", at=4 + WEEK_MS)]
    assert not is_pii([PII, said, ENDS["coarse"], *torn])
    assert is_pii([PII, said, ENDS["coarse"], *torn, event("r4", inputs=[A], outputs=[COARSE])])


@pytest.mark.parametrize("is_loaded", [False, True])
def test_forgotten_run_is_remembered_as_one_that_brings_nothing_back(is_loaded: bool) -> None:  # noqa: FBT001
    said, later = event(inputs=[A], outputs=[COARSE]), event("r9", at=FORGOTTEN_MS + 10)
    graph = whole([PII, said, ENDS["coarse"], later])
    if is_loaded:
        graph = Graph.load(graph.dump())
    graph.apply([(2, [event(at=FORGOTTEN_MS + 20, inputs=[A], outputs=[COARSE])])])
    assert "pii" not in seen(graph)[B, ""]
