"""Which datasets a resource is."""

import pytest

from pdp.lineage.edges import Edges
from pdp.lineage.fact import Dataset
from pdp.lineage.name import Names
from pdp.lineage.nodes import Nodes
from pdp.lineage.resource import Resources
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
