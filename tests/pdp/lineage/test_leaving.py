import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.identifier import new
from pdp.lineage.fact import Classified, Dataset, Edge, Event, Fact, Way
from pdp.lineage.graph import Graph
from pdp.lineage.leaving import leaving, target
from pdp.lineage.views import Views
from pdp.lineage_settings import LineageSettings
from tests.pdp.openlineage import AT, CRM, taken

MASKS = {"id": "clear", "email": "token", "phone": "partial", "ssn": "redact", "note": "nullify"}
DECISION = "dec_01890000000070008000000000000001"


def left(**members: Any) -> bytes:
    given: dict[str, Any] = {
        "realm": "demo",
        "decision_id": DECISION,
        "resource": ("table", "public.customers"),
        "inputs": [CRM],
        "destination": "s3a://etl:secret@lake/out/customers/dt=1?sig=secret#x",
        "masks": MASKS,
        "at_ms": AT,
    }
    return leaving(**given | members)


def read(event: bytes) -> Event:
    return taken(event, is_own=True)


def test_masked_columns_come_back_with_what_each_mask_does_to_tags() -> None:
    found = read(left())
    [output] = found.outputs
    assert (found.run, found.job) == ("01890000-0000-7000-8000-000000000001", ("placet/demo", "mask.public.customers"))
    assert (found.event_time, found.inputs) == (AT, (CRM,))
    assert output.dataset == Dataset("s3://lake", "out/customers")
    assert output.columns == output.named == tuple(MASKS)
    ways = {edge.column: (edge.source, edge.source_column, edge.way) for edge in output.edges}
    assert ways == {
        "id": (CRM, "id", Way.CARRY),
        "email": (CRM, "email", Way.MASKED),
        "phone": (CRM, "phone", Way.MASKED),
        "ssn": (CRM, "ssn", Way.STOPPED),
        "note": (CRM, "note", Way.STOPPED),
    }
    assert not found.problems


def test_nothing_of_passwords_and_options_of_the_destination_leaves() -> None:
    assert b"secret" not in left()


def test_export_without_masks_carries_every_tag() -> None:
    [output] = read(left(masks=None)).outputs
    assert (output.named, output.edges) == (None, ())


@pytest.mark.parametrize("name", ["", "x" * 1025])
def test_column_that_cannot_be_named_makes_all_of_them_carry_everything(name: str) -> None:
    assert read(left(masks=MASKS | {name: "redact"})).outputs[0].named is None


def test_resource_without_datasets_is_a_dataset_of_its_own() -> None:
    assert read(left(inputs=[])).inputs == (Dataset("placet://demo", "table/public.customers"),)
    assert len(read(left(inputs=[], resource=("table", "é" * 600))).inputs[0].name.encode()) <= 1024


def test_several_datasets_feed_each_column() -> None:
    other = Dataset("s3://lake", "crm")
    found = read(left(inputs=[CRM, other], masks={"email": "token"}))
    assert {edge.source for edge in found.outputs[0].edges} == {CRM, other}


@pytest.mark.parametrize(
    ("destination", "namespace", "name"),
    [
        ("s3://lake/out/t", "s3://lake", "out/t"),
        ("postgres://dw:5432/mart.customers", "postgres://dw:5432", "mart.customers"),
        ("file:" + 3 * "/" + "data/out.csv", "file", "/data/out.csv"),
        *((other, "placet://demo", f"export/{DECISION}") for other in ("warehouse", "s3", "", None, 7, ["s3://a/b"])),
        *(
            (other, "placet://demo", f"export/{DECISION}")
            for other in ("s3://lake", "http://[/x", "s3://a/b\n", "s3:///x")
        ),
        ("s3://lake/" + "x" * 1025, "placet://demo", f"export/{DECISION}"),
    ],
)
def test_destination_is_the_output_where_it_is_a_uri_with_a_path(destination: Any, namespace: str, name: str) -> None:
    assert target(destination, "demo", DECISION) == Dataset(namespace, name)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(deadline=None)
@given(texts, texts, st.dictionaries(texts, st.sampled_from(["clear", "redact", "token"]), max_size=4))
def test_any_event_of_ours_is_taken(destination: str, resource: str, masks: dict[str, str]) -> None:
    event = left(destination=destination, resource=("table", resource or "t"), masks=masks, decision_id=new("dec"))
    found = read(event)
    named = found.outputs[0].named
    assert named is None or set(named) <= {edge.column for edge in found.outputs[0].edges}


def test_tag_travels_masked_and_what_is_redacted_loses_it() -> None:
    facts: list[Fact] = [
        Classified(by="user:bob", at=AT, dataset=CRM, columns={"id": [], "email": ["pii"], "ssn": ["pii"]}),
        read(left(masks={"id": "clear", "email": "token", "ssn": "redact"})),
    ]
    graph = Graph()
    views = Views(graph, LineageSettings())
    graph.apply([(1, facts)])
    found = views.columns_of("file", "s3://lake/out/customers", ["id", "email", "ssn"])
    assert {name: [tag for tag in tags if tag != "unclassified"] for name, tags in found.items()} == {
        "id": [],
        "email": ["pii:masked"],
        "ssn": [],
    }


def test_event_is_json_without_values() -> None:
    assert json.loads(left())["outputs"][0]["facets"]["columnLineage"]["fields"]["email"] == {
        "inputFields": [
            {
                **CRM._asdict(),
                "field": "email",
                "transformations": [
                    {"type": "DIRECT", "subtype": "TRANSFORMATION", "description": "token", "masking": True}
                ],
            }
        ]
    }
    assert Edge("email", CRM, "email", Way.MASKED, "DIRECT/TRANSFORMATION") in read(left()).outputs[0].edges
