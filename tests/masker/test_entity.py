import datetime as dt

import pyarrow as pa
import pytest

import masker
from masker.errors import ValueRefused
from tests.masker import naive
from tests.masker.test_run import DOMAINS, KEYS, key


@pytest.mark.parametrize("threads", [1, 3])
def test_dates_shift_together_by_entity(threads):
    day = dt.date(2024, 2, 28)
    table = pa.table(
        {
            "who": pa.chunked_array([["1", "2"], ["1"]]),
            "number": pa.chunked_array([[1], [2, 1]]),
            "d": pa.array([day] * 3),
            "d64": pa.array([day] * 3, pa.date64()),
            "ts": pa.array([dt.datetime(2024, 2, 28, 23, 59, tzinfo=dt.UTC)] * 3, pa.timestamp("ns", "Europe/Berlin")),
            "text": pa.array(["28.02.2024"] * 3).dictionary_encode(),
            "visits": pa.array([[day, day], None, [day]]),
        }
    )
    rules = [{"column": name, "mask": "clear"} for name in ("who", "number")]
    dated = {"domain": "visit"}
    rules += [{"column": "d", "entity": "who", **dated}, {"column": "d64", "entity": "number", **dated}]
    rules += [
        {"column": "ts", "entity": "who", **dated},
        {"column": "text", "entity": "number", "format": "%d.%m.%Y", **dated},
    ]
    rules += [{"column": "visits[]", "entity": "who", **dated}]
    made = masker.mask(table, masker.plan(table.schema, rules, DOMAINS, key_version=1), KEYS, threads=threads)
    shifts = [dt.timedelta(naive.shift(key("visit", "date_shift"), who, 30, 1)) for who in (b"1", b"2", b"1")]
    wanted = [day + shift for shift in shifts]
    assert made["d"].to_pylist() == made["d64"].to_pylist() == wanted
    assert made["text"].to_pylist() == [f"{moved:%d.%m.%Y}" for moved in wanted]
    assert made["visits"].to_pylist() == [[wanted[0]] * 2, None, [wanted[2]]]
    assert [a - b for a, b in zip(made["ts"].to_pylist(), table["ts"].to_pylist(), strict=True)] == shifts
    assert made.schema.field("ts").type == table.schema.field("ts").type


def test_dates_in_a_dictionary_are_not_multiplied():
    rows = 100_000  # of 1 MiB each, were they written out
    entries = pa.array(["20240228", "x" * (1 << 20), None, "never used"])
    dates = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None] * (rows // 4), pa.int32()), entries)
    people = pa.DictionaryArray.from_arrays(pa.array([3, 1, 2, 0] * (rows // 4)), pa.array(["a", "b", "c", "d"]))
    table = pa.table({"who": people, "d": dates, "none": pa.nulls(rows, dates.type)})
    rule = {"domain": "visit", "entity": "who", "format": "%Y%m%d"}
    domains = {"visit": {"mask": "date_shift", "days": 30, "unfit": "null"}}
    rules = [{"column": "who", "mask": "clear"}, *({"column": name, **rule} for name in ("d", "none"))]
    made = masker.mask(table, masker.plan(table.schema, rules, domains, key_version=1), KEYS)
    moved = dt.date(2024, 2, 28) + dt.timedelta(naive.shift(key("visit", "date_shift"), b"d", 30, 1))
    assert made["d"].to_pylist() == [f"{moved:%Y%m%d}", None, None, None] * (rows // 4)
    assert made["none"].null_count == rows


def test_batches_that_share_a_dictionary_pay_for_their_own_rows():
    dates = pa.array([f"{1900 + n // 366:04}0101" for n in range(40_000)])
    who = pa.DictionaryArray.from_arrays(pa.array([39_999, None, 5]), pa.array([str(n) for n in range(40_000)]))
    table = pa.table({"who": who, "d": pa.DictionaryArray.from_arrays(pa.array([7, 39_999, 3]), dates).slice(0, 3)})
    rules = [{"column": "who", "mask": "clear"}, {"column": "d", "domain": "lax", "entity": "who", "format": "%Y%m%d"}]
    domains = {"lax": {"mask": "date_shift", "days": 30, "unfit": "null"}}
    made = masker.mask(table, masker.plan(table.schema, rules, domains, key_version=1), KEYS)
    moved = [
        dt.date(1900, 1, 1) + dt.timedelta(naive.shift(key("lax", "date_shift"), who, 30, 1))
        for who in (b"39999", b"5")
    ]
    assert made["d"].to_pylist() == [f"{moved[0]:%Y%m%d}", None, f"{moved[1]:%Y%m%d}"]


def test_a_null_entity_does_not_fit():
    table = pa.table({"who": [None, ""], "d": pa.array([None, dt.date(2024, 1, 1)])})
    rules = [
        {"column": "who", "mask": "clear"},
        {"column": "d", "rule": "r", "domain": "visit", "entity": "who"},
    ]
    with pytest.raises(ValueRefused) as caught:
        masker.mask(table, masker.plan(table.schema, rules, DOMAINS, key_version=1), KEYS)
    assert (caught.value.column, caught.value.row, caught.value.rule) == ("d", 1, "r")
