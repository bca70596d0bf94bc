import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import masker
from masker.errors import ValueRefused
from tests.masker.conftest import ring
from tests.masker.test_run import DOMAINS, token

KEYS = ring("active")
ADDRESS = pa.struct(
    [("zip", pa.string()), pa.field("city", pa.string(), nullable=False), ("emails", pa.list_(pa.string()))]
)
RULES = [
    {"column": "a.zip", "rule": "zip", "mask": "partial", "keep_first": 1},
    {"column": "a.city", "rule": "city", "mask": "redact"},
    {"column": "a.emails[]", "rule": "mail", "domain": "id"},
]
WORD = st.text("abcdé", max_size=6)
ADDRESSES = st.none() | st.fixed_dictionaries(
    {"zip": st.none() | WORD, "city": WORD, "emails": st.none() | st.lists(st.none() | WORD, max_size=3)}
)


def twin(value):
    if value is None:
        return None
    zip_code = value["zip"]
    covered = (
        None
        if zip_code is None
        else zip_code[:1] + "*" * (len(zip_code) - 1)
        if len(zip_code) >= 2
        else "*" * len(zip_code)
    )
    emails = value["emails"]
    tokens = None if emails is None else [None if each is None else token("id", each) for each in emails]
    return {"zip": covered, "city": "[REDACTED]", "emails": tokens}


def masked(array, rules, keys=KEYS):
    table = pa.table({"a": array})
    made = masker.mask(table, masker.plan(table.schema, rules, DOMAINS, key_version=1), keys)
    made.validate(full=True)
    return made["a"]


@given(st.lists(ADDRESSES, max_size=12), st.integers(0, 4), st.booleans())
def test_structs_and_lists_equal_the_twin(values, start, chunked):
    array = pa.array(values, ADDRESS)
    array = array.slice(min(start, len(values)))
    column = pa.chunked_array([array, array]) if chunked else array
    made = masked(column, RULES)
    assert made.to_pylist() == [twin(value) for value in column.to_pylist()]


@pytest.mark.parametrize("list_type", [pa.list_(pa.string()), pa.large_list(pa.string()), pa.list_(pa.string(), 2)])
def test_every_list_type_stays(list_type):
    array = pa.array([["x", "y"], None, ["x", None], ["z", "w"]], list_type).slice(1)
    made = masked(array, [{"column": "a[]", "domain": "id"}])
    assert made.to_pylist() == [None, [token("id", "x"), None], [token("id", "z"), token("id", "w")]]
    assert type(made.type) is type(list_type)


def test_what_a_null_parent_hides_does_not_leave():
    words = pa.array(["SECRETONE", "shown", "SECRETTWO"])
    struct = pa.StructArray.from_buffers(pa.struct([("w", pa.string())]), 3, [pa.py_buffer(b"\x02")], children=[words])
    offsets = pa.array([0, 1, 2, 3], pa.int32()).buffers()[1]
    lists = pa.Array.from_buffers(pa.list_(pa.string()), 3, [pa.py_buffer(b"\x02"), offsets], children=[words])
    for array, column, shown in ((struct, "a.w", {"w": "shown"}), (lists, "a[]", ["shown"])):
        made = masked(array, [{"column": column, "mask": "clear"}])
        assert made.to_pylist() == [None, shown, None]
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, pa.schema([("a", made.type)])) as writer:
            writer.write_table(pa.table({"a": made}))
        assert b"SECRET" not in sink.getvalue().to_pybytes()


def test_clear_and_nullify_may_name_a_whole_column():
    array = pa.array([{"zip": "1", "city": "x", "emails": ["a"]}, None], ADDRESS)
    assert masked(array, [{"column": "a", "mask": "clear"}]).to_pylist() == array.to_pylist()
    assert masked(array, [{"column": "a.emails", "mask": "clear"}, *RULES[:2]]).to_pylist()[0]["emails"] == ["a"]
    maps = pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64()))
    assert masked(maps, [{"column": "a", "mask": "clear"}]).to_pylist() == maps.to_pylist()


def test_errors_in_lists_name_the_row_of_the_table():
    array = pa.chunked_array([[["1.1.1.1"], []], [["2.2.2.2", "2.2.2.2"], ["x"]]])
    with pytest.raises(ValueRefused) as caught:
        masked(array, [{"column": "a[]", "rule": "r", "mask": "generalize", "to": "network"}])
    assert (caught.value.column, caught.value.row, caught.value.rule) == ("a[]", 3, "r")


def test_dictionaries_are_masked_once_and_made_distinct():
    array = pa.DictionaryArray.from_arrays(
        pa.array([3, 0, None, 1, 0], pa.int8()), ["aa", "ab", "UNUSED", None], ordered=True
    )
    made = masked(array, [{"column": "a", "mask": "partial", "keep_first": 1}])
    assert made.to_pylist() == [None, "a*", None, "a*", "a*"]
    chunk = made.chunk(0)
    assert chunk.dictionary.to_pylist() == ["a*"]
    assert chunk.type == pa.dictionary(pa.int8(), pa.string(), ordered=False)


def test_dictionaries_inside_lists_and_structs():
    values = pa.array(["x", "y", "x"]).dictionary_encode()
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 3], pa.int32()), values)
    assert masked(lists, [{"column": "a[]", "domain": "id"}]).to_pylist() == [
        [token("id", "x"), token("id", "y")],
        [token("id", "x")],
    ]
