import io
import itertools

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.arrow.documents import LINES_BYTES
from masker.arrow.json_lines import lines, stripped
from masker.errors import FileRefused

PIECES = st.sampled_from(["{}", "1", '{"a":"é"}', "\n", "\r\n", " ", "\t", "\n\n"])


class Slowly(io.RawIOBase):
    """A file that gives a few bytes at a time."""

    def __init__(self, content, sizes):
        self._content, self._sizes = content, itertools.cycle(sizes)

    def readable(self):
        return True

    def readinto(self, buffer):
        size = min(next(self._sizes), len(buffer))
        given, self._content = self._content[:size], self._content[size:]
        buffer[: len(given)] = given
        return len(given)


def records(content, sizes=(1 << 20,)):
    arrays = list(lines(io.BufferedReader(Slowly(content, sizes))))
    for array in arrays:
        array.validate(full=True)
    return [record for array in arrays for record in array.to_pylist()]


@given(st.lists(PIECES, max_size=12).map("".join), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_records_one_behind_the_other_are_the_file(text, sizes):
    made = records(text.encode(), sizes)
    full = [line for line in text.split("\n") if line.strip()]
    assert [record.strip() for record in made] == [line.strip() for line in full]
    assert "".join(made) == (text if full else "")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n\n \n"])
def test_long_lines_and_many_blocks_are_the_file(end):
    content = (
        b"\n".join([b"1" * 3 * LINES_BYTES, b"2", b"\n" * LINES_BYTES, *[b"[%d]" % n for n in range(300_000)]]) + end
    )
    made = records(content)
    assert len(made) == 300_002
    assert "".join(made).encode() == content


def test_a_small_file_is_one_array():
    assert [len(array) for array in lines(io.BufferedReader(io.BytesIO(b"1\n2\n3")))] == [3]


def test_the_row_of_what_is_no_text_is_named():
    content = b"1\n\n" * (LINES_BYTES // 2) + b'{"a":"\xff"}\n2\n'
    with pytest.raises(FileRefused, match=f"from row {LINES_BYTES // 2} "):
        records(content)


def test_without_what_is_around_them():
    assert stripped(pa.array(["\n \t{}\r\n", " 1 2 "], pa.large_string())).to_pylist() == ["{}", "1 2"]
