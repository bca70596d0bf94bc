from typing import Any

import pytest

from pdp.lineage.fact import Dataset, Output
from tests.pdp.openlineage import CRM, MART, columns, dataset, lineage, run, source, taken

OTHER = Dataset("postgres://crm:5432", "crm.public.orders")
LAKE = Dataset("s3://lake", "crm")


def output(inputs: list[Any], facet: Any, *names: str, **writer: Any) -> Output:
    """What an event says of `MART` with these columns."""
    facets = {} if facet is None else {"columnLineage": facet}
    return taken(run(inputs, [dataset(MART, schema=columns(*names), **facets)]), **writer).outputs[0]


def test_output_without_a_facet_names_nothing() -> None:
    assert output([dataset(CRM)], None, "a").named is None


def test_empty_facet_names_no_column_and_an_empty_list_names_one() -> None:
    assert output([dataset(CRM)], lineage(), "a").named == ()
    assert output([dataset(CRM)], lineage(a=[]), "a", "b").named == ("a",)


@pytest.mark.parametrize(
    "facet",
    [
        {},
        7,
        [],
        {"fields": 7},
        {"fields": {"a": 7}},
        {"fields": {"a": {}}},
        {"fields": {"a": {"inputFields": 7}}},
        {"fields": {"a": {"inputFields": [7]}}},
        {"fields": {"a": {"inputFields": [{"namespace": "n", "name": "t"}]}}},
        {"fields": {"a": {"inputFields": [{"namespace": "n", "field": "t"}]}}},
        lineage(a=[source(CRM, "a", transformations=7)]),
        lineage(a=[source(CRM, "a", transformations=["DIRECT"])]),
        lineage([{"namespace": "n"}], a=[]),
    ],
)
def test_facet_that_is_not_sound_counts_as_missing_and_is_a_problem(facet: Any) -> None:
    event = run([dataset(CRM)], [dataset(MART, schema=columns("a"), columnLineage=facet)])
    found = taken(event, facet_is_complete=True)
    [written] = found.outputs
    assert (written.named, written.edges, written.is_complete) == (None, (), False)
    assert [path.startswith("outputs[0].facets.columnLineage") for path, _ in found.problems] == [True]


def test_writer_whose_facets_are_complete_is_believed_about_what_it_leaves_out() -> None:
    facet = lineage(a=[source(CRM, "a")])
    assert not output([dataset(CRM)], facet, "a", "n").is_complete
    assert output([dataset(CRM)], facet, "a", "n", facet_is_complete=True).is_complete


def test_facet_and_inputs_that_disagree_taint_all_columns() -> None:
    strange = lineage(a=[source(OTHER, "a")])
    assert output([dataset(CRM)], strange, "a").is_tainted
    assert output([dataset(CRM)], strange, "a", facet_is_complete=True).is_tainted
    assert output([dataset(CRM)], lineage([source(OTHER, "a", "INDIRECT/FILTER")], a=[]), "a").is_tainted
    assert not output([dataset(CRM), dataset(OTHER)], strange, "a").is_tainted
    assert not output([], strange, "a").is_tainted


def test_facet_that_names_an_input_by_another_name_or_a_file_in_its_folder_agrees() -> None:
    links = {"identifiers": [{"namespace": "s3://lake", "name": "crm/customers"}]}
    by_alias = lineage(a=[source(Dataset("s3a://lake", "crm/customers/dt=1"), "a")])
    assert not output([dataset(CRM, symlinks=links)], by_alias, "a").is_tainted
    inside = lineage(a=[source(Dataset("s3://lake", "crm/customers/part-0"), "a")])
    assert not output([dataset(LAKE)], inside, "a").is_tainted
    assert output([dataset(LAKE)], lineage(a=[source(Dataset("s3://lake", "hr/x"), "a")]), "a").is_tainted


def test_output_without_a_schema_is_tainted_by_inputs_that_no_column_names() -> None:
    facet = lineage(a=[source(CRM, "a")])
    assert not output([dataset(CRM)], facet).is_tainted
    assert output([dataset(CRM), dataset(OTHER)], facet).is_tainted
    assert output([dataset(CRM)], lineage()).is_tainted
    assert not output([dataset(CRM), dataset(OTHER)], facet, "a").is_tainted


def test_outputs_of_one_event_are_looked_at_together() -> None:
    one, other = (lineage(a=[source(of, "a")]) for of in (CRM, OTHER))
    outputs = [dataset(MART, columnLineage=one), dataset(LAKE, columnLineage=other)]
    found = taken(run([dataset(CRM), dataset(OTHER)], outputs))
    assert [written.is_tainted for written in found.outputs] == [False, False]
