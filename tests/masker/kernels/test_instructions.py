import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from masker.kernels import kernel
from masker.kernels.word import LEAST, U, copy, front, load, load_part, mulhi, store, swap, zero_bytes

WORD = st.integers(0, 2**64 - 1)


@kernel
def all_of(a, b, output):
    output[0] = mulhi(a, b)
    output[1] = swap(a)
    output[2] = U(zero_bytes(a))


@kernel
def moved(data, p, count, output):
    """A whole word, a part of one, and bytes."""
    store(output, 0, load(data, p))
    store(output, 8, load_part(data, p, count))
    store(output, 16, front(load(data, p), count))
    copy(data, p, count, output, 24)


@given(WORD, WORD)
def test_words_multiply_swap_and_count_as_big_integers_do(a, b):
    output = np.zeros(3, np.uint64)
    all_of(U(a), U(b), output)
    leading = next((n for n in range(8) if a >> 8 * n & 255), 8)
    assert output.tolist() == [a * b >> 64, int.from_bytes(a.to_bytes(8, "little"), "big"), leading]


@given(st.binary(min_size=20, max_size=20), st.integers(0, 12), st.integers(-2, 8))
def test_bytes_are_loaded_in_memory_order_from_any_place(data, p, count):
    output = np.zeros(40, np.uint8)
    moved(np.frombuffer(data, np.uint8), p, count, output)
    part = data[p : p + max(count, 0)]
    assert output[:8].tobytes() == data[p : p + 8]
    assert output[8:16].tobytes() == part.ljust(8, b"\0")
    assert output[16:24].tobytes() == part.ljust(8, b"\0")
    assert output[24:].tobytes() == part.ljust(16, b"\0")


@kernel
def last(data, p, count, output):
    output[0] = load_part(data, p, count)


def test_a_part_at_the_end_of_a_buffer_reads_nothing_behind_it():
    data, output = np.arange(1, LEAST + 1, dtype=np.uint8), np.zeros(1, np.uint64)
    for p in range(LEAST):
        last(data, p, LEAST - p, output)
        assert output.tobytes() == data[p:].tobytes().ljust(8, b"\0")
