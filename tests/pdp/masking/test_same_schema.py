"""The schema of a part is compared in what matters, and the first column that differs is named."""

import pyarrow as pa
import pytest

from pdp.errors import InvalidRequest
from pdp.masking.same_schema import require_same

PLACE = pa.struct([("zip", pa.string()), ("at", pa.timestamp("us", "UTC"))])
JOB = pa.schema([("id", pa.int64()), ("place", PLACE), ("tags", pa.map_(pa.string(), pa.int32()))])


def without(schema: pa.Schema, name: str, kind: pa.DataType) -> pa.Schema:
    return schema.set(schema.names.index(name), pa.field(name, kind))


@pytest.mark.parametrize(
    "schema",
    [
        JOB.with_metadata({"a": "b"}),
        pa.schema([field.with_nullable(False).with_metadata({"x": "y"}) for field in JOB]),
        without(JOB, "place", pa.struct([("zip", pa.string()), ("at", pa.timestamp("us", "Europe/Berlin"))])),
    ],
    ids=["metadata", "nullable", "zone"],
)
def test_what_does_not_matter(schema: pa.Schema) -> None:
    require_same(schema, JOB, "shape")


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        (without(JOB, "id", pa.int32()), "column id is int32 here and int64 in the job"),
        (without(JOB, "place", pa.struct([("zip", pa.string())])), "column tags stands where the job has place.at"),
        (without(JOB, "tags", pa.map_(pa.string(), pa.int64())), "column tags[].value is int64 here and int32"),
        (without(JOB, "tags", pa.list_(pa.string())), "column tags is list"),
        (
            without(JOB, "place", pa.struct([("zip", pa.string()), ("at", pa.timestamp("us"))])),
            "column place.at is timestamp[us] here and timestamp[us, tz=UTC] in the job",
        ),
        (JOB.remove(2), "column tags of the job is missing"),
        (JOB.append(pa.field("more", pa.string())), "column more is not in the job"),
        (JOB.set(0, pa.field("ID", pa.int64())), "column ID stands where the job has id"),
    ],
)
def test_what_differs_is_named(schema: pa.Schema, what: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        require_same(schema, JOB, "shape")
    assert what in refused.value.sentence


def test_fixed_size_of_a_list_matters() -> None:
    two, three = (pa.schema([("v", pa.list_(pa.int8(), size))]) for size in (2, 3))
    with pytest.raises(InvalidRequest, match="column v"):
        require_same(two, three, "shape")
