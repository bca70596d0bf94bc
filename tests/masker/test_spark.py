import datetime as dt

import pyarrow as pa

import masker
from masker import keys as keyfile
from masker import spark


def test_an_executor_masks_its_batches_as_everyone_does(tmp_path):
    keyfile.create(tmp_path / "k", "test", now=dt.datetime.now(dt.UTC))
    table = pa.table({"c": ["a", None, "b"]})
    plan = masker.plan(table.schema, [{"column": "c", "domain": "id"}], {"id": {"mask": "token"}}, key_version=1)
    made = list(spark.masking(plan.to_json(), str(tmp_path / "k"))(table.to_batches(2)))
    whole = masker.mask(table, plan, masker.Keyring.load(tmp_path / "k"))
    assert pa.Table.from_batches(made)["c"].to_pylist() == whole["c"].to_pylist()
    assert made[0].schema.equals(plan.output_schema, check_metadata=True)
