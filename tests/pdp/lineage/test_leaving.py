import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.identifier import new
from pdp.lineage.fact import Classified, Dataset, Edge, Event, Fact, Way
from pdp.lineage.graph import Graph
from pdp.lineage.leaving import MAX_BYTES, Leaving, stand_in
from pdp.lineage.name import Names
from pdp.lineage.origins import Origin, Origins
from pdp.lineage.resource import Resources
from pdp.lineage.views import Views
from pdp.lineage_settings import LineageSettings
from tests.pdp.openlineage import AT, CRM, taken

MASKS = {"id": ["clear"], "email": ["token"], "phone": ["partial"], "ssn": ["redact"], "note": ["nullify"]}
NAMED = {name: [(CRM, name)] for name in MASKS}
STAND_IN = stand_in("demo", "table", "public.customers")
DECISION = "dec_01890000000070008000000000000001"


def origins(*each: Origin) -> Origins:
    return Origins(STAND_IN, each)


def leaving(**members: Any) -> Leaving:
    given: dict[str, Any] = {
        "realm": "demo",
        "decision_id": DECISION,
        "table": "public.customers",
        "origins": origins(Origin(CRM, NAMED)),
        "destination": "s3a://etl:secret@lake/out/customers/dt=1?sig=secret#x",
        "masks": MASKS,
        "at_ms": AT,
    }
    return Leaving(**given | members)


def left(**members: Any) -> bytes:
    return leaving(**members).event


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


def test_export_without_masks_carries_the_tags_of_each_column_that_is_known() -> None:
    [output] = read(left(masks=None)).outputs
    assert output.named == tuple(sorted(MASKS))
    assert {(edge.column, edge.source_column, edge.way) for edge in output.edges} == {
        (name, name, Way.CARRY) for name in MASKS
    }


@pytest.mark.parametrize("each", [[Origin(CRM)], [Origin(CRM, NAMED), Origin(Dataset("s3://lake", "crm"))], []])
def test_export_of_which_not_every_column_is_known_carries_everything(each: list[Origin]) -> None:
    [output] = read(left(masks=None, origins=origins(*each))).outputs
    assert (output.named, output.edges) == (None, ())


@pytest.mark.parametrize("name", ["", "x" * 1025])
def test_column_that_cannot_be_named_makes_all_of_them_carry_everything(name: str) -> None:
    assert read(left(masks=MASKS | {name: ["redact"]})).outputs[0].named is None


@pytest.mark.parametrize("masks", [{}, {f"c{number}": ["token"] for number in range(10_001)}])
def test_none_and_too_many_columns_carry_everything(masks: Any) -> None:
    assert read(left(masks=masks)).outputs[0].named is None


def test_event_that_would_be_too_large_names_no_columns() -> None:
    many = [Origin(Dataset("s3://lake", f"{number}")) for number in range(16)]
    masks = {f"{number:>0900}": ["token"] for number in range(300)}
    text = left(origins=origins(*many), masks=masks)
    assert len(text) < MAX_BYTES
    found = read(text)
    assert (found.outputs[0].named, len(found.inputs)) == (None, 16)


def test_column_with_json_in_it_carries_what_the_least_of_its_masks_lets_through() -> None:
    masks = {"a": ["redact", "token"], "b": ["clear", "token"], "c": ["nullify", "redact"], "d": [], "e": ["keep"]}
    ways = {edge.column: edge.way for edge in read(left(masks=masks)).outputs[0].edges}
    assert ways == {"a": Way.MASKED, "b": Way.CARRY, "c": Way.STOPPED, "d": Way.CARRY, "e": Way.CARRY}


def test_what_had_left_when_a_stream_broke_counts_as_well() -> None:
    text = left(is_whole=False)
    assert json.loads(text)["eventType"] == "ABORT"
    assert read(text).outputs == read(left()).outputs


def test_resource_without_datasets_is_a_dataset_of_its_own_that_no_resource_is() -> None:
    found = read(left(origins=origins(), destination=None))
    assert found.inputs == (Dataset("placet://demo", "public.customers (table)"),)
    long = stand_in("demo", "table", "é" * 600 + chr(7))
    assert len(long.name.encode()) == 1024
    assert read(left(origins=Origins(long), table=chr(7) * 2000)).inputs == (long,)
    graph = Graph()
    graph.apply([(1, [found])])
    nodes = graph.structure.nodes
    for name in ("customers", "public.customers", "table)", "x public.customers"):
        assert not Resources((), Names()).fitting("table", name, nodes, len(nodes.datasets))


def test_several_datasets_feed_each_column() -> None:
    other = Dataset("s3://lake", "crm")
    each = [Origin(CRM, NAMED), Origin(other, {"email": [(other, "email")]})]
    found = read(left(origins=origins(*each), masks={"email": ["token"]}))
    assert {edge.source for edge in found.outputs[0].edges} == {CRM, other}


def test_placet_knows_all_of_what_it_masked_and_put_nowhere() -> None:
    assert leaving(destination=None).is_made_here
    assert not leaving(destination=None, masks=None).is_made_here
    assert not leaving().is_made_here


@pytest.mark.parametrize(
    ("destination", "namespace", "name"),
    [
        ("s3://lake/out/t", "s3://lake", "out/t"),
        ("postgres://dw:5432/mart.customers", "postgres://dw:5432", "mart.customers"),
        ("file:" + 3 * "/" + "data/out.csv", "file", "/data/out.csv"),
        *(
            (other, "placet://demo", f"export/{DECISION}")
            for other in (
                *(
                    "warehouse",
                    "s3",
                    "",
                    None,
                    7,
                    ["s3://a/b"],
                    "s3://lake",
                    "s3://lake/k=v/x",
                    "http://[/x",
                    "s3://a/b\n",
                    "s3:///x",
                ),
                *("s3://lake/" + "x" * 1025, "placet://demo/export/dec_2", "PLACET://x@demo/a"),
            )
        ),
    ],
)
def test_destination_is_the_output_where_it_is_a_uri_with_a_path(destination: Any, namespace: str, name: str) -> None:
    assert leaving(destination=destination).target == Dataset(namespace, name)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@settings(deadline=None)
@given(texts, texts, st.dictionaries(texts, st.lists(st.sampled_from(["clear", "redact", "token"])), max_size=4))
def test_any_event_of_ours_is_taken(destination: str, table: str, masks: dict[str, list[str]]) -> None:
    unknown = Origins(stand_in("demo", "table", table))
    event = left(destination=destination, table=table, origins=unknown, masks=masks, decision_id=new("dec"))
    found = read(event)
    named = found.outputs[0].named
    assert named is None or set(named) <= {edge.column for edge in found.outputs[0].edges}


def test_tag_travels_masked_and_what_is_redacted_loses_it() -> None:
    facts: list[Fact] = [
        Classified(by="user:bob", at=AT, dataset=CRM, columns={"id": [], "email": ["pii"], "ssn": ["pii"]}),
        read(left(masks={"id": ["clear"], "email": ["token"], "ssn": ["redact"]})),
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
