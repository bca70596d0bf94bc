import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels import date_text
from masker.kernels.column import Fixed, text_from
from tests.masker import naive
from tests.masker.columns import numbers

EPOCH = dt.date(1970, 1, 1)

FORMATS = ["%Y-%m-%d", "%Y%m%d", "%d.%m.%Y", "%m/%d/%Y", "on %d of %m, %Y"]


def written(column, days, layout):
    return date_text.written(column.data, column.offsets[:-1], days, layout)


@given(st.lists(st.none() | st.dates() | st.text("0129-./", max_size=11), max_size=20), st.sampled_from(FORMATS))
def test_parsing_equals_the_twin(values, date_format):
    texts = [naive.spelled(v, date_format) if isinstance(v, dt.date) else v for v in values]
    layout = date_text.layout(date_format)
    column = text_from([None if t is None else t.encode() for t in texts])
    days, status = date_text.parsed(column, layout)
    wanted = [None if t is None else naive.parsed(t, date_format) for t in texts]
    assert numbers(days) == [None if day is None else (day - EPOCH).days for day in wanted]
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
