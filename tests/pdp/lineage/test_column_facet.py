from typing import Any

import pytest

from pdp.lineage.fact import Dataset, Edge, Output, Way
from tests.pdp.openlineage import CRM, MART, columns, dataset, lineage, run, source, taken


def output(facet: Any, **writer: Any) -> Output:
    return taken(run([dataset(CRM, schema=columns("a", "b"))], [dataset(MART, columnLineage=facet)]), **writer).outputs[
        0
    ]


@pytest.mark.parametrize(
    ("kinds", "ways", "how"),
    [
        ([], ["carry"], ""),
        (["DIRECT/IDENTITY"], ["carry"], "DIRECT/IDENTITY"),
        (["DIRECT/AGGREGATION"], ["carry"], "DIRECT/AGGREGATION"),
        (["DIRECT/NEW_KIND"], ["carry"], "DIRECT/NEW_KIND"),
        (["NEW/"], ["carry"], "NEW"),
        (["INDIRECT/JOIN"], ["indirect"], "INDIRECT/JOIN"),
        (["INDIRECT/FILTER"], ["indirect"], "INDIRECT/FILTER"),
        (["INDIRECT/GROUP_BY"], ["indirect"], "INDIRECT/GROUP_BY"),
        (["INDIRECT/SORT"], ["indirect"], "INDIRECT/SORT"),
        (["INDIRECT/WINDOW"], ["indirect"], "INDIRECT/WINDOW"),
        (["INDIRECT/CONDITIONAL"], ["carry"], "INDIRECT/CONDITIONAL"),
        (["INDIRECT/NEW_KIND"], ["carry"], "INDIRECT/NEW_KIND"),
        (["INDIRECT/"], ["carry"], "INDIRECT"),
        (["indirect/join"], ["carry"], ""),
        (["INDIRECT/JOIN", "DIRECT/IDENTITY"], ["carry"], "INDIRECT/JOIN DIRECT/IDENTITY"),
        (["INDIRECT/JOIN", "INDIRECT/FILTER"], ["indirect"], "INDIRECT/JOIN INDIRECT/FILTER"),
    ],
)
def test_input_carries_whatever_any_transformation_carries(kinds: list[str], ways: list[str], how: str) -> None:
    edges = output(lineage(x=[source(CRM, "a", *kinds)])).edges
    assert [(edge.way.value, edge.how) for edge in edges] == [(way, how) for way in ways]


@pytest.mark.parametrize(
    ("facet", "trusted", "untrusted"),
    [
        (lineage(x=[source(CRM, "a", "DIRECT/TRANSFORMATION", masking=True)]), {Way.MASKED}, {Way.CARRY}),
        (lineage(x=[source(CRM, "a", "INDIRECT/CONDITIONAL", masking=True)]), {Way.MASKED}, {Way.CARRY}),
        (lineage(x=[source(CRM, "a", "INDIRECT/JOIN", masking=True)]), {Way.INDIRECT}, {Way.INDIRECT}),
        (lineage(x=[source(CRM, "a", "DIRECT/IDENTITY", masking="true")]), {Way.CARRY}, {Way.CARRY}),  # type: ignore[arg-type]
        (
            lineage(
                x=[source(CRM, "a", transformations=[{"type": "DIRECT", "masking": True}, {"type": "DIRECT"}])],
            ),
            {Way.CARRY},
            {Way.CARRY},
        ),
        (
            lineage(
                x=[
                    source(
                        CRM,
                        "a",
                        transformations=[
                            {"type": "DIRECT", "masking": True},
                            {"type": "INDIRECT", "subtype": "JOIN"},
                        ],
                    )
                ],
            ),
            {Way.MASKED, Way.INDIRECT},
            {Way.CARRY},
        ),
        (
            {"fields": {"x": {"inputFields": [source(CRM, "a")], "transformationType": "MASKED"}}},
            {Way.MASKED},
            {Way.CARRY},
        ),
        (
            {"fields": {"x": {"inputFields": [source(CRM, "a")], "transformationType": "IDENTITY"}}},
            {Way.CARRY},
            {Way.CARRY},
        ),
        (
            {"fields": {"x": {"inputFields": [source(CRM, "a", "DIRECT/IDENTITY")], "transformationType": "MASKED"}}},
            {Way.CARRY},
            {Way.CARRY},
        ),
        ({"fields": {"x": {"inputFields": [source(CRM, "a")], "transformationType": ["x"]}}}, {Way.CARRY}, {Way.CARRY}),
    ],
)
def test_masking_counts_only_from_a_writer_who_is_trusted_with_it(
    facet: Any, trusted: set[Way], untrusted: set[Way]
) -> None:
    assert {edge.way for edge in output(facet, trust_masking=True).edges} == trusted
    assert {edge.way for edge in output(facet).edges} == untrusted


@pytest.mark.parametrize(
    ("mask", "way"),
    [("token", Way.MASKED), ("redact", Way.STOPPED), ("nullify", Way.STOPPED), ("REDACT", Way.MASKED)],
)
def test_only_masks_of_our_own_stop_a_tag(mask: str, way: Way) -> None:
    facet = lineage(x=[source(CRM, "a", transformations=[{"type": "DIRECT", "description": mask, "masking": True}])])
    event = run([dataset(CRM)], [dataset(MART, columnLineage=facet)])
    assert taken(event, is_own=True).outputs[0].edges[0].way is way
    assert taken(event, trust_masking=True).outputs[0].edges[0].way is Way.MASKED
    assert taken(event).outputs[0].edges[0].way is Way.CARRY


def test_claim_of_masking_that_is_not_believed_is_a_problem() -> None:
    facet = lineage(x=[source(CRM, "a", "DIRECT/HASH", masking=True)] * 3)
    event = run([dataset(CRM)], [dataset(MART, columnLineage=facet)])
    assert len(taken(event).problems) == 1
    assert not taken(event, trust_masking=True).problems


def test_fields_of_the_whole_dataset_are_edges_to_all_columns() -> None:
    found = output(lineage([source(CRM, "a", "INDIRECT/FILTER"), source(CRM, "b", "DIRECT/IDENTITY")], x=[]))
    assert set(found.edges) == {
        Edge("", CRM, "a", Way.INDIRECT, "INDIRECT/FILTER"),
        Edge("", CRM, "b", Way.CARRY, "DIRECT/IDENTITY"),
    }
    assert found.named == ("x",)


def test_star_is_every_column() -> None:
    found = output({"fields": {"*": {"inputFields": [source(CRM, "*")]}}})
    assert (found.edges, found.named) == ((Edge("", CRM, ""),), ())


def test_column_inside_another_one_carries_what_is_known_of_the_outer_one() -> None:
    event = run(
        [dataset(CRM, schema=columns("address"))],
        [dataset(MART, columnLineage=lineage(x=[source(CRM, "Address.street.no")]))],
    )
    assert set(taken(event).outputs[0].edges) == {Edge("x", CRM, "address.street.no"), Edge("x", CRM, "address")}
    assert set(output(lineage(x=[source(CRM, "a.b")])).edges) == {Edge("x", CRM, "a.b"), Edge("x", CRM, "a")}
    assert set(output(lineage(x=[source(CRM, "c.d")])).edges) == {Edge("x", CRM, "c.d")}


def test_names_in_facets_are_folded_as_those_of_inputs_are() -> None:
    dressed = Dataset("POSTGRESQL://etl:pw@CRM", "CRM.public.Customers/dt=1")
    assert output(lineage(X=[source(dressed, "Email")])).edges == (Edge("x", CRM, "email"),)


def test_facet_lineage_of_a_dataset_adds_to_its_column_lineage() -> None:
    explicit = {
        "inputs": [{"type": "DATASET", **dataset(CRM)}, {"type": "DATASET", **dataset(CRM), "field": "b"}],
        "fields": {"y": {"inputs": [{"type": "DATASET", **dataset(CRM)}]}},
    }
    both = dataset(MART, columnLineage=lineage(x=[source(CRM, "a")]), lineage=explicit)
    found = taken(run(outputs=[both]))
    assert found.inputs == (CRM,)
    assert found.outputs[0].named == ("x", "y")
    assert set(found.outputs[0].edges) == {Edge("x", CRM, "a"), Edge("y", CRM, ""), Edge("", CRM, "b")}


def test_one_facet_that_is_not_sound_leaves_the_other() -> None:
    both = dataset(MART, columnLineage=lineage(x=[source(CRM, "a")]), lineage={"fields": 7})
    found = taken(run([dataset(CRM)], [both]))
    assert found.outputs[0].named == ("x",)
    assert [path for path, _ in found.problems] == ["outputs[0].facets.lineage.fields"]


def test_column_facet_of_an_input_is_not_read() -> None:
    found = taken(run([dataset(CRM, columnLineage=lineage(x=[source(MART, "a")]))]))
    assert not found.outputs
    assert [path for path, _ in found.problems] == ["inputs[0].facets.columnLineage"]
