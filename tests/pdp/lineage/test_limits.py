"""What is too much is refused at the door, and nobody fills up the room of others."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from pdp.errors import NotAllowed
from pdp.lineage.fact import Dataset, Edge, Event, Output, Tagging
from pdp.lineage.graph import Graph
from pdp.lineage.limits import COLUMN_TAGS, COLUMNS, EVENT_TAGS, MAX_TAGS, WRITER_TAGS, Limits

OWN, FOREIGN = Dataset("pg://own", "t"), Dataset("pg://other", "t")


class Door:
    """One process: what it admits is in the graph, or with `is_late` it is not there yet."""

    def __init__(self, *, is_late: bool = False) -> None:
        self.graph, self.is_late = Graph(), is_late
        self.limits = Limits(lambda: self.graph)

    def event(self, by: str = "workload:a", **members: Any) -> bool:
        event = Event(by=by, at=1, event="00", **members)
        try:
            self.limits.admit(event, lambda dataset: dataset == FOREIGN)
        except NotAllowed:
            return False
        if not self.is_late:
            self.graph.apply([(1, [event])])
        return True

    def tags(self, names: Iterable[str], dataset: Dataset = OWN, by: str = "workload:a") -> bool:
        return self.event(by, tags=[Tagging(dataset, f"c{n}", name) for n, name in enumerate(names)])

    def person(self, columns: dict[str, Sequence[str]]) -> bool:
        try:
            self.limits.admit_people(OWN, columns, "user:bob")
        except NotAllowed:
            return False
        return True


def names(first: int, count: int) -> list[str]:
    return [f"t{number}" for number in range(first, first + count)]


@pytest.mark.parametrize("is_late", [False, True])
def test_each_writer_and_all_events_together_leave_room_for_others(is_late: bool) -> None:  # noqa: FBT001
    door = Door(is_late=is_late)
    assert door.tags(names(0, WRITER_TAGS))
    assert not door.tags(["more"])
    assert door.tags(names(0, 10)), "what is known is not new"
    assert door.tags(names(1000, WRITER_TAGS), by="workload:b")
    assert door.tags(names(2000, WRITER_TAGS), by="workload:c")
    assert not door.tags(["more"], by="workload:d"), f"events bring {EVENT_TAGS}"
    left = MAX_TAGS - EVENT_TAGS
    assert door.person({f"c{n}": [tag] for n, tag in enumerate(names(3000, left))})
    assert not door.person({"c": ["more"]})
    assert door.person({"c": ["t0"]})


def test_suggestions_take_no_room() -> None:
    door = Door()
    for number in range(2 * MAX_TAGS):
        door.limits.admit_people(OWN, {"c": [f"t{number}"]}, "workload:a", binds=False)
    assert door.person({"c": ["pii"]})


def test_column_has_so_many_tags_by_events_and_as_many_by_people() -> None:
    door = Door()
    half = COLUMN_TAGS // 2
    for dataset, most in ((OWN, COLUMN_TAGS), (FOREIGN, half)):
        for start in range(0, most, half):
            assert door.event(tags=[Tagging(dataset, "c", name) for name in names(start, half)])
        assert not door.event(tags=[Tagging(dataset, "c", "more")])
        assert door.event(tags=[Tagging(dataset, "c", "t1")])
    assert door.person({"c": names(5000, COLUMN_TAGS)})
    assert not door.person({"c": names(5000, COLUMN_TAGS + 1)})


def test_writer_brings_data_of_others_to_half_of_its_columns() -> None:
    door = Door()
    many = names(0, COLUMNS // 2)
    assert door.event(schemas={FOREIGN: many})
    assert not door.event(schemas={FOREIGN: ["more"]})
    assert door.event(schemas={FOREIGN: many[:3]})
    edge = Edge("k", FOREIGN, "more")
    assert not door.event(outputs=[Output(OWN, ["k"], ["k"], [edge])])
    assert door.event(outputs=[Output(OWN, many)])
    assert door.event(outputs=[Output(OWN, names(8000, COLUMNS // 2))])
    assert not door.event(outputs=[Output(OWN, ["more"])])
    assert not door.person({"more": []})
    assert door.person({many[0]: []})


def test_what_each_brought_is_in_snapshots() -> None:
    door = Door()
    assert door.tags(names(0, WRITER_TAGS))
    door.graph = Graph.load(door.graph.dump())
    assert not door.tags(["more"])
