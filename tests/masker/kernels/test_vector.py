import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels import kernel
from masker.kernels.vector import get, get_pair, least, put, put_pair, remainder
from masker.kernels.word import U


@kernel
def divided(x, modulus, inverse, output):
    output[0] = remainder(x, modulus, inverse)
    output[1] = least(x, modulus)


@given(st.integers(0, 2**64 - 1), st.integers(1, 2**62 - 1))
def test_a_remainder_is_exact_below_its_limit(x, modulus):
    output = np.zeros(2, np.uint64)
    divided(U(x), U(modulus), U(min((1 << 64) // modulus, 2**64 - 1)), output)
    assert output.tolist() == [x % modulus, min(x, modulus)] or modulus == 1


@kernel
def shifted(words, pairs, start, flags):
    for k in range(words.size - start):
        put(words, start, k, get(words, start, k) + U(1))
        one, two = get_pair(pairs, start, k)
        put_pair(pairs, start, k, two, one)
        put(flags, start, k, not get(flags, start, k))


@pytest.mark.parametrize("start", [0, 1, 5])
def test_elements_are_read_and_written_from_a_start(start):
    words, pairs = np.arange(9, dtype=np.uint64), np.arange(18, dtype=np.uint64).reshape(9, 2)
    flags = np.zeros(9, bool)
    shifted(words, pairs, start, flags)
    assert words.tolist() == [n + (n >= start) for n in range(9)]
    assert pairs.tolist() == [[2 * n + 1, 2 * n] if n >= start else [2 * n, 2 * n + 1] for n in range(9)]
    assert flags.tolist() == [n >= start for n in range(9)]
