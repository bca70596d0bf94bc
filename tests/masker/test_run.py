import decimal
import subprocess
import sys

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import masker
from masker.errors import KeyRefused, ValueRefused
from tests.masker import naive
from tests.masker.conftest import ring, secret

DOMAINS = {
    "id": {"mask": "token"},
    "pseudo": {"mask": "pseudonym"},
    "digits": {"mask": "fpe", "alphabet": "0123456789", "unfit": "null", "on_short": "null"},
    "mixed": {"mask": "fpe", "alphabet": "0123456789", "unfit": "null", "on_short": "token"},
    "mail": {"mask": "email", "canonical": ["trim", "lower"], "unfit": "null"},
    "local": {"mask": "token", "kind": "loc"},
    "host": {"mask": "token", "kind": "host"},
    "halves": {"mask": "email", "local": "local", "host": "host", "unfit": "null"},
    "visit": {"mask": "date_shift", "days": 30},
}
KEYS = ring("active")
TEXT = (
    st.text(max_size=20)
    | st.text("0123456789 -", max_size=30)
    | st.from_regex(r"[a-zA-Z]{1,5}@[a-z]{1,8}\.de", fullmatch=True)
)
VALUES = st.lists(st.none() | TEXT | st.sampled_from(["", "x" * 2000, "Zürich 中文 😀"]), max_size=25)
TYPES = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int8(), pa.string()),
    pa.dictionary(pa.int32(), pa.large_string()),
]


def key(domain, scheme):
    sizes = {"token": 64, "fpe": 32, "pseudonym": 32, "date_shift": 32}
    return naive.derive(secret(1), "test", domain, scheme, 1, sizes[scheme])


def token(domain, value, kind="tok"):
    return naive.token(key(domain, "token"), kind, naive.key_id(secret(1), "test", domain, 1), value.encode())


def fpe(value):
    made = naive.fpe(key("digits", "fpe"), value, "0123456789")
    return None if made in {"short", "unfit"} else made


def mixed(value):
    made = naive.fpe(key("mixed", "fpe"), value, "0123456789")
    return {"short": token("mixed", value), "unfit": None}.get(made, made)


def mail(value):
    value = value.strip().lower()
    return token("mail", value) + "@masked.invalid" if value.count("@") == 1 else None


def halves(value):
    if value.count("@") != 1:
        return None
    local, _, host = value.partition("@")
    return f"{token('local', local, 'loc')}@{token('host', host, 'host')}.masked.invalid"


TWINS = {
    "token": ({"domain": "id"}, lambda v: token("id", v)),
    "pseudonym": ({"domain": "pseudo"}, lambda v: naive.pseudonym(key("pseudo", "pseudonym"), v.encode())),
    "fpe": ({"domain": "digits"}, fpe),
    "fpe or token": ({"domain": "mixed"}, mixed),
    "email": ({"domain": "mail"}, mail),
    "email halves": ({"domain": "halves"}, halves),
    "partial": ({"mask": "partial", "keep_first": 1, "keep_last": 2}, lambda v: naive.partial(v, 1, 2, "*")),
    "redact": ({"mask": "redact"}, lambda _: "[REDACTED]"),
    "nullify": ({"mask": "nullify"}, lambda _: None),
    "clear": ({"mask": "clear"}, lambda v: v),
    "zip3": ({"mask": "generalize", "to": "zip3", "unfit": "null"}, naive.zip3),
    "network": ({"mask": "generalize", "to": "network", "unfit": "null"}, naive.network),
}


@st.composite
def arrays(draw):
    """A chunked, sliced array of any text type, with the values it shows."""
    data_type = draw(st.sampled_from(TYPES))
    chunks = []
    for values in draw(st.lists(VALUES, max_size=3)):
        whole = pa.array(values, pa.string())
        whole = (
            whole.dictionary_encode().cast(data_type) if pa.types.is_dictionary(data_type) else whole.cast(data_type)
        )
        start = draw(st.integers(0, len(values)))
        chunks.append(whole.slice(start, draw(st.integers(0, len(values) - start))))
    return pa.chunked_array(chunks, data_type)


@pytest.mark.parametrize("name", TWINS)
@given(column=arrays())
def test_every_mask_equals_its_twin_on_any_array(name, column):
    rule, twin = TWINS[name]
    table = pa.table({"c": column})
    plan = masker.plan(table.schema, [{"column": "c", "rule": "r", **rule}], DOMAINS, key_version=1)
    made = masker.mask(table, plan, KEYS)
    made.validate(full=True)
    assert made["c"].to_pylist() == [None if v is None else twin(v) for v in column.to_pylist()]
    assert made.schema.field("c").type == column.type
    assert [len(chunk) for chunk in made["c"].chunks] == [len(chunk) for chunk in column.chunks]
    if name in {"token", "fpe", "fpe or token", "email halves"}:
        back = masker.plan(made.schema, [{"column": "c", "rule": "r", **rule}], DOMAINS, direction="unmask")
        again = masker.unmask(made, back, KEYS)
        wanted = [None if m is None else v for v, m in zip(column.to_pylist(), made["c"].to_pylist(), strict=True)]
        assert again["c"].to_pylist() == wanted
        assert again.schema.field("c").type == column.type


@given(arrays())
def test_no_byte_under_a_null_outside_a_slice_or_unused_leaves(column):
    table = pa.table({"c": column})
    made = masker.mask(table, masker.plan(table.schema, [{"column": "c", "mask": "clear"}]))
    shown = sum(len(v.encode()) for v in set(column.to_pylist()) if v) if pa.types.is_dictionary(column.type) else None
    for chunk in made["c"].chunks:
        values = chunk.dictionary if pa.types.is_dictionary(chunk.type) else chunk
        if pa.types.is_string_view(values.type):
            continue
        data = values.buffers()[2]
        visible = sum(len(v.encode()) for v in values.to_pylist() if v is not None)
        assert (data.size if data else 0) == visible
        assert shown is None or visible <= shown


IDS = [
    (pa.array([42, None, -7, 0], pa.int64()), ["42", None, "-7", "0"]),
    (pa.array([42, None, 7, 0], pa.uint8()), ["42", None, "7", "0"]),
    (
        pa.array(
            [decimal.Decimal("42.00"), None, decimal.Decimal("-7.50"), decimal.Decimal(0)],
            pa.decimal128(9, 2),
        ),
        ["42", None, "-7.5", "0"],
    ),
    (
        pa.array([decimal.Decimal(4200), None, decimal.Decimal(-700), decimal.Decimal(0)], pa.decimal128(5, -2)),
        ["4200", None, "-700", "0"],
    ),
    (pa.array([42, None, 42, 0], pa.int16()).dictionary_encode(), ["42", None, "42", "0"]),
    (pa.array([b"42", None, b"\xff", b""], pa.binary()), None),
    (pa.array([b"4242", None, b"\xff\xff\xff\xff", b"\0\0\0\0"], pa.binary(4)), None),
    (pa.array([b"42", None, b"\xff", b""], pa.binary_view()), None),
]


@pytest.mark.parametrize(("column", "texts"), IDS, ids=[str(column.type) for column, _ in IDS])
def test_ids_of_any_type_join_as_text_and_come_back_in_their_type(column, texts):
    table = pa.table({"c": column})
    rules = [{"column": "c", "domain": "id"}]
    made = masker.mask(table, masker.plan(table.schema, rules, DOMAINS, key_version=1), KEYS)
    if texts:
        assert made["c"].to_pylist() == [None if text is None else token("id", text) for text in texts]
    back = masker.unmask(made, masker.plan(made.schema, rules, DOMAINS, direction="unmask"), KEYS)
    assert back["c"].combine_chunks().to_pylist() == column.to_pylist()
    assert back.schema.field("c").type == column.type


def test_domains_share_no_token():
    table = pa.table({"a": ["x", "y"], "b": ["x", "y"]})
    rules = [{"column": "a", "domain": "local"}, {"column": "b", "domain": "host"}]
    made = masker.mask(table, masker.plan(table.schema, rules, DOMAINS, key_version=1), KEYS)
    assert not set(made["a"].to_pylist()) & set(made["b"].to_pylist())
    other = masker.mask(table, masker.plan(table.schema, rules, DOMAINS, key_version=1), ring("active", realm="else"))
    assert not set(made["a"].to_pylist()) & set(other["a"].to_pylist())


UNFIT = [
    ({"domain": "strict"}, "123456", "SECRET1"),
    ({"domain": "strict"}, "123456", "12345"),
    ({"domain": "careful"}, "a@b", "SECRET"),
    ({"mask": "generalize", "to": "zip3"}, "02139", "SE\u00c9RET"),
    ({"mask": "generalize", "to": "network"}, "1.2.3.4", "SECRET"),
    ({"mask": "generalize", "to": "year", "format": "%Y%m%d"}, "20240229", "20230229SECRET"),
    ({"mask": "generalize", "to": "round", "step": 10, "format": "number"}, "-1.50", "1e5SECRET"),
]


@pytest.mark.parametrize(("rule", "good", "bad"), UNFIT, ids=[str(case[0]) for case in UNFIT])
def test_values_that_do_not_fit_name_column_row_and_rule(rule, good, bad):
    domains = {"strict": {"mask": "fpe", "alphabet": "0123456789"}, "careful": {"mask": "email"}}
    table = pa.table({"c": pa.chunked_array([[good], [None, good, bad]])})
    plan = masker.plan(table.schema, [{"column": "c", "rule": "r", **rule}], domains, key_version=1)
    masker.mask(table.slice(0, 3), plan, KEYS)
    with pytest.raises(ValueRefused) as caught:
        masker.mask(table, plan, KEYS)
    assert (caught.value.column, caught.value.row, caught.value.rule) == ("c", 3, "r")
    assert caught.value.__context__ is None
    assert bad not in str(caught.value)
    batch = table.combine_chunks().to_batches()[0]
    with pytest.raises(ValueRefused) as caught:
        masker.Masker(plan, KEYS).batch(batch, first_row=1000)
    assert caught.value.row == 1003


def test_keys_are_asked_for_only_where_needed():
    table = pa.table({"c": ["x"]})
    assert masker.mask(table, masker.plan(table.schema, [{"column": "c", "mask": "redact"}])).num_rows == 1
    with pytest.raises(KeyRefused):
        masker.mask(table, masker.plan(table.schema, [{"column": "c", "domain": "id"}], DOMAINS, key_version=1))


def test_unsound_arrays_are_refused_before_a_kernel_sees_them():
    offsets = pa.array([0, 4, 2], pa.int32()).buffers()[1]
    broken = pa.StringArray.from_buffers(2, offsets, pa.py_buffer(b"abcd"))
    wrong = pa.StringArray.from_buffers(1, pa.array([0, 2], pa.int32()).buffers()[1], pa.py_buffer(b"\xc3\x28"))
    for array in (broken, wrong):
        table = pa.table({"c": array})
        with pytest.raises(ValueRefused):
            masker.mask(table, masker.plan(table.schema, [{"column": "c", "mask": "partial"}]))


@pytest.mark.parametrize("library", ["polars", "pandas", "duckdb"])
def test_other_libraries_hand_their_tables_over(library):
    def source():
        if library == "duckdb":  # a stream is read once
            return duckdb.sql("select * from (values ('a', 1), (null, 2), ('b', 3)) t(c, n)")
        frame = pl.DataFrame({"c": ["a", None, "b"], "n": [1, 2, 3]})
        return frame if library == "polars" else frame.to_pandas()

    rules = [{"column": "c", "domain": "id"}, {"column": "n", "mask": "clear"}]
    schema = pa.RecordBatchReader.from_stream(source()).schema
    made = masker.mask(source(), masker.plan(schema, rules, DOMAINS, key_version=1), KEYS)
    assert made["c"].to_pylist() == [token("id", "a"), None, token("id", "b")]
    assert b"pandas" not in (made.schema.metadata or {})


def test_no_metadata_leaves_that_can_hold_a_value():
    told = {"comment": "canary", "placet.mask": "canary", "placet.more": "canary", "column_statistics": "max=canary"}
    inner = pa.field("i", pa.string(), metadata=told)
    fields = [pa.field("c", pa.string(), metadata=told), pa.field("s", pa.struct([inner]), metadata=told)]
    fields += [pa.field("l", pa.list_(inner), metadata=told), pa.field("m", pa.map_(pa.string(), inner), metadata=told)]
    schema = pa.schema(fields, metadata={"owner": "canary", "pandas": "canary"})
    values = [["x"], [{"i": "x"}], [["x"]], [[("k", "x")]]]
    table = pa.table([pa.array(one, field.type) for one, field in zip(values, fields, strict=True)], schema=schema)
    masks = [{"column": "c", "domain": "id"}, *({"column": name, "mask": "clear"} for name in ("s", "l", "m"))]
    made = masker.mask(table, masker.plan(table.schema, masks, DOMAINS, key_version=1), KEYS)
    assert b"canary" not in made.schema.serialize().to_pybytes()
    assert made.schema.field("c").metadata[b"placet.mask"] == b"token"
    again = pa.table(
        [made["c"]], schema=pa.schema([pa.field("c", pa.string(), metadata={**told, "placet.mask": "token"})])
    )
    rules = [{"column": "c", "domain": "id"}]
    for direction, run in (("unmask", masker.unmask), ("rewrap", masker.rewrap)):
        plan = masker.plan(again.schema, rules, DOMAINS, direction=direction, key_version=1)
        assert b"canary" not in run(again, plan, KEYS).schema.serialize().to_pybytes()


@pytest.mark.parametrize("direction", ["mask", "rewrap"])
@pytest.mark.parametrize("name", ["canary", "UTC canary", "+09:30 canary", "../canary", "+1"])
def test_a_time_zone_of_free_text_is_refused_and_not_told(name, direction):
    for odd in (pa.timestamp("us", tz=name), pa.dictionary(pa.int8(), pa.timestamp("s", tz=name))):
        for field in (pa.field("t", odd), pa.field("s", pa.struct([pa.field("t", pa.list_(odd))]))):
            schema = pa.schema([field, pa.field("c", pa.string())])
            masks = [{"column": field.name, "mask": "clear"}, {"column": "c", "domain": "id"}]
            with pytest.raises(masker.PlanRefused, match="time zone") as refused:
                masker.plan(schema, masks, DOMAINS, direction=direction, key_version=1)
            assert "canary" not in str(refused.value)


@pytest.mark.parametrize("name", [None, "UTC", "Australia/Adelaide", "+09:30", "-0330"])
def test_time_zones_of_iana_and_fixed_offsets_stay(name):
    schema = pa.schema([pa.field("t", pa.timestamp("us", tz=name))])
    plan = masker.plan(schema, [{"column": "t", "mask": "clear"}])
    assert plan.output_schema.field("t").type.tz == name


def test_no_mask_of_a_plan_without_keys_imports_the_decision_service():
    code = "import masker, sys; sys.exit(any(name.split('.')[0] == 'pdp' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
