import datetime as dt
import decimal

import numpy as np
import pyarrow as pa
import pytest

from masker.arrow import buffers
from masker.kernels.column import Fixed, text_from
from tests.masker.columns import back, numbers, values

WORDS = ["a", None, "", "é", "hidden", "long enough to be out of line", None]


@pytest.mark.parametrize("start", [0, 1, 3, 7])
def test_flags_follow_slices_and_bits_that_are_not_whole_bytes(start):
    array = pa.array([n % 3 != 0 or None for n in range(30)]).slice(start, 13)
    assert buffers.flags(array).tolist() == [value is not None for value in array.to_pylist()]
    assert buffers.flags(pa.array([1, 2])).all()
    assert not buffers.flags(pa.nulls(2)).any()


@pytest.mark.parametrize("data_type", [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.binary_view()])
def test_text_and_binary_are_read_and_built_alike(data_type):
    array = pa.array(WORDS).cast(data_type).slice(1, 5)
    made = buffers.text(array)
    assert values(made) == [None if word is None else word.encode() for word in WORDS[1:6]]
    again = buffers.rebuild(array, buffers.flags(array))
    assert again.equals(array)
    assert again.type == data_type


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array([0, -1, None, 2**63 - 1]), ["0", "-1", None, str(2**63 - 1)]),
        (pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("-0.00")]), ["1.5", None, "0"]),
        (pa.array([b"ab", None], pa.binary(2)), ["ab", None]),
        (pa.array([], pa.string()), []),
    ],
)
def test_ids_are_read_as_their_shortest_text(array, texts):
    assert back(buffers.text(array)) == texts


@pytest.mark.parametrize(
    ("array", "counts"),
    [
        (pa.array([dt.date(1970, 1, 3), None]), [2, None]),
        (pa.array([1500, None], pa.timestamp("ms")), [1500, None]),
        (pa.array([True, None, False]), [True, None, False]),
        (pa.array([1.5, None], pa.float32()), [1.5, None]),
        (pa.array([], pa.int8()), []),
    ],
)
def test_machine_numbers_are_counts_of_their_unit(array, counts):
    assert numbers(buffers.fixed(array)) == counts
    assert buffers.from_fixed(buffers.fixed(array), array.type).equals(array)


def test_nothing_stays_under_a_null():
    secret = Fixed(np.array([7, 7]), np.array([True, False]))
    assert buffers.from_fixed(secret, pa.int64()).buffers()[1].to_pybytes() == bytes([7, *[0] * 15])
    array = pa.array([decimal.Decimal("7.00"), decimal.Decimal("7.00")])
    hidden = buffers.rebuild(array, np.array([True, False]))
    assert hidden.to_pylist() == [decimal.Decimal("7.00"), None]
    assert not any(hidden.buffers()[1].to_pybytes()[16:])


def test_text_parses_back_into_the_type_it_had_or_not_at_all():
    texts = text_from([b"42", None])
    assert buffers.typed(texts, pa.int8()).to_pylist() == [42, None]
    assert buffers.typed(texts, pa.decimal128(4, 1)).to_pylist() == [decimal.Decimal("42.0"), None]
    assert buffers.typed(texts, pa.binary()).to_pylist() == [b"42", None]
    assert buffers.typed(text_from([b"x"]), pa.int8()) is None
    assert buffers.typed(text_from([b"400"]), pa.int8()) is None
    assert buffers.typed(text_from([b"\xff"]), pa.string()) is None


def test_more_than_two_gigabytes_do_not_fit_offsets_of_32_bits():
    column = text_from([b"x", b"y"])
    huge = type(column)(column.data, np.array([0, 1, 1 << 31]), column.valid)
    with pytest.raises(OverflowError):
        buffers.from_text(huge, pa.string())


def test_what_stands_in_a_view_under_a_null_is_not_followed():
    views = pa.py_buffer(b"\x02\0\0\0ab" + b"\0" * 10 + b"\xff\xff\xff\x7f" * 4 + b"\x03\0\0\0cde" + b"\0" * 9)
    array = pa.Array.from_buffers(pa.string_view(), 3, [pa.py_buffer(b"\x05"), views, pa.py_buffer(b"x" * 99)])
    array.validate(full=True)
    assert buffers.written_out(array).to_pylist() == ["ab", None, "cde"]
    assert buffers.written_out(array.slice(1)).to_pylist() == [None, "cde"]
    assert buffers.rebuild(array, buffers.flags(array)).to_pylist() == ["ab", None, "cde"]


def test_numbers_are_read_within_their_buffer():
    buffer = pa.py_buffer(b"\1\0\0\0\2\0\0\0\3")
    assert buffers.numbers(buffer, np.int32, 1, 1).tolist() == [2]
    with pytest.raises(ValueError, match="shorter"):
        buffers.numbers(buffer, np.int32, 1, 2)
