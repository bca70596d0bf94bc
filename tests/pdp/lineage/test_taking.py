"""What removals take away, as two revisions have it."""

from collections.abc import Sequence
from typing import Any

from pdp.lineage.fact import Declassified, EdgeEnded, Event, Fact, Unlinked, Untagged, Way
from pdp.lineage.graph import Graph
from pdp.lineage.taking import Removal, sources, taken
from tests.pdp.lineage_known import CRM, REPORT, STAGE, derived, tagged

SAID: dict[str, Any] = {"by": "user:bob", "at": 2000, "reason": "because"}
UNTAG = Untagged(**SAID, dataset=CRM, column="email", tag="pii")
END = EdgeEnded(**SAID, dataset=STAGE, column="mail", source=CRM, source_column="email")
UNLINK = Unlinked(**SAID, one=CRM, other=REPORT)
STOP = Declassified(**SAID, dataset=STAGE, column="mail", tag="pii", edges=[(CRM, "email")])
LINK = Event(by="workload:etl", at=1500, event="f" * 64, aliases=((CRM, REPORT),))
FLOW = derived(1, CRM, STAGE, ("email", "mail"))


def of(facts: Sequence[Fact], removal: Removal) -> frozenset[Any]:
    graph = Graph()
    graph.apply([(n + 1, [fact]) for n, fact in enumerate(facts)])
    return taken(graph, removal)


def test_nothing_is_taken_where_nothing_is() -> None:
    for removal in (UNTAG, END, UNLINK, STOP):
        assert of([], removal) == frozenset()
        assert of([tagged(column="note"), derived(1, REPORT, STAGE, ("x", "y"))], removal) == frozenset()


def test_the_same_is_taken_while_others_speak_of_other_things() -> None:
    before = [tagged(), FLOW, LINK]
    after = [
        *before,
        tagged(tag="secret"),
        derived(2, CRM, STAGE, ("note", "mail")),
        derived(3, CRM, REPORT, ("a", "b")),
    ]
    for removal in (UNTAG, END, UNLINK, STOP):
        assert of(before, removal)
        assert of(before, removal) == of(after, removal)


def test_run_that_shows_the_same_edge_again_changes_nothing() -> None:
    again = [tagged(), FLOW, LINK, derived(9, CRM, STAGE, ("email", "mail"))]
    for removal in (END, STOP):
        assert of(again, removal) == of([tagged(), FLOW, LINK], removal)


def test_other_writer_of_a_tag_and_other_way_of_an_edge_are_something_else() -> None:
    other = tagged()
    other = type(other)(by="user:carol", at=950, tagging=other.tagging)
    assert of([tagged(), FLOW], UNTAG) != of([tagged(), FLOW, other], UNTAG)
    masked = derived(1, CRM, STAGE, ("email", "mail"), way=Way.MASKED)
    assert of([masked], STOP) != of([masked, derived(2, CRM, STAGE, ("email", "mail"))], STOP)
    assert of([masked], END) != of([masked, derived(2, CRM, STAGE, ("email", "mail"))], END)


def test_sources_are_the_columns_that_a_column_gets_values_from() -> None:
    graph = Graph()
    graph.apply([(1, [FLOW, derived(2, CRM, STAGE, ("note", "mail"))])])
    assert sources(graph, STAGE, "mail") == [(CRM, "email"), (CRM, "note")]
    assert sources(graph, STAGE, "other") == []
    assert sources(graph, REPORT, "x") == []
