import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels import decimals, kernel
from masker.kernels.word import U


@kernel
def spelt(value, output):
    output[0], output[1] = decimals.sixteen(value)


@given(st.integers(0, 10**15 - 1) | st.integers(0, 14).map(lambda power: 10**power))
def test_sixteen_digits_of_a_number(value):
    output = np.zeros(2, np.uint64)
    spelt(U(value), output)
    assert output.tobytes() == bytes(map(int, f"{value:016d}"))


@kernel
def round_trip(text, size, digits, output, result):
    result[0] = U(decimals.take(text, 0, size, digits, 0))
    decimals.put(digits, 0, size, output, 0)
    result[1] = decimals.number(digits, 0, min(16, size))


@given(st.text("0123456789", min_size=1, max_size=40))
def test_digits_are_taken_and_put_eight_at_a_time(value):
    text = np.frombuffer(value.encode().ljust(8, b"x"), np.uint8)
    digits, output = np.zeros(len(value) + 16, np.uint8), np.zeros(len(value) + 16, np.uint8)
    result = np.zeros(2, np.uint64)
    round_trip(text, len(value), digits, output, result)
    assert result.tolist() == [1, int(value[:16])]
    assert digits[: len(value)].tolist() == list(map(int, value))
    assert output[: len(value)].tobytes() == value.encode()


@given(st.text("0123456789", max_size=20), st.sampled_from("/:a \0\u007f"), st.text("0123456789", max_size=20))
def test_a_byte_that_is_not_a_digit_is_noticed_wherever_it_stands(before, strange, after):
    value = before + strange + after
    text = np.frombuffer(value.encode().ljust(8, b"0"), np.uint8)
    digits, result = np.zeros(len(value) + 16, np.uint8), np.zeros(2, np.uint64)
    round_trip(text, len(value), digits, np.zeros(len(value) + 16, np.uint8), result)
    assert result[0] == 0


@kernel
def written(high, low, size, digits, p):
    decimals.write(high, low, size, digits, p)


@given(st.integers(0, 10**15 - 1), st.integers(1, 16), st.integers(0, 9))
def test_the_last_digits_fill_exactly_their_places(value, size, p):
    output, digits = np.zeros(2, np.uint64), np.full(40, 77, np.uint8)
    spelt(U(value), output)
    written(output[0], output[1], size, digits, p)
    assert digits[p : p + size].tolist() == list(map(int, f"{value:016d}"[-size:]))
    assert set(digits[:p].tolist()) | set(digits[p + size :].tolist()) == {77}
