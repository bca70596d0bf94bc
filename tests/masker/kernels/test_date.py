import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels import date, prf
from masker.kernels.column import text_from
from tests.masker import naive
from tests.masker.columns import fixed, numbers

EPOCH = dt.date(1970, 1, 1)
DAYS = st.dates().map(lambda day: (day - EPOCH).days)
KEY = bytes(range(32))


@given(st.lists(st.none() | DAYS, max_size=20), st.sampled_from(sorted(date.PERIODS)))
def test_truncation_equals_the_twin(days, name):
    made = numbers(date.truncated(fixed(days), date.PERIODS[name], 1).values)
    for day, first in zip(days, made, strict=True):
        if day is None:
            assert first is None
        else:
            wanted = naive.period(EPOCH + dt.timedelta(day), name)
            assert wanted is None or first == (wanted - EPOCH).days


@given(st.lists(DAYS, max_size=20), st.dates(), st.integers(1, 120))
def test_age_equals_the_twin(days, today, cap):
    made = numbers(date.ages(fixed(days), 1, (today - EPOCH).days, cap).values)
    assert made == [naive.age(EPOCH + dt.timedelta(day), today, cap) for day in days]


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=20), st.integers(1, 400), st.sampled_from([1, 7]))
def test_shift_is_keyed_bounded_and_never_zero(entities, reach, unit):
    made = date.offsets_from(prf.Prf(KEY).digests(text_from(entities)), reach, unit).tolist()
    assert made == [naive.shift(KEY, entity, reach, unit) for entity in entities]
    assert all(each and abs(each) <= reach * unit and each % unit == 0 for each in made)


def test_every_shift_occurs():
    entities = text_from([str(number).encode() for number in range(2000)])
    made = date.offsets_from(prf.Prf(KEY).digests(entities), 3, 1)
    assert sorted(set(made.tolist())) == [-3, -2, -1, 1, 2, 3]


def test_shifts_are_the_fixed_vectors(key_vectors, keys):
    for case in key_vectors["shifts"]:
        digests = prf.Prf(keys.derive(case["domain"], "date_shift", 1)).digests(text_from([case["entity"].encode()]))
        assert date.offsets_from(digests, case["days"], 1).tolist() == [case["shift"]]


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_overflow_does_not_fit(dtype):
    limits = np.iinfo(dtype)
    dates = fixed([limits.max, limits.min, 0, None], dtype)
    made = date.shifted(dates, np.array([1, -1, 1, 1]), 1)
    assert made.status.tolist() == [1, 1, 0, 0]
    assert numbers(made.values) == [None, None, 1, None]
