"""What adds up over a run or a job."""

from collections.abc import Sequence
from typing import Any

import pytest

from pdp.lineage import fact
from pdp.lineage.fact import Dataset, Event, Output, Tagging
from pdp.lineage.graph import Graph
from pdp.lineage.ledger import WEEK_MS, Flows
from pdp.lineage.spreading import MANY, spread
from pdp.lineage.structure import Structure
from tests.pdp.lineage.test_graph import seen

OUTPUTS = [Dataset("pg", f"out{number}") for number in range(5)]
EVENTS = 60


def test_many_inputs_and_many_outputs_meet_in_one_node() -> None:
    structure = Structure()
    numbers = [structure.dataset(Dataset("pg", f"t{number}")) for number in range(2 * MANY + 2)]
    structure.edges.flush()
    before = sum(map(len, structure.edges.layers))
    inputs, outputs = numbers[: MANY + 1], numbers[MANY + 1 :]
    flows = Flows(dict.fromkeys(inputs, 1), {(structure.nodes.first[number], 0): 1 for number in outputs})
    spread(structure, flows, flows)
    structure.edges.flush()
    assert sum(map(len, structure.edges.layers)) - before == len(inputs) + len(outputs)
    assert structure.take_coarse() == frozenset(outputs)
    assert structure.take_coarse() == frozenset()


def some(kind: str, number: int) -> list[Dataset]:
    return [Dataset("pg", f"{kind}{number}.{place}") for place in range(20)]


def event(inputs: Sequence[Dataset], outputs: Sequence[Dataset], at: int = 1, **members: Any) -> Event:
    members = {"run": "r", "event_time": at, **members}
    written = [Output(one, replaces=members.pop("replaces", False)) for one in outputs]
    return Event(by="workload:etl", at=at, event="00", job=("j", "1"), inputs=inputs, outputs=written, **members)


def grown(events: Sequence[fact.Fact]) -> Graph:
    graph = Graph()
    for number, one in enumerate(events):
        graph.apply([(number, [one])])
    return graph


def edges(graph: Graph) -> int:
    """Those of jobs, and those into hubs."""
    owner = graph.structure.nodes.owner.values
    return sum(int((owner[layer.src] != owner[layer.dst]).sum()) for layer in graph.structure.edges.layers)


def tagged(dataset: Dataset) -> fact.Tagged:
    return fact.Tagged(by="user:bob", at=1, tagging=Tagging(dataset, "", dataset.name))


TORN = [event([], [], run="torn"), event([], [], 2 + WEEK_MS, run="torn")]
GROWS = {
    "inputs": [event(some("in", number), OUTPUTS, number) for number in range(EVENTS)],
    "outputs": [event(OUTPUTS, some("out", number), number) for number in range(EVENTS)],
    "inputs of a job": [*TORN, *(event(some("in", n), OUTPUTS, n, run=f"r{n}") for n in range(EVENTS))],
    "outputs of a job": [*TORN, *(event(OUTPUTS, some("out", n), n, run=f"r{n}") for n in range(EVENTS))],
}


@pytest.mark.parametrize("kind", GROWS)
def test_event_of_a_run_that_grows_costs_what_it_shows(kind: str) -> None:
    facts = GROWS[kind]
    half, whole = grown(facts[: len(facts) // 2]), grown(facts)
    shown = 20 + len(OUTPUTS)
    assert edges(whole) - edges(half) <= 3 * shown * EVENTS // 2
    assert len(whole.dump()) < 2.5 * len(half.dump())
    assert grown([*facts, tagged(facts[-1].inputs[-1])]).dump() == loaded(facts, tagged(facts[-1].inputs[-1])).dump()


def loaded(facts: Sequence[fact.Fact], last: fact.Fact) -> Graph:
    graph = Graph.load(grown(facts[:-5]).dump())
    graph.apply([(1, [*facts[-5:], last])])
    return graph


def test_every_output_has_what_every_input_has_whenever_it_came() -> None:
    first, last = some("in", 0)[0], some("in", EVENTS - 1)[-1]
    found = seen(grown([tagged(first), tagged(last), *GROWS["inputs"]]))
    assert all(found[one, ""] >= {first.name, last.name} for one in OUTPUTS)


def test_runs_with_equal_inputs_share_a_node_and_its_edges() -> None:
    inputs = some("in", 0)
    one = grown([event(inputs, OUTPUTS)])
    many = grown([event(inputs, OUTPUTS, number, run=f"r{number}") for number in range(EVENTS)])
    assert (edges(many), len(many.structure.nodes.labels)) == (edges(one), len(one.structure.nodes.labels))


def test_what_a_person_ended_stays_away_from_a_run_that_grows_on() -> None:
    facts = GROWS["inputs"]
    first, last = some("in", 0)[0], some("in", EVENTS - 1)[-1]
    end = fact.EdgeEnded(by="user:bob", at=2, dataset=OUTPUTS[0], column="", source=first, source_column="")
    found = seen(grown([tagged(first), tagged(last), *facts[:-2], end, *facts[-2:]]))
    assert (first.name in found[OUTPUTS[0], ""], first.name in found[OUTPUTS[1], ""]) == (False, True)
    assert all(last.name in found[one, ""] for one in OUTPUTS)


def test_edges_of_a_run_that_grows_are_as_late_as_its_last_input() -> None:
    """The outputs were told early, the last input late: a replacement from between ends nothing, a later one does."""
    facts = [*GROWS["inputs"], event(some("late", 0), [], 500)]
    first = some("in", 0)[0]
    for time, is_left in ((400, True), (600, False)):
        replaced = event([], [OUTPUTS[0]], time, run="other", replaces=True)
        graph = grown([tagged(first), *facts, replaced])
        assert (first.name in seen(graph)[OUTPUTS[0], ""]) is is_left
        assert first.name in seen(graph)[OUTPUTS[1], ""]
        graph.apply([(2, [event(some("late", 1), [], 700)])])
        assert first.name in seen(graph)[OUTPUTS[0], ""]
