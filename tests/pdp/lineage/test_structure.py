"""Facts become nodes, edges and assertions."""

from pdp.lineage.declarations import declare
from pdp.lineage.fact import Dataset, Source, Tagging
from pdp.lineage.ledger import Asserted
from pdp.lineage.nodes import ALL
from pdp.lineage.structure import Structure


def test_dataset_is_unclassified_as_a_whole_until_it_has_columns() -> None:
    structure = Structure()
    number = structure.dataset(Dataset("pg", "t"))
    everything = structure.nodes.first[number] + ALL
    assert (structure.nodes.is_open.values[everything], structure.opened) == (1, {everything})
    column = structure.column(number, "k")
    assert (structure.nodes.is_open.values[everything], structure.opened) == (0, {column})
    declare(structure, column, "user:bob", 1)
    assert (structure.opened, structure.lowered) == (set(), set())


def test_what_was_told_before_is_worked_out_anew() -> None:
    structure = Structure()
    column = structure.column(structure.dataset(Dataset("pg", "t")), "k")
    structure.opened = set()
    declare(structure, column, "user:bob", 1)
    assert structure.lowered == {column}


def test_tag_stays_while_anybody_asserts_it() -> None:
    structure = Structure()
    tagging = Tagging(Dataset("pg", "t"), "k", "pii")
    node = structure.assert_tag(tagging, Source.PERSON, "user:bob", Asserted(1))
    structure.assert_tag(tagging, Source.EVENT, "workload:etl", Asserted(2))
    assert len(structure.ledger.tags[node][1]) == 2
    structure.withdraw_tag(node, "pii")
    structure.withdraw_tag(node, "pii")
    assert (structure.ledger.own(node), structure.lowered) == ({}, {node})
