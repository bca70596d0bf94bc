"""Which datasets a resource is by its name alone. `test_views` has the entries of the configuration."""

import pytest

from pdp.lineage.fact import Classified, Dataset
from pdp.lineage.graph import Graph
from pdp.lineage.name import Names
from pdp.lineage.resource import MAX_SPLITS, Resources


def found(dataset: Dataset, resource_type: str, resource_id: str) -> bool:
    graph = Graph()
    graph.apply([(1, [Classified(by="user:bob", at=1, dataset=dataset, columns={"email": ["pii"]})])])
    nodes = graph.structure.nodes
    fitting = Resources([], Names()).fitting(resource_type, resource_id, nodes, len(nodes.datasets))
    return {nodes.datasets[number] for number in fitting} == {dataset}


@pytest.mark.parametrize(
    ("namespace", "name", "resource_type", "resource_id"),
    [
        ("food_delivery", "public.orders", "table", "food_delivery/public.orders"),
        ("file", "/in/data", "table", "file//in/data"),
        ("file", "/in/data", "file", "/in/data"),
        ("file:/warehouse", "db.t", "file", "/warehouse/db.t"),
        ("duckdb:/data/shop.duckdb", "main.t", "table", "duckdb:/data/shop.duckdb/main.t"),
        ("bigquery", "project.set.t", "table", "BigQuery/project.set.t"),
    ],
)
def test_dataset_is_found_as_commands_write_it_also_where_its_namespace_is_not_a_uri(
    namespace: str, name: str, resource_type: str, resource_id: str
) -> None:
    dataset = Names().dataset(namespace, name)
    assert found(dataset, resource_type, resource_id)
    assert not found(dataset, resource_type, f"{resource_id}x")


def test_namespace_ends_at_one_of_the_first_slashes() -> None:
    deep = "a/" * MAX_SPLITS
    assert found(Names().dataset(deep[:-1], "t"), "table", f"{deep}t")
    assert not found(Names().dataset(f"{deep}a", "u"), "table", f"x{deep}a/u")
