from typing import Any

import pytest

from pdp.lineage.fact import Dataset
from tests.pdp.openlineage import CRM, columns, dataset, run, taken


def tagged(*tags: Any, **writer: Any) -> tuple[list[tuple[str, str]], list[str]]:
    """The tags of an input with these, and the paths of its problems."""
    found = taken(run([dataset(CRM, schema=columns("email", "address"), tags={"tags": list(tags)})]), **writer)
    return [(one.column, one.tag) for one in found.tags], [path for path, _ in found.problems]


@pytest.mark.parametrize(
    ("tag", "wanted"),
    [
        ({"key": "PII"}, [("", "pii")]),
        ({"key": "pii", "value": "true"}, [("", "pii")]),
        ({"key": "pii", "value": True}, [("", "pii")]),
        ({"key": " pii ", "value": " TRUE "}, [("", "pii")]),
        ({"key": "pii", "value": "Email", "field": "Email", "source": "x"}, [("email", "pii=email")]),
        ({"key": "pii", "field": "address.street"}, [("address.street", "pii"), ("address", "pii")]),
    ],
)
def test_tag_is_its_key_or_its_key_and_value(tag: Any, wanted: list[tuple[str, str]]) -> None:
    assert tagged(tag) == (wanted, [])


@pytest.mark.parametrize(
    ("tag", "wanted"),
    [
        ({"key": "pii", "value": "false"}, []),
        ({"key": "pii", "value": "FALSE"}, []),
        ({"key": "unclassified"}, []),
        ({"key": "Unclassified", "value": "no"}, []),
        ({"key": "pii:masked"}, []),
        ({"key": "two words"}, []),
        ({"key": "x" * 65}, []),
        ({"key": "pii", "value": "very high!"}, [("", "pii")]),
        ({"key": "pii", "value": 7}, [("", "pii")]),
        ({"key": "pii", "value": None}, [("", "pii")]),
        ({"key": "pii", "value": "x" * 64}, [("", "pii")]),
    ],
)
def test_tag_that_cannot_be_set_is_a_problem_and_a_value_never_loses_its_key(tag: Any, wanted: list[Any]) -> None:
    found, paths = tagged(tag)
    assert found == wanted
    assert set(paths) == {"inputs[0].facets.tags.tags[0]"}


def test_tags_of_a_writer_who_may_not_tag_are_a_problem() -> None:
    assert tagged({"key": "pii"}, may_tag=False) == ([], ["inputs[0].facets.tags"])


@pytest.mark.parametrize(
    ("facets", "path"),
    [
        ({"schema": 7}, "inputs[0].facets.schema"),
        ({"schema": {"fields": 7}}, "inputs[0].facets.schema.fields"),
        ({"schema": {"fields": [{}]}}, "inputs[0].facets.schema.fields[0].name"),
        ({"symlinks": {}}, "inputs[0].facets.symlinks.identifiers"),
        ({"symlinks": {"identifiers": [{"name": "x"}]}}, "inputs[0].facets.symlinks.identifiers[0].namespace"),
        ({"tags": {"tags": [{"value": "x"}]}}, "inputs[0].facets.tags.tags[0].key"),
        ({"lifecycleStateChange": {}}, "inputs[0].facets.lifecycleStateChange.lifecycleStateChange"),
        (
            {"lifecycleStateChange": {"lifecycleStateChange": "RENAME"}},
            "inputs[0].facets.lifecycleStateChange.previousIdentifier.namespace",
        ),
    ],
)
def test_facet_that_is_not_sound_counts_as_missing(facets: dict[str, Any], path: str) -> None:
    found = taken(run([dataset(CRM, **facets)]))
    assert [where for where, _ in found.problems] == [path]
    assert (found.schemas, found.aliases, found.tags) == ({}, (), ())


def test_facets_that_are_no_object_count_as_missing() -> None:
    found = taken(run([dataset(CRM) | {"facets": 7}]))
    assert [where for where, _ in found.problems] == ["inputs[0].facets"]


def test_name_of_its_own_is_not_another_name() -> None:
    links = {"identifiers": [{"namespace": "postgresql://CRM", "name": "crm.public.CUSTOMERS"}]}
    found = taken(run([dataset(CRM, symlinks=links)]))
    assert not found.aliases
    assert found.inputs == (CRM,)


def test_columns_of_two_mentions_of_a_dataset_add_up() -> None:
    again = dataset(Dataset(CRM.namespace, CRM.name + "/dt=2"), schema=columns("B", "c"))
    assert taken(run([dataset(CRM, schema=columns("a", "b")), again])).schemas == {CRM: ("a", "b", "c")}
