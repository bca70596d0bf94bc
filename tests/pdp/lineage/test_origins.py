"""A column that leaves has every tag that its resource's view gave it, and reading it adds nothing to the resource."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdp.lineage.fact import Classified, Dataset, Event, Fact, Tagged, Tagging
from pdp.lineage.graph import Graph
from pdp.lineage.leaving import Leaving, stand_in
from pdp.lineage.origins import EVERYTHING, Origin, Origins
from pdp.lineage.view import Revision
from pdp.lineage.views import Views
from pdp.lineage_settings import LineageSettings
from pdp.sensitivity import UNCLASSIFIED
from tests.pdp.openlineage import CRM, taken

STAND_IN = stand_in("demo", "table", "customers")
FOLDER, CHILD, OTHER = (Dataset("s3://lake", name) for name in ("raw", "raw/customers", "raw/orders"))
DECISION = "dec_01890000000070008000000000000001"


def views(*facts: Fact, **options: Any) -> Views:
    graph = Graph()
    found = Views(graph, LineageSettings.model_validate(options))
    graph.apply([(1, facts)])
    return found


def classified(dataset: Dataset = CRM, **columns: list[str]) -> Classified:
    return Classified(by="user:bob", at=1, dataset=dataset, columns=columns)


def tagged(dataset: Dataset, tag: str) -> Tagged:
    return Tagged(by="user:bob", at=1, tagging=Tagging(dataset, "", tag))


def met(*datasets: Dataset, aliases: Sequence[tuple[Dataset, Dataset]] = ()) -> Event:
    return Event(by="workload:etl", at=1, event="00", inputs=datasets, aliases=aliases)


def origins(found: Views, resource_id: str = "customers") -> Origins:
    return found.origins("table", resource_id, STAND_IN)


def test_column_comes_from_the_dataset_that_lists_it() -> None:
    found = origins(views(classified(email=["pii"], id=[])))
    assert (found.datasets, found.columns) == ([CRM], ["email", "id"])
    assert found.of("EMAIL") == [(CRM, "email")]


def test_column_that_nothing_lists_is_a_new_one_of_the_dataset() -> None:
    assert origins(views(classified(email=["pii"]))).of("Phone") == [(CRM, "Phone")]


def test_nested_column_comes_from_what_is_around_it_too() -> None:
    found = origins(views(classified(**{"home": ["pii"], "home.street": [], "work": []})))
    assert found.of("home.street") == [(CRM, "home.street"), (CRM, "home")]
    assert found.of("work.street") == [(CRM, "work"), (CRM, "work.street")]


def test_dataset_that_does_not_list_the_column_gives_what_is_said_of_it_as_a_whole() -> None:
    other = Dataset("s3://lake", "customers")
    some = classified(email=["pii"]), classified(other, name=[])
    assert origins(views(*some)).of("email") == [(CRM, "email")]
    assert origins(views(*some, tagged(other, "secret"))).of("email") == [(CRM, "email"), (other, EVERYTHING)]


def test_dataset_without_columns_may_have_it_and_leaves_the_columns_of_an_export_unknown() -> None:
    other = Dataset("s3://lake", "customers")
    found = origins(views(classified(email=["pii"]), met(other)))
    assert found.of("email") == [(CRM, "email"), (other, "email")]
    assert not found.columns


def test_names_of_one_dataset_are_one_origin() -> None:
    other = Dataset("s3://lake", "customers")
    some = classified(email=["pii"]), classified(other, name=[]), met(aliases=[(CRM, other)])
    found = origins(views(*some, tagged(other, "secret")))
    assert found.datasets == [CRM]
    assert found.of("email") == [(CRM, "email")]
    assert found.of("name") == [(other, "name")]


def test_folder_gives_the_columns_of_what_lies_in_it() -> None:
    found = origins(views(classified(CHILD, email=["pii"]), classified(OTHER, id=[]), met(FOLDER)), "raw")
    assert (found.datasets, found.columns) == ([FOLDER], ["email", "id"])
    assert found.of("email") == [(CHILD, "email")]
    assert found.of("zip") == [(FOLDER, EVERYTHING), (STAND_IN, "zip")]


@pytest.mark.parametrize(
    ("resource_id", "expected"),
    [
        ("customers", STAND_IN),
        ("s3://lake/new/t", Dataset("s3://lake", "new/t")),
        ("public:new!", Dataset("postgres://crm:5432", "crm.public.new")),
    ],
)
def test_resource_that_is_not_known_is_what_the_configuration_or_its_id_says(
    resource_id: str, expected: Dataset
) -> None:
    entry = {"type": "table", "id": "{schema}:{table}!", "namespace": "postgres://crm", "name": "crm.{schema}.{table}"}
    found = origins(views(resources=[entry]), resource_id)
    assert found.datasets == [expected]
    assert found.of("email") == [(expected, "email")]


def test_resource_that_is_not_known_and_lies_above_others_is_a_folder() -> None:
    found = origins(views(classified(CHILD, email=["pii"])), "s3://lake/raw")
    assert found.of("email") == [(FOLDER, EVERYTHING), (STAND_IN, "email")]
    assert not found.columns


def test_tag_of_a_whole_folder_leaves_with_each_column_of_the_resource() -> None:
    facts = [classified(CRM, email=[]), tagged(FOLDER, "whole"), met(aliases=[(FOLDER, CHILD)])]
    assert (FOLDER, EVERYTHING) in origins(views(*facts), "customers").of("email")


def test_resource_that_could_be_too_many_comes_from_all_of_them() -> None:
    many = [Dataset("s3://lake", f"{number}/customers") for number in range(17)]
    assert sorted(origins(views(met(*many))).datasets) == sorted(many)


def test_nothing_is_known_of_an_origin_without_columns() -> None:
    assert Origins(STAND_IN, [Origin(CRM)]).columns == []


names = st.sampled_from(["email", "id", "home", "home.street", "new"])
tags = st.lists(st.sampled_from(["pii", "secret"]), max_size=2)
datasets = st.sampled_from([CRM, FOLDER, CHILD, OTHER, Dataset("s3://lake", "customers")])
facts = st.one_of(
    st.builds(lambda one, columns: classified(one, **columns), datasets, st.dictionaries(names, tags, max_size=3)),
    st.builds(tagged, datasets, st.sampled_from(["whole", "pii"])),
    st.builds(met, datasets),
    st.builds(lambda one, other: met(aliases=[(one, other)]), datasets, datasets),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(facts, max_size=6), st.sampled_from(["customers", "raw", "s3://lake/raw", "x"]), st.data())
def test_what_leaves_has_every_tag_of_before_and_reading_it_adds_none_that_was_not_there(
    some: list[Fact], resource_id: str, data: st.DataObject
) -> None:
    masks = data.draw(st.dictionaries(names, st.sampled_from([["clear"], ["token"], ["redact"]]), min_size=1))
    graph = Graph()
    found = Views(graph, LineageSettings())
    graph.apply([(1, some)])
    before = found.columns_of("table", resource_id, list(masks))
    whole = _of_others(found, {one: {} for one in graph.structure.nodes.datasets}, masks)
    leaving = Leaving("demo", DECISION, resource_id, origins(found, resource_id), None, masks, 1)
    graph.apply([(2, [taken(leaving.event, is_own=True, may_classify=True)])])
    after = found.columns_of("file", f"placet://demo/{leaving.target.name}", list(masks))
    for name, [mask] in masks.items():
        assert _left(before[name], mask) <= set(after[name])
    assert _of_others(found, whole, masks) == whole


def _of_others(found: Views, known: Iterable[Dataset], masks: Mapping[str, Any]) -> Mapping[Dataset, Any]:
    """The tags of columns that did not leave, of each of these datasets."""
    columns = {one: found.view("table", "/".join(one), Revision()).columns for one in known}
    return {one: {name: tags for name, tags in some.items() if name not in masks} for one, some in columns.items()}


def _left(tags: Sequence[str], mask: str) -> set[str]:
    """What of these tags goes through a mask."""
    if mask == "redact":
        return {*tags} & {UNCLASSIFIED}
    return {*tags} if mask == "clear" else {tag if tag == UNCLASSIFIED else f"{tag}:masked" for tag in tags}
