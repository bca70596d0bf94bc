import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels import date, date_text, prf
from masker.kernels.column import Fixed, text_from
from tests.masker import naive

EPOCH = dt.date(1970, 1, 1)
DAYS = st.dates().map(lambda day: (day - EPOCH).days)
KEY = bytes(range(32))
FORMATS = ["%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%m/%d/%Y", "on %d of %m, %Y"]


def fixed(values, dtype=np.int64):
    valid = np.array([value is not None for value in values], bool)
    return Fixed(np.array([value or 0 for value in values], dtype), valid)


def written(column, days, layout):
    return date_text.written(column.data, column.offsets[:-1], days, layout)


def back(made):
    return [int(value) if valid else None for value, valid in zip(made.values, made.valid, strict=True)]


@given(st.lists(st.none() | DAYS, max_size=20), st.sampled_from(sorted(date.PERIODS)))
def test_truncation_equals_the_twin(days, name):
    made = back(date.truncated(fixed(days), date.PERIODS[name], 1).values)
    for day, first in zip(days, made, strict=True):
        if day is None:
            assert first is None
        else:
            wanted = naive.period(EPOCH + dt.timedelta(day), name)
            assert wanted is None or first == (wanted - EPOCH).days


@given(st.lists(DAYS, max_size=20), st.dates(), st.integers(1, 120))
def test_age_equals_the_twin(days, today, cap):
    made = back(date.ages(fixed(days), 1, (today - EPOCH).days, cap).values)
    assert made == [naive.age(EPOCH + dt.timedelta(day), today, cap) for day in days]


@given(st.lists(st.none() | st.dates() | st.text("0129-./", max_size=11), max_size=20), st.sampled_from(FORMATS))
def test_parsing_equals_the_twin(values, date_format):
    texts = [naive.spelled(v, date_format) if isinstance(v, dt.date) else v for v in values]
    layout = date_text.layout(date_format)
    column = text_from([None if t is None else t.encode() for t in texts])
    days, status = date_text.parsed(column, layout)
    wanted = [None if t is None else naive.parsed(t, date_format) for t in texts]
    assert back(days) == [None if day is None else (day - EPOCH).days for day in wanted]
    assert status.tolist() == [int(t is not None and d is None) for t, d in zip(texts, wanted, strict=True)]
    again = written(column, days, layout).values
    assert [again.value(i).decode() if again.valid[i] else None for i in range(len(texts))] == [
        t if d is not None else None for t, d in zip(texts, wanted, strict=True)
    ]


@pytest.mark.parametrize("value", ["2023-02-29", "1900-02-29", "2020-13-01", "2020-00-01", "2020-01-32", "0000-01-01"])
def test_impossible_dates_do_not_fit(value):
    days, status = date_text.parsed(text_from([value.encode()]), date_text.layout("%Y-%m-%d"))
    assert status.tolist() == [1]
    assert not days.valid.any()


@pytest.mark.parametrize(
    "date_format", ["%Y-%m", "%y-%m-%d", "%Y-%m-%d%", "%Y%Y%m%d", "%Y-%m-%d %Z", "%Y-%m-%dé", "%Y1%m-%d", ""]
)
def test_formats_that_are_no_whole_date_do_not_compile(date_format):
    assert date_text.layout(date_format) is None


def test_time_of_day_stays_as_it_was():
    column = text_from([b"2024-02-29 23:59:58", b"2024-02-29 24:00:00"])
    layout = date_text.layout("%Y-%m-%d %H:%M:%S")
    days, status = date_text.parsed(column, layout)
    assert status.tolist() == [0, 1]
    moved = written(column, Fixed(days.values + 1, days.valid), layout).values
    assert moved.value(0) == b"2024-03-01 23:59:58"


def test_beyond_four_digit_years_does_not_fit():
    column = text_from([b"9999-12-31", b"0001-01-01"])
    layout = date_text.layout("%Y-%m-%d")
    days, _ = date_text.parsed(column, layout)
    assert written(column, Fixed(days.values + 1, days.valid), layout).status.tolist() == [1, 0]
    assert written(column, Fixed(days.values - 1, days.valid), layout).status.tolist() == [0, 1]


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
    assert back(made.values) == [None, None, 1, None]
