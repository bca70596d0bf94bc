import pyarrow as pa
import pytest

from masker.arrow.spark_schema import arrow_schema, spark_schema
from masker.errors import PlanRefused

UDT = {"type": "udt", "class": "org.example.Point", "pyClass": None, "sqlType": "string"}


def of(*fields):
    named = [{"name": name, "type": said, "nullable": nullable, "metadata": {}} for name, said, nullable in fields]
    return {"type": "struct", "fields": named}


def array(item, *, nulls=True):
    return {"type": "array", "elementType": item, "containsNull": nulls}


def mapping(key, value, *, nulls=True):
    return {"type": "map", "keyType": key, "valueType": value, "valueContainsNull": nulls}


TYPES = [
    ("byte", pa.int8()),
    ("short", pa.int16()),
    ("integer", pa.int32()),
    ("long", pa.int64()),
    ("float", pa.float32()),
    ("double", pa.float64()),
    ("boolean", pa.bool_()),
    ("string", pa.string()),
    ("binary", pa.binary()),
    ("date", pa.date32()),
    ("timestamp", pa.timestamp("us", "UTC")),
    ("timestamp_ntz", pa.timestamp("us")),
    ("void", pa.null()),
    ("decimal(38,18)", pa.decimal128(38, 18)),
    ("interval day to second", pa.duration("us")),
    ("interval hour", pa.duration("us")),
    (array("timestamp", nulls=False), pa.list_(pa.field("element", pa.timestamp("us", "UTC"), nullable=False))),
    (mapping("string", "long"), pa.map_(pa.string(), pa.int64())),
    (of(("a", array(mapping("date", of(("b", "void", True)))), False)), None),
]


@pytest.mark.parametrize(("said", "wanted"), TYPES, ids=[str(said)[:30] for said, _ in TYPES])
def test_a_type_of_spark_has_one_of_arrow_and_comes_back(said, wanted):
    given = of(("c.d", said, True), ("C.D", said, said == "void"))
    made = arrow_schema(given)
    assert wanted is None or made.types == [wanted, wanted]
    assert spark_schema(made, given) == given


@pytest.mark.parametrize("said", ["char(3)", "varchar(20)", "string collate UNICODE_CI"])
def test_text_of_any_declaration_is_text(said):
    assert arrow_schema(of(("c", said, True))).types == [pa.string()]


def test_a_list_of_nothing_may_have_nulls():
    given = of(("c", array("void", nulls=False), False))
    made = arrow_schema(given)
    assert spark_schema(made, given) == of(("c", array("void"), False))


@pytest.mark.parametrize(
    ("said", "called"),
    [
        ("variant", "VARIANT"),
        ("interval", "a calendar interval"),
        ("interval year to month", "interval year to month"),
        (UDT, "a user-defined type"),
        ("geometry", "geometry"),
    ],
)
def test_a_type_that_does_not_pass_is_refused_by_name_wherever_it_is(said, called):
    with pytest.raises(PlanRefused, match=rf"^column c\[\]\.value\.x: Spark\'s type of it is {called}, which cannot"):
        arrow_schema(of(("c", mapping("string", of(("x", said, True))), True)))
