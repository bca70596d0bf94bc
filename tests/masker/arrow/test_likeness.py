import datetime as dt

import pyarrow as pa
import pytest

from masker.arrow.likeness import as_type, difference

UTC, BERLIN = pa.timestamp("us", "UTC"), pa.timestamp("us", "Europe/Berlin")
MOMENT = dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)


def nested(instant, text, *, nullable):
    """Each kind of nested type, with an instant and text in it."""
    pair = pa.struct([pa.field("t", instant, nullable), pa.field("s", text, nullable)])
    return {
        "struct": pair,
        "list": pa.list_(pa.field("element" if nullable else "item", pair, nullable)),
        "large_list": pa.large_list(pair),
        "fixed": pa.list_(pair, 2),
        "map": pa.map_(text, pa.field("value", pair, nullable)),
    }


ONE = {"t": MOMENT, "s": "a"}
VALUES = {
    "struct": [ONE, None, ONE],
    "list": [[ONE], None, [], [ONE, ONE]],
    "large_list": [[ONE], None, [ONE, ONE]],
    "fixed": [[ONE, ONE], None, [ONE, ONE]],
    "map": [[("k", ONE)], None, [], [("a", ONE), ("b", ONE)]],
}


@pytest.mark.parametrize("kind", VALUES)
def test_arrays_take_the_planned_type_and_keep_their_values(kind):
    found = nested(BERLIN, pa.large_string(), nullable=False)[kind]
    planned = nested(UTC, pa.string(), nullable=True)[kind]
    assert difference(pa.schema([("c", found)]), pa.schema([("c", planned)])) == ""
    for array in (pa.array(VALUES[kind], found), pa.array(VALUES[kind], found).slice(1)):
        made = as_type(array, planned)
        made.validate(full=True)
        assert made.type == planned
        assert made.to_pylist() == pa.array(VALUES[kind], planned).to_pylist()[-len(made) :]


def table_of(data_type):
    return pa.schema([("a", data_type)])


LOCAL, DAY = pa.timestamp("us"), pa.date32()


@pytest.mark.parametrize(
    ("found", "planned", "sentence"),
    [
        (pa.int32(), pa.int64(), "column a is int32, and the plan has int64"),
        (UTC, LOCAL, "column a is timestamp[us, tz=UTC], and the plan has timestamp[us]"),
        (LOCAL, pa.timestamp("ns"), "column a is timestamp[us], and the plan has timestamp[ns]"),
        (pa.list_(LOCAL), pa.list_(DAY), "column a[] is timestamp[us], and the plan has date32[day]"),
        (pa.list_(DAY, 2), pa.list_(DAY, 3), f"column a is {pa.list_(DAY, 2)}, and the plan has {pa.list_(DAY, 3)}"),
        (
            pa.struct([("x", DAY)]),
            pa.struct([("y", DAY)]),
            "column a has other fields: it is struct<x: date32[day]>, and the plan has struct<y: date32[day]>",
        ),
    ],
)
def test_another_type_is_named(found, planned, sentence):
    assert difference(table_of(found), table_of(planned)) == sentence


@pytest.mark.parametrize(
    ("found", "planned", "sentence"),
    [
        ("a", "", "column a is not in the plan"),
        ("", "a", "column a is missing"),
        ("A", "a", "column a is missing"),
        ("ab", "ba", "column 1 is a, and the plan has b there"),
    ],
)
def test_another_name_is_named(found, planned, sentence):
    one, other = (pa.schema([(name, DAY) for name in names]) for names in (found, planned))
    assert difference(one, other) == sentence
