import datetime as dt
import decimal

import numpy as np
import pytest

from masker import methods
from masker.context import Context, KeySchedules
from masker.declaration import rule_spec
from masker.generalize import Decimals, bucket_labels
from masker.kernels.column import Fixed
from tests.masker.columns import back, column, fixed, numbers

DAY = (dt.date(2024, 5, 17) - dt.date(1970, 1, 1)).days


def run(values, per_day=0, **rule):
    spec = rule_spec({"mask": "generalize", **rule}, {})
    return methods.of(spec).run(spec, values, Context(KeySchedules(None), 0, per_day=per_day))


def test_floats_without_a_value_do_not_fit():
    values = np.array([1.3, np.nan, np.inf, -1.2])
    made = run(Fixed(values, np.ones(4, bool)), to="round", step=0.5)
    assert made.status.tolist() == [0, 1, 1, 0]
    assert numbers(made.values) == [1.5, None, None, -1.0]


def test_buckets_have_labels():
    made = run(fixed([17, 18, 29, 30, 64, 65, None, 120], np.int32), to="bucket", edges=[18, 30, 65])
    assert back(made.values) == ["< 18", "[18, 30)", "[18, 30)", "[30, 65)", "[30, 65)", ">= 65", None, ">= 65"]
    assert bucket_labels((18, 30, 65)) == ["< 18", "[18, 30)", "[30, 65)", ">= 65"]


def test_decimals_keep_their_scale():
    values = [decimal.Decimal("12.34"), None, decimal.Decimal("99.99"), decimal.Decimal("-0.05")]
    made = run(Decimals(values, 4), to="round", step=0.5)
    assert made.values == [decimal.Decimal("12.50"), None, None, decimal.Decimal("0.00")]
    assert made.status.tolist() == [0, 0, 1, 0]
    clamped = run(Decimals(values, 4), to="clamp", least=0, most=50)
    assert clamped.values == [values[0], None, decimal.Decimal(50), decimal.Decimal(0)]


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ({"to": "round", "step": 10}, ["10", None, "-20", None]),
        ({"to": "clamp", "least": -10, "most": 10}, ["10", None, "-10", None]),
        ({"to": "bucket", "edges": [0]}, [">= 0", None, "< 0", None]),
    ],
)
def test_numbers_in_text_are_read_strictly_and_written_plainly(rule, wanted):
    made = run(column(["12.50", None, "-17", "1e5"]), format="number", **rule)
    assert back(made.values) == wanted
    assert made.status.tolist() == [0, 0, 0, 1]


def test_a_number_of_more_digits_than_a_decimal_has_does_not_fit():
    made = run(column(["9" * 38, "9" * 41]), to="clamp", least=0, format="number")
    assert back(made.values) == ["9" * 38, None]


@pytest.mark.parametrize(("to", "month"), [("month", 5), ("quarter", 4), ("year", 1)])
def test_a_period_begins_on_its_first_day_in_every_form(to, month):
    first = dt.date(2024, month, 1)
    days = (first - dt.date(1970, 1, 1)).days
    assert numbers(run(fixed([DAY, None], np.int32), per_day=1, to=to).values) == [days, None]
    seconds = run(fixed([DAY * 86_400 + 5, None]), per_day=86_400, to=to)
    assert numbers(seconds.values) == [days * 86_400, None]
    assert back(run(column(["17.05.2024", None]), to=to, format="%d.%m.%Y").values) == [f"{first:%d.%m.%Y}", None]


def test_an_age_is_in_whole_years_and_has_a_cap():
    rule = {"to": "age", "at": "2024-05-16", "cap": 40}
    assert numbers(run(fixed([DAY - 365 * 100, DAY - 366 * 20, DAY]), per_day=1, **rule).values) == [40, 20, None]
    made = run(column(["2004-05-17", "2004-05-16", "2024-05-17"]), format="%Y-%m-%d", **rule)
    assert back(made.values) == ["19", "20", None]
    assert made.status.tolist() == [0, 0, 1]
