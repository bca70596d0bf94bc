"""The bare function on real executors."""

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa

import masker
from masker import keys as keyfile
from masker import spark as bare

TYPES = {"id": "int64", "name": "string"}
MASKS = [{"column": "id", "mask": "clear"}, {"column": "name", "domain": "person"}]


def test_executors_mask_as_everyone_does(spark: Any, tmp_path: Path) -> None:
    key_file = tmp_path / "k"
    keyfile.create(key_file, "test", now=dt.datetime.now(dt.UTC))
    rows = [(number, None if number == 3 else f"person {number}") for number in range(10)]
    frame = spark.createDataFrame(rows, "id bigint, name string").repartition(3)
    schema = pa.schema([("id", pa.int64()), ("name", pa.string())])
    plan = masker.plan(schema, MASKS, {"person": {"mask": "token"}}, key_version=1)
    masked = frame.mapInArrow(bare.masking(plan.to_json(), str(key_file)), "id bigint, name string")
    table = pa.table({"id": [row[0] for row in rows], "name": [row[1] for row in rows]}, schema=schema)
    here = masker.mask(table, plan, masker.Keyring.load(key_file))
    assert sorted(map(tuple, masked.collect())) == sorted(zip(*here.to_pydict().values(), strict=True))
