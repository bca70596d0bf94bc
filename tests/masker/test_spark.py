import datetime as dt
import json

import pyarrow as pa
import pytest

import masker
from masker import keys as keyfile
from masker import spark


def frame_schema(*fields):
    """What `df.schema.json()` gives of columns (name, type, nullable)."""
    listed = [{"name": name, "type": said, "nullable": nullable, "metadata": {}} for name, said, nullable in fields]
    return json.dumps({"type": "struct", "fields": listed})


@pytest.fixture
def key_file(tmp_path):
    keyfile.create(tmp_path / "k", "test", now=dt.datetime.now(dt.UTC))
    return str(tmp_path / "k")


def planned(schema, *masks, **options):
    domains = {"id": {"mask": "token"}, "n": {"mask": "fpe", "alphabet": "0123456789"}}
    return masker.plan(schema, masks, domains, key_version=1, **options)


def test_an_executor_masks_its_batches_as_everyone_does(key_file):
    table = pa.table({"c": ["a", None, "b"]})
    plan = planned(table.schema, {"column": "c", "domain": "id"})
    made = list(spark.masking(plan.to_json(), key_file)(table.to_batches(2)))
    whole = masker.mask(table, plan, masker.Keyring.load(key_file))
    assert pa.Table.from_batches(made)["c"].to_pylist() == whole["c"].to_pylist()
    assert made[0].schema.equals(plan.output_schema, check_metadata=True)


def test_a_batch_in_the_time_zone_of_the_session_is_that_of_the_plan():
    given = frame_schema(("at", "timestamp", False), ("n", "string", True))
    plan = planned(spark.schema_of(given), {"column": "at", "mask": "clear"}, {"column": "n", "mask": "clear"})
    now = dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)
    batch = pa.record_batch(
        [pa.array([now], pa.timestamp("us", "Etc/UTC")), pa.array(["a"], pa.large_string())], ["at", "n"]
    )
    (made,) = spark.masking(plan.to_json())([batch])
    assert made.to_pylist() == [{"at": now, "n": "a"}]
    assert made.schema.types == [pa.timestamp("us", "UTC"), pa.string()]


def test_a_refusal_names_table_column_part_and_row_and_no_value(key_file):
    table = pa.table({"c": ["12345678", "not digits"]})
    plan = planned(table.schema, {"column": "c", "domain": "n"}, table="crm.customers")
    batches = table.slice(0, 1).to_batches() * 1_234 + table.slice(1).to_batches()
    with pytest.raises(masker.MaskError) as caught:
        list(spark.masking(plan.to_json(), key_file)(batches))
    assert str(caught.value) == "table crm.customers, column c, row 1,234: the value does not fit its mask"
    assert caught.value.__context__ is None


def test_other_columns_are_named():
    given = frame_schema(
        ("a", "string", True),
        ("b", {"type": "struct", "fields": [{"name": "x", "type": "integer", "nullable": True, "metadata": {}}]}, True),
    )
    plan = planned(spark.schema_of(given), {"column": "a", "mask": "clear"}, {"column": "b", "mask": "clear"})
    b = pa.array([{"x": 1}], pa.struct([("x", pa.int64())]))
    batch = pa.record_batch([pa.array(["a"]), b], ["a", "b"])
    wanted = "are not those of the plan: column b.x is int64, and the plan has int32"
    with pytest.raises(masker.MaskError, match=wanted):
        list(spark.masking(plan.to_json())([batch]))


def test_what_comes_out_has_the_types_of_spark_that_went_in():
    given = frame_schema(
        ("a", "interval day to second", True),
        ("b", {"type": "map", "keyType": "string", "valueType": "decimal(38,3)", "valueContainsNull": False}, False),
        ("c", "integer", False),
    )
    masks = [{"column": "a", "mask": "clear"}, {"column": "b", "mask": "clear"}, {"column": "c", "domain": "id"}]
    made = spark.output_of(planned(spark.schema_of(given), *masks), given)
    told = json.loads(given)["fields"]
    assert made["fields"][:2] == told[:2]
    assert made["fields"][2] == {"name": "c", "type": "string", "nullable": False, "metadata": {}}


def test_a_null_where_the_plan_has_none_is_refused_and_does_not_become_a_value():
    given = frame_schema(("n", "string", False))
    plan = planned(spark.schema_of(given), {"column": "n", "mask": "clear"})
    batch = pa.record_batch([pa.array(["a", None])], ["n"])
    wanted = r"^column n, row 1: the value is null, and the plan says that its column has no nulls$"
    with pytest.raises(masker.MaskError, match=wanted):
        list(spark.masking(plan.to_json())([batch]))


def test_columns_of_a_numbered_frame_get_their_names_back():
    given = frame_schema(("a.b", "string", True), ("A.B", "string", True))
    plan = planned(spark.schema_of(given), *[{"column": f'["{name}"]', "mask": "clear"} for name in ("a.b", "A.B")])
    batch = pa.record_batch([pa.array(["a"]), pa.array(["b"])], ["column 0", "column 1"])
    (made,) = spark.masking(plan.to_json())([batch])
    assert made.to_pylist() == [{"a.b": "a", "A.B": "b"}]
