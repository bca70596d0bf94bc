"""Nodes of datasets and columns."""

from pdp.lineage.edges import Edges
from pdp.lineage.fact import Dataset
from pdp.lineage.nodes import ALL, BASE, COLUMNS, HUB, ROLES, Nodes


def test_dataset_has_three_nodes_and_one_for_each_column() -> None:
    nodes = Nodes(Edges())
    number = nodes.dataset(Dataset("pg", "a.t"))
    column = nodes.column(number, "k")
    hub = nodes.hub((1, 2))
    assert [nodes.role(node) for node in nodes.own(number)] == [BASE, COLUMNS, ALL]
    assert (nodes.role(column), nodes.role(hub)) == (ROLES, HUB)
    assert nodes.where(column) == (Dataset("pg", "a.t"), "k")
    assert nodes.column(number, "") == nodes.first[number]
    assert (nodes.dataset(Dataset("pg", "a.t")), nodes.column(number, "k"), nodes.hub((1, 2))) == (number, column, hub)


def test_what_is_not_known_is_not_made_by_looking() -> None:
    nodes = Nodes(Edges())
    number = nodes.dataset(Dataset("pg", "t"))
    assert nodes.find(Dataset("pg", "u"), "", ALL) is None
    assert nodes.find(Dataset("pg", "t"), "k", ALL) is None
    assert nodes.find(Dataset("pg", "t"), "", ALL) == nodes.first[number] + ALL
    assert len(nodes.datasets) == 1


def test_folders_find_what_lies_below_in_any_order() -> None:
    for names in (("a", "a/b", "a/b/c", "ab", "/"), ("/", "ab", "a/b/c", "a/b", "a")):
        nodes = Nodes(Edges())
        for name in names:
            nodes.dataset(Dataset("s3://lake", name))
        below = {one.name: {nodes.datasets[child].name for child in nodes.children[number]}
                 for one, number in nodes.numbers.items()}  # fmt: skip
        assert below == {"a": {"a/b", "a/b/c"}, "a/b": {"a/b/c"}, "a/b/c": set(), "ab": set(),
                         "/": {"a", "a/b", "a/b/c", "ab"}}  # fmt: skip


def test_joined_names_share_columns_that_come_later() -> None:
    nodes = Nodes(Edges())
    one, other, third = (nodes.dataset(Dataset("pg", name)) for name in "abc")
    nodes.join(one, other)
    nodes.join(other, third)
    assert nodes.together(one) == {one, other, third}
    mine, theirs = nodes.column(one, "k"), nodes.column(other, "k")
    nodes.edges.flush()
    assert mine in {int(layer.src[row]) for layer, row in nodes.edges.into(theirs)}
    assert nodes.part(other, one)
    assert not nodes.part(other, one)
    assert mine not in {int(layer.src[row]) for layer, row in nodes.edges.into(theirs)}
