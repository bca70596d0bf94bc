import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels import number
from tests.masker.columns import back, fixed

TYPES = [np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64]


@pytest.mark.parametrize("dtype", TYPES)
@given(data=st.data())
def test_numerals_are_shortest_text(dtype, data):
    limits = np.iinfo(dtype)
    edges = st.sampled_from([limits.min, limits.max, 0, 9, 10, 99, 100])
    values = data.draw(st.lists(st.none() | edges | st.integers(limits.min, limits.max), max_size=20))
    made = number.numerals(fixed(values, dtype))
    assert back(made) == [None if value is None else str(value) for value in values]


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
