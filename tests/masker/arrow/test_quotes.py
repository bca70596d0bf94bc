"""Python's strict reader says the same of quotation marks, row by row."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.arrow.quotes import BLOCK_BYTES, Blocks, header_cells
from masker.errors import FileRefused

TEXT = st.text(st.sampled_from('",a\n\r'), max_size=24)


def told(text, sizes, *, skips_blank):
    """What the blocks say of a file that is read in pieces; without an error they are the file, its last row ended."""
    pieces = Pieces(text.encode(), sizes)
    blocks = Blocks(pieces.read(9), pieces, ",", '"', skips_blank=skips_blank)
    made = []
    try:
        for first, block in blocks:
            assert first == 1 + sum(naive_rows(b"".join(made).decode(), skips_blank=skips_blank))
            made.append(block)
    except FileRefused as refused:
        return str(refused)
    assert b"".join(made).decode() in {text, text + "\n"}
    return ""


class Pieces(io.BytesIO):
    """A file whose reads are as long as `sizes` says, then whole."""

    def __init__(self, raw, sizes):
        super().__init__(raw)
        self.sizes = list(sizes)

    def read(self, size=-1):
        return super().read(min(size, self.sizes.pop() if self.sizes and size > 1 else size))


def naive_rows(text, *, skips_blank):
    for row in csv.reader(io.StringIO(text, newline=""), strict=True):
        yield bool(row) or not skips_blank


def naive(text, *, skips_blank):
    """What Python's reader says: the rows before the one that it refuses."""
    rows = 0
    try:
        for counts in naive_rows(text, skips_blank=skips_blank):
            rows += counts
    except csv.Error as error:
        if "expected after" not in str(error):
            return "the last row: "  # a cell that is not closed
        return "the header: " if rows == 0 else f"row {rows - 1} "
    return ""


@given(TEXT, st.lists(st.integers(1, 9), max_size=6), st.booleans())
def test_as_python_reads_strictly(text, sizes, skips_blank):
    ours, theirs = told(text, sizes, skips_blank=skips_blank), naive(text, skips_blank=skips_blank)
    assert bool(ours) == bool(theirs)
    assert ours.startswith(theirs)


@given(st.text(st.sampled_from('",a '), max_size=12))
def test_the_header_has_as_many_cells_as_python_reads(text):
    wanted: object = FileRefused
    try:
        rows = list(csv.reader([text], strict=True))
        wanted = len(rows[0]) if rows and rows[0] else FileRefused
    except csv.Error:
        pass
    if wanted is FileRefused:
        with pytest.raises(FileRefused):
            header_cells(text.encode(), ",", '"')
    else:
        assert header_cells(f"{text}\n1,2".encode(), ",", '"') == (wanted, len(text))


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (b'a,"b\nc', "the header: a quotation mark opens a cell and none closes it"),
        (b'a,"b"c\n', "the header: text follows a closing quotation mark"),
        (b"a" * BLOCK_BYTES, "the header is longer than 4 MiB"),
        (b"\r\n\n", "the file is empty"),
    ],
)
def test_a_header_that_has_no_end_is_refused(head, says):
    with pytest.raises(FileRefused) as refused:
        header_cells(head, ",", '"')
    assert str(refused.value).startswith(says)


def test_without_quotation_marks_they_are_text():
    assert header_cells(b'a,"b"c,"\n', ",", "") == (3, 8)
    text = b'"a"b\n"\n'
    assert list(Blocks(text, io.BytesIO(), ",", "", skips_blank=True)) == [(1, text)]
