"""Which datasets a resource is."""

import pytest

from pdp.lineage.edges import Edges
from pdp.lineage.fact import Classified, Dataset
from pdp.lineage.graph import Graph
from pdp.lineage.name import Names
from pdp.lineage.nodes import Nodes
from pdp.lineage.resource import MAX_SPLITS, Resources
from pdp.lineage_settings import DataOf

CRM, LAKE, FILE = (
    Dataset("postgres://crm:5432", "crm.public.t"),
    Dataset("s3://lake", "raw/t"),
    Dataset("file", "/data/t"),
)
ENTRY = DataOf(type="rows", id="{schema}:{table}", namespace="postgres://CRM", name="crm.{schema}.{table}")


@pytest.mark.parametrize(
    ("kind", "identifier", "found"),
    [
        ("rows", "public:t", {CRM}),
        ("rows", "other:t", set()),
        ("table", "public.t", {CRM}),
        ("Table", "public.t ", {CRM}),
        ("table", '"public"."t"', {CRM}),
        ("table", "[public]..`T`.", {CRM}),
        ("Rows", "public:t", {CRM}),
        ("Dataset", "postgres://crm:5432/crm.public.t", {CRM}),
        ("table", "t", {CRM, LAKE, FILE}),
        ("file", "s3://lake/raw/t", {LAKE}),
        ("dataset", "postgres://crm:5432/crm.public.t", {CRM}),
        ("dataset", "postgresql://crm/crm.public.t", {CRM}),
        ("dataset", "s3a://lake/raw/t/", {LAKE}),
        ("dataset", "file//data/t", {FILE}),
        ("dataset", "t", set()),
        ("dataset", "raw/t", set()),
        ("dataset", "s3://lake/raw", set()),
        ("dataset", "/", set()),
    ],
)
def test_resource_is_what_its_entry_its_ending_or_its_own_names_say(
    kind: str, identifier: str, found: set[Dataset]
) -> None:
    nodes = Nodes(Edges())
    for dataset in (CRM, LAKE, FILE):
        nodes.dataset(dataset)
    fits = Resources([ENTRY], Names()).fitting(kind, identifier, nodes, len(nodes.datasets))
    assert {nodes.datasets[number] for number in fits} == found


def test_dataset_that_is_not_shown_yet_fits_nothing() -> None:
    nodes = Nodes(Edges())
    nodes.dataset(CRM)
    assert Resources([], Names()).fitting("dataset", "postgres://crm:5432/crm.public.t", nodes, 0) == set()


def is_found(dataset: Dataset, resource_type: str, resource_id: str) -> bool:
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
    assert is_found(dataset, resource_type, resource_id)
    assert not is_found(dataset, resource_type, f"{resource_id}x")


def test_namespace_ends_at_one_of_the_first_slashes() -> None:
    deep = "a/" * MAX_SPLITS
    assert is_found(Names().dataset(deep[:-1], "t"), "table", f"{deep}t")
    assert not is_found(Names().dataset(f"{deep}a", "u"), "table", f"x{deep}a/u")
