import decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker import generalize
from masker.kernels import number
from masker.kernels.column import Fixed
from masker.spec import rule_spec

TYPES = [np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64]


def fixed(values, dtype):
    return Fixed(np.array([value or 0 for value in values], dtype), np.array([v is not None for v in values], bool))


@pytest.mark.parametrize("dtype", TYPES)
@given(data=st.data())
def test_numerals_are_shortest_text(dtype, data):
    limits = np.iinfo(dtype)
    edges = st.sampled_from([limits.min, limits.max, 0, 9, 10, 99, 100])
    values = data.draw(st.lists(st.none() | edges | st.integers(limits.min, limits.max), max_size=20))
    made = number.numerals(fixed(values, dtype))
    assert [made.value(i).decode() if made.valid[i] else None for i in range(len(values))] == [
        None if value is None else str(value) for value in values
    ]


@pytest.mark.parametrize("dtype", TYPES)
@given(data=st.data())
def test_rounding_is_exact_or_refused(dtype, data):
    limits = np.iinfo(dtype)
    step = data.draw(st.integers(1, min(limits.max, 1000)))
    values = data.draw(st.lists(st.integers(limits.min, limits.max), max_size=20))
    made, bad = number.rounded(np.array(values, dtype), step)
    for value, result, wrong in zip(values, made.tolist(), bad.tolist(), strict=True):
        wanted = (2 * value + step) // (2 * step) * step
        assert wrong or result == wanted
        assert wrong == (not limits.min <= wanted <= limits.max) or not limits.min <= value // step * step


def test_floats_without_a_value_do_not_fit():
    spec = rule_spec({"mask": "generalize", "to": "round", "step": 0.5}, {})
    values = np.array([1.3, np.nan, np.inf, -1.2])
    made = generalize.numbers_masked(spec, Fixed(values, np.ones(4, bool)))
    assert made.status.tolist() == [0, 1, 1, 0]
    assert made.values.values[made.values.valid].tolist() == [1.5, -1.0]


def test_buckets_have_labels():
    spec = rule_spec({"mask": "generalize", "to": "bucket", "edges": [18, 30, 65]}, {})
    made = generalize.numbers_masked(spec, fixed([17, 18, 29, 30, 64, 65, None, 120], np.int32)).values
    labels = ["< 18", "[18, 30)", "[18, 30)", "[30, 65)", "[30, 65)", ">= 65", None, ">= 65"]
    assert [made.value(i).decode() if made.valid[i] else None for i in range(8)] == labels


def test_decimals_keep_their_scale():
    values = [decimal.Decimal("12.34"), None, decimal.Decimal("99.99"), decimal.Decimal("-0.05")]
    spec = rule_spec({"mask": "generalize", "to": "round", "step": 0.5}, {})
    made, status = generalize.decimals_masked(spec, values, 4)
    assert made == [decimal.Decimal("12.50"), None, None, decimal.Decimal("0.00")]
    assert status.tolist() == [0, 0, 1, 0]
    spec = rule_spec({"mask": "generalize", "to": "clamp", "least": 0, "most": 50}, {})
    assert generalize.decimals_masked(spec, values, 4)[0] == [
        values[0],
        None,
        decimal.Decimal(50),
        decimal.Decimal(0),
    ]
