"""CSV as it is read: what other programs write comes out whole, and nothing is lost without a word."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.arrow.delimited import BLOCK_BYTES, Delimited
from masker.arrow.formats import Layout
from masker.errors import FileRefused


def read(text: str | bytes, layout: Layout | None = None, delimiter: str = ",") -> tuple[list[str], list[list[Any]]]:
    raw = text if isinstance(text, bytes) else text.encode()
    file = Delimited(io.BufferedReader(io.BytesIO(raw)), layout or Layout(), delimiter)
    rows = [list(row.values()) for batch in file.batches() for row in batch.to_pylist()]
    return file.names, rows


CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=6)


@given(st.lists(st.tuples(CELL, CELL), max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_what_pythons_writer_wrote_is_read(rows: list[tuple[str, str]], end: str) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator=end)
    writer.writerows([("a", "b"), *rows])
    assert read(file.getvalue()) == (["a", "b"], [list(row) for row in rows])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b'"a,b\n1,2\n', "a quotation mark opens a cell and none closes it"),
        (b'a,b\n1,"2\n3,4\n', "a quotation mark opens a cell and none closes it"),
        (b"a,b\n1,2\n3\n", "row 1 (rows count from 0) has 1 cells where the header has 2"),
        (b"a,a\n1,2\n", "the names must differ"),
        (b"id;email\n1;a@b\n", "pass --delimiter ';'"),
        (b"a,b\n1,\xff\n", "the text is not UTF-8"),
        (b"a\n" + b"x" * (3 * BLOCK_BYTES) + b"\n", "longer than 4 MiB"),
    ],
)
def test_what_is_wrong_is_one_sentence(text: bytes, says: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read(text)
    assert says in str(refused.value)


def test_null_is_not_the_empty_text_and_blanks_go_only_where_asked() -> None:
    assert read('a,b\n,""\n') == (["a", "b"], [[None, ""]])
    assert read(" a ,b\n x ,  \n") == ([" a ", "b"], [[" x ", "  "]])
    assert read(" a ,b\n x ,  \n", Layout(trim=True)) == (["a", "b"], [["x", None]])


def test_as_many_rows_come_out_as_are_in_a_file_of_many_blocks() -> None:
    rows = 3 * BLOCK_BYTES // 8
    names, found = read("n,m\n" + "".join(f"{row:07d},\n" for row in range(rows)))
    assert names == ["n", "m"]
    assert len(found) == rows
    assert found[-1] == [f"{rows - 1:07d}", None]
