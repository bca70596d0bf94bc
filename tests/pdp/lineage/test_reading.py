import pytest

from pdp.errors import InvalidRequest
from pdp.lineage.fact import Dataset
from pdp.lineage.name import Names
from pdp.lineage.reading import Reading, covers
from pdp.lineage.shape import OverLimit
from pdp.lineage_settings import LineageWriter
from tests.pdp.openlineage import CRM


def reading(*namespaces: str) -> Reading:
    return Reading(LineageWriter(namespaces=namespaces), Names(), is_own=False)


def test_dataset_is_foreign_outside_of_the_namespaces_of_its_writer() -> None:
    one = reading("postgres://crm:*")
    assert not one.is_foreign(one.dataset({"namespace": "postgresql://crm", "name": "t"}, "inputs[0]"))
    assert one.is_foreign(one.dataset({"namespace": "postgresql://hr", "name": "t"}, "inputs[0]"))


def test_only_different_datasets_are_counted() -> None:
    one = reading()
    for number in range(3000):
        one.dataset({"namespace": "s3://b", "name": f"t/day={number}"}, "inputs[0]")
    for number in range(999):
        one.dataset({"namespace": "s3://b", "name": f"t{number}"}, "inputs[0]")
    with pytest.raises(OverLimit, match="more than 1000 different datasets"):
        one.dataset({"namespace": "s3://b", "name": "one more"}, "inputs[0]")


def test_part_that_is_not_sound_is_excused_and_one_over_a_limit_is_not() -> None:
    one = reading()
    one.excuse(InvalidRequest.field("a", "is not a list"), "the facet counts as missing")
    assert list(one.problems) == [("a", "is not a list; the facet counts as missing")]
    with pytest.raises(OverLimit):
        one.excuse(OverLimit.field("a", "is long"), "")


def test_column_lies_in_those_of_the_schema_around_it() -> None:
    one = reading()
    one.schemas[CRM] = dict.fromkeys(["a", "a.b", "a.b.c.d", "x.y"])
    assert one.outer_columns(CRM, "a.b.c") == ["a", "a.b"]
    assert list(one.outer_columns(CRM, "x.y")) == []
    assert list(one.outer_columns(CRM, "x.z")) == []


def test_source_is_covered_by_its_own_name_or_a_folder_above_it() -> None:
    folder, part = Dataset("s3://b", "t"), Dataset("s3://b", "t/part-0")
    assert covers({folder: None}, part) == folder
    assert covers({folder: None, part: None}, part) == part
    assert covers({part: None}, folder) is None
