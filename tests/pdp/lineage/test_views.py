"""What decisions, records and masks get of a resource."""

import hashlib
import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
import rfc8785

from pdp.lineage.fact import Classified, Dataset, Edge, Event, Fact, Output, Tagged, Tagging, Unlinked
from pdp.lineage.graph import Graph
from pdp.lineage.view import Revision, State
from pdp.lineage.views import Views
from pdp.lineage_settings import LineageSettings

CRM = Dataset("postgres://crm:5432", "crm.public.customers")
REVISION = Revision(7, "ab")
RESOURCES = [{"type": "rows", "id": "{schema}:{table}", "namespace": "postgres://CRM", "name": "crm.{schema}.{table}"}]


def views(*facts: Fact, **settings: Any) -> Views:
    graph = Graph()
    found = Views(graph, LineageSettings.model_validate(settings))
    graph.apply([(1, facts)])
    return found


def classified(dataset: Dataset = CRM, **columns: list[str]) -> Classified:
    return Classified(by="user:bob", at=1, dataset=dataset, columns=columns)


def event(**members: Any) -> Event:
    return Event(by="workload:etl", at=1, event="00", **members)


def met(*datasets: Dataset) -> Event:
    return event(inputs=datasets)


def shown(found: Views, resource_id: str, resource_type: str = "table") -> Any:
    return json.loads(found.view(resource_type, resource_id, REVISION).json)


def test_view_is_canonical_json_with_revision_and_a_digest_without_it() -> None:
    found = views(classified(email=["pii", "contact"], id=[], ü=["pii"]))
    view = found.view("table", "crm.public.customers", REVISION)
    members = json.loads(view.json)
    assert members == {
        "coarse": False,
        "columns": {"email": ["contact", "pii"], "ü": ["pii"]},
        "datasets": [{"name": "crm.public.customers", "namespace": "postgres://crm:5432"}],
        "revision": {"head": "ab", "n": 7},
        "state": "KNOWN",
        "tags": ["contact", "pii"],
    }
    assert rfc8785.dumps(members) == view.json
    bound = rfc8785.dumps({key: members[key] for key in ("columns", "datasets", "tags")})
    assert view.digest == urlsafe_b64encode(hashlib.sha256(bound).digest()).rstrip(b"=").decode()
    later = found.view("table", "crm.public.customers", Revision(8, "cd"))
    assert (later.digest, json.loads(later.json)["revision"]) == (view.digest, {"head": "cd", "n": 8})


@pytest.mark.parametrize(
    "resource_id",
    [
        "customers", "public.customers", "PUBLIC.Customers", "crm.public.customers",
        "postgresql://crm/crm.public.customers", ".customers",
    ],
)  # fmt: skip
def test_resource_is_the_dataset_of_its_name_or_its_end(resource_id: str) -> None:
    assert shown(views(classified(email=["pii"])), resource_id)["tags"] == ["pii"]


@pytest.mark.parametrize("resource_id", ["ustomers", "lic.customers", "x.crm.public.customers", "", ".'"])
def test_resource_without_a_dataset_is_unclassified(resource_id: str) -> None:
    view = shown(views(classified(email=["pii"])), resource_id)
    assert (view["state"], view["tags"], view["columns"]) == ("UNKNOWN", ["unclassified"], {})


@pytest.mark.parametrize("resource_id", ["s3://lake/raw/orders", "s3a://lake/raw//orders/", "raw/orders", "orders"])
def test_file_is_found_by_its_address_and_by_its_end(resource_id: str) -> None:
    found = views(classified(Dataset("s3://lake", "raw/orders"), email=["pii"]))
    assert shown(found, resource_id, "file")["tags"] == ["pii"]


def test_entry_of_the_configuration_says_which_dataset() -> None:
    other = Dataset("postgres://hr:5432", "hr.public.customers")
    found = views(classified(email=["pii"]), classified(other, email=["hr"]), resources=RESOURCES)
    assert shown(found, "public:customers", "rows")["tags"] == ["pii"]
    assert shown(found, "public:nothing", "rows")["state"] == "UNKNOWN"
    assert shown(found, "public.customers")["tags"] == ["hr", "pii"]


def test_type_that_is_no_data_has_no_lineage() -> None:
    found = views(classified(email=["pii"]))
    assert found.view("service", "customers", REVISION).state == State.NONE
    assert found.view("service", "customers", REVISION).tags == ()
    assert found.columns_of("service", "customers", ["email"]) == {}


def test_all_that_fit_are_united_up_to_sixteen() -> None:
    several = [classified(Dataset(f"postgres://h{number}:5432", "a.t"), k=[f"t{number}"]) for number in range(17)]
    view = views(*several[:16]).view("table", "t", REVISION)
    assert (len(view.datasets), len(view.tags), len(view.columns["k"])) == (16, 16, 16)
    assert view.state == State.KNOWN


def test_with_more_each_column_has_the_tags_of_all_so_that_no_name_takes_one_away() -> None:
    several = [classified(Dataset(f"postgres://h{number}:5432", "a.t"), k=[f"t{number}"]) for number in range(17)]
    graph = Graph()
    found = Views(graph, LineageSettings())
    graph.apply([(1, several)])
    members = shown(found, "t")
    assert (members["state"], members["datasets"], members["columns"]) == ("AMBIGUOUS", [], {})
    assert members["tags"] == sorted([*(f"t{number}" for number in range(17)), "unclassified"])
    assert found.columns_of("table", "t", ["k", "new"]) == dict.fromkeys(["k", "new"], members["tags"])
    tagging = Tagging(Dataset("postgres://h3:5432", "a.t"), "k", "pii")
    graph.apply([(2, [Tagged(by="user:bob", at=1, tagging=tagging)])])
    assert "pii" in shown(found, "t")["tags"]


@pytest.mark.parametrize(("count", "length"), [(2001, 1), (300, 60)])
def test_too_many_columns_are_not_listed_but_counted(count: int, length: int) -> None:
    names = {f"{number}".rjust(length, "c"): ["pii"] for number in range(count)}
    found = views(classified(**names))
    view = found.view("table", "customers", REVISION)
    members = json.loads(view.json)
    assert (members["columns"], members["truncated"], members["tags"]) == ({}, True, ["pii"])
    assert len(view.columns) == count
    assert found.columns_of("table", "customers", [next(iter(names))]) == {next(iter(names)): ["pii"]}


def test_columns_are_those_of_the_caller_and_others_are_unclassified() -> None:
    found = views(classified(email=["pii"], id=[]), Tagged(by="user:bob", at=1, tagging=Tagging(CRM, "", "crm")))
    tags = found.columns_of("table", "customers", ["EMAIL", "id", "new"])
    assert tags == {"EMAIL": ["crm", "pii"], "id": ["crm"], "new": ["crm", "unclassified"]}
    assert found.columns_of("table", "nothing", ["a"]) == {"a": ["unclassified"]}


def test_folder_is_all_that_lies_below_it() -> None:
    below = Dataset("s3://lake", "raw/orders")
    found = views(met(Dataset("s3://lake", "raw")), classified(below, email=["pii"]))
    view = shown(found, "s3://lake/raw", "file")
    assert (view["columns"], view["tags"]) == ({"email": ["pii"]}, ["pii", "unclassified"])
    assert [one["name"] for one in view["datasets"]] == ["raw"]
    assert found.columns_of("file", "s3://lake/raw", ["email"]) == {"email": ["pii"]}


def test_names_that_are_one_dataset_have_one_view_until_a_person_parts_them() -> None:
    other = Dataset("hive://h:9083", "public.clients")
    found = views(classified(email=["pii"]), event(aliases=[(CRM, other)]))
    assert shown(found, "public.clients")["columns"] == {"email": ["pii"]}
    assert len(shown(found, "public.clients")["datasets"]) == 2
    found._graph.apply([(2, [Unlinked(by="user:bob", at=1, one=other, other=CRM)])])
    assert (shown(found, "public.clients")["tags"], shown(found, "customers")["tags"]) == ([], ["pii"])


def test_kept_view_follows_what_changes() -> None:
    source, target = Dataset("pg", "source"), Dataset("pg", "target")
    found = views(classified(source, k=[]), classified(target, k=[]), met(Dataset("pg", "other")))
    assert shown(found, "target")["tags"] == []
    link = Output(target, ["k"], ["k"], [Edge("k", source, "k")])
    found._graph.apply([(2, [event(outputs=[link])])])
    found._graph.apply([(3, [classified(source, k=["pii"])])])
    assert shown(found, "target")["tags"] == ["pii"]
    assert shown(found, "target")["coarse"] is False
    found._graph.apply([(4, [event(inputs=[source], outputs=[Output(target)])])])
    assert shown(found, "target")["coarse"] is True


def test_column_of_a_folder_has_what_all_columns_of_a_file_in_it_have() -> None:
    folder, part = Dataset("s3://lake", "out/t"), Dataset("s3://lake", "out/t/part-0")
    written = Event(by="workload:etl", at=1, event="00", inputs=(CRM,), outputs=(Output(part),))
    found = views(classified(email=["pii"]), classified(folder, email=[]), written)
    assert found.columns_of("file", "s3://lake/out/t", ["Email"]) == {"Email": ["pii"]}


def test_dataset_is_data_by_its_own_names_in_every_configuration() -> None:
    lake, folder = Dataset("s3://lake", "raw/orders"), Dataset("file", "/data/x")
    found = views(classified(lake, k=["pii"]), classified(folder, k=["far"]), types=["table"])
    assert shown(found, "s3://lake/raw/orders", "dataset")["tags"] == ["pii"]
    assert shown(found, "S3A://lake/raw/orders/", "dataset")["tags"] == ["pii"]
    assert shown(found, "file//data/x", "dataset")["tags"] == ["far"]
    for other in ("orders", "raw/orders", "s3://lake/raw", "s3://other/raw/orders"):
        assert shown(found, other, "dataset")["state"] == "UNKNOWN"
    assert shown(found, "s3://lake/raw/orders", "file") == {"state": "NONE"} | {
        key: value for key, value in shown(found, "x", "file").items() if key != "state"
    }


def test_names_are_all_columns_of_all_that_fits_also_those_without_tags() -> None:
    below = classified(Dataset("s3://lake", "raw/orders/eu"), city=[])
    found = views(classified(Dataset("s3://lake", "raw/orders"), email=["pii"], id=[]), below)
    assert found.names_of("file", "s3://lake/raw/orders") == ["city", "email", "id"]
    assert found.names_of("file", "s3://lake/nothing") == []
    assert found.names_of("service", "orders") == []
