import pyarrow as pa
import pytest

from masker.arrow import schema

KINDS = {
    "text": [pa.string(), pa.large_string(), pa.string_view()],
    "binary": [pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3)],
    "integer": [pa.int8(), pa.uint64()],
    "decimal": [pa.decimal128(5, 2), pa.decimal256(50, 2)],
    "float": [pa.float16(), pa.float64()],
    "bool": [pa.bool_()],
    "date": [pa.date32(), pa.date64()],
    "timestamp": [pa.timestamp("ns", "UTC")],
    "time": [pa.time32("s"), pa.time64("us"), pa.duration("s")],
    "null": [pa.null()],
    "struct": [pa.struct([("a", pa.int8())])],
    "list": [pa.list_(pa.int8()), pa.large_list(pa.int8()), pa.list_(pa.int8(), 2)],
    "map": [pa.map_(pa.string(), pa.int8())],
    "other": [pa.month_day_nano_interval(), pa.dictionary(pa.int8(), pa.list_(pa.int8()))],
}
PLAIN = [each for kind, types in KINDS.items() if kind not in {*schema.NESTED, "other", "null"} for each in types]


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_has_its_kind_also_in_a_dictionary(kind):
    for data_type in KINDS[kind]:
        assert schema.kind(data_type) == kind
        if kind in {"text", "binary", "integer"}:
            assert schema.kind(pa.dictionary(pa.int32(), data_type)) == kind


@pytest.mark.parametrize("data_type", PLAIN, ids=str)
def test_the_name_of_a_type_is_read_back(data_type):
    if schema.kind(data_type) in {"text", "binary", "integer", "decimal"}:  # what a token can have been
        assert schema.parse_type(schema.type_name(data_type)) == data_type
        assert schema.parse_type(schema.type_name(pa.dictionary(pa.int8(), data_type))) == data_type


def test_the_name_of_no_type_is_none():
    assert schema.parse_type("nope") is None


def test_a_field_comes_before_those_below_it():
    inner = pa.struct([("zip", pa.string()), ("tags", pa.list_(pa.string()))])
    found = schema.walk(pa.schema([("a", inner), ("m", pa.map_(pa.string(), pa.int8()))]))
    assert [path for path, _ in found] == [
        ("a",),
        ("a", "zip"),
        ("a", "tags"),
        ("a", "tags", None),
        ("m",),
        ("m", None, "key"),
        ("m", None, "value"),
    ]


def test_paths_that_occur_twice_are_found():
    twice = pa.schema([("a", pa.struct([("b", pa.int8()), ("b", pa.int8())])), ("c", pa.int8())])
    assert schema.duplicates(twice) == ["a.b"]
    assert schema.duplicates(pa.schema([("a", pa.int8())])) == []


@pytest.mark.parametrize("nested", [each for kind in schema.NESTED for each in KINDS[kind]], ids=str)
def test_a_nested_type_is_rebuilt_around_other_fields(nested):
    fields = [pa.field(field.name, pa.string(), field.nullable) for _, field in schema.children(nested)]
    made = schema.rebuilt_type(nested, fields)
    assert type(made) is type(nested)
    assert [field.type for _, field in schema.children(made)] == [pa.string()] * len(fields)


def test_metadata_that_can_hold_values_is_left_out():
    field = pa.field("c", pa.int8(), metadata={"other": "1", "placet.mask": "old", "ARROW:Statistics": "x"})
    made = schema.field_with(field, pa.string(), nullable=True, facts={"mask": "token"})
    assert made.metadata == {b"placet.mask": b"token"}
    assert schema.facts(made) == {"mask": "token"}
    assert schema.schema_with([made]).metadata is None
    assert schema.facts(pa.field("c", pa.int8(), metadata={"placet.domain": "d", "placet.other": "x"})) == {
        "domain": "d"
    }


@pytest.mark.parametrize(
    ("key", "value", "masked", "clear"),
    [
        ("PARQUET:field_id", "17", True, True),
        ("PARQUET:field_id", "-1", True, True),
        ("PARQUET:field_id", "Ann", False, False),
        ("PARQUET:field_id", "4111111111111111", False, False),
        ("ARROW:extension:name", "arrow.parquet.variant", False, True),
        ("ARROW:extension:name", "arrow.opaque", False, False),
        ("ARROW:extension:name", "Ann", False, False),
        ("ARROW:extension:metadata", "{}", False, False),
    ],
)
def test_of_other_metadata_numbers_of_fields_and_names_of_arrows_types_stay(key, value, masked, clear):
    field = pa.field("c", pa.string(), metadata={key: value})
    for is_clear, stays in ((False, masked), (True, clear)):
        made = schema.field_with(field, pa.string(), nullable=True, facts={}, is_clear=is_clear)
        assert made.metadata == ({key.encode(): value.encode()} if stays else None)


@pytest.mark.parametrize(
    ("data_type", "least", "most"),
    [(pa.int8(), -128, 127), (pa.uint16(), 0, 65_535), (pa.dictionary(pa.int8(), pa.uint8()), 0, 255)],
)
def test_the_range_of_an_integer_type(data_type, least, most):
    assert schema.integer_range(data_type) == (least, most)


@pytest.mark.parametrize(
    ("data_type", "counts"),
    [(pa.date32(), 1), (pa.date64(), 86_400_000), (pa.timestamp("s"), 86_400), (pa.timestamp("ns"), 86_400 * 10**9)],
)
def test_a_day_has_this_many_counts(data_type, counts):
    assert schema.counts_per_day(data_type) == counts


def test_a_schema_survives_its_bytes():
    given = schema.schema_of({"a": "int64", "b": "date32", "c": "decimal128(9, 2)"})
    assert schema.from_bytes(schema.to_bytes(given)).equals(given)
