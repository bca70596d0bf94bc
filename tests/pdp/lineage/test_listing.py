"""What was declared and suggested, as lists."""

from collections.abc import Sequence

from pdp.lineage.fact import Classified, Fact, Settled, Source, Suggested, Tagging
from pdp.lineage.graph import Graph
from pdp.lineage.listing import behind, declared, proposals
from tests.pdp.lineage_known import CRM, STAGE, derived, tagged


def graph(*facts: Fact) -> Graph:
    made = Graph()
    made.apply([(1, facts)])
    return made


def shown(known: Graph, writers: Sequence[str] = ()) -> list[tuple[str, str, str, Source]]:
    return [(one.dataset.name, one.column, one.tag, one.source) for one in declared(known, writers=writers)]


def test_declared_tags_are_sorted_and_a_column_without_tags_is_listed_too() -> None:
    none = Classified(by="user:bob", at=5, dataset=CRM, columns={"id": [], "email": ["contact"]})
    known = graph(tagged(STAGE, "mail"), tagged(CRM, "", "internal"), tagged(), none)
    assert shown(known) == [
        (CRM.name, "", "internal", Source.PERSON),
        (CRM.name, "email", "contact", Source.PERSON),
        (CRM.name, "email", "pii", Source.PERSON),
        (CRM.name, "id", "", Source.PERSON),
        (STAGE.name, "mail", "pii", Source.PERSON),
    ]
    assert [one.column for one in declared(known, [STAGE])] == ["mail"]
    listed = declared(known)
    assert [one.column for one in behind(listed, listed[2].place)] == ["id", "mail"]
    assert behind(listed, listed[-1].place) == []


def test_what_a_writer_of_events_declared_no_person_said() -> None:
    known = graph(derived(1, CRM, STAGE, ("email", "mail")))
    assert shown(known, ["workload:etl"]) == [(STAGE.name, "mail", "", Source.EVENT)]


def test_suggestions_come_oldest_first_by_what_was_made_of_them() -> None:
    def suggested(name: str, at: int) -> Suggested:
        return Suggested(
            by="user:bob", at=at, suggestion=name, tagging=Tagging(CRM, name, "pii", 0.5), hits=1, recognizer="r/1"
        )

    known = graph(
        suggested("b", 3), suggested("a", 3), suggested("c", 1), suggested("d", 2),
        Settled(by="user:bob", at=4, suggestion="a", accepted=True),
        Settled(by="user:bob", at=4, suggestion="d", accepted=False),
    )  # fmt: skip
    assert [one.suggested.suggestion for one in proposals(known, every=True)] == ["c", "d", "a", "b"]
    assert [one.suggested.suggestion for one in proposals(known)] == ["c", "b"]
    assert [one.suggested.suggestion for one in proposals(known, accepted=True)] == ["a"]
    assert [one.suggested.suggestion for one in proposals(known, accepted=False)] == ["d"]
