"""CSV as it is read: what other programs write comes out whole, and nothing is lost without a word."""

import csv
import io
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.arrow.delimited import Delimited
from masker.arrow.formats import Layout
from masker.arrow.quotes import BLOCK_BYTES
from masker.errors import FileRefused


def read(text: str | bytes, layout: Layout | None = None, delimiter: str = ",") -> tuple[list[str], list[list[Any]]]:
    raw = text if isinstance(text, bytes) else text.encode()
    file = Delimited(io.BufferedReader(io.BytesIO(raw)), layout or Layout(), delimiter)
    rows = [list(row.values()) for batch in file.batches() for row in batch.to_pylist()]
    return file.names, rows


SLOW = """
import io, sys
from masker.arrow.delimited import Delimited
from masker.arrow.formats import Layout
from masker.errors import FileRefused

class Slow(io.RawIOBase):
    def readable(self):
        return True

    def readinto(self, buffer):
        sum(range(100_000))  # so long that the interpreter ends meanwhile, if somebody else reads
        buffer[:] = b"a;b;c;d\\n" * (len(buffer) // 8)
        return len(buffer)

try:
    Delimited(io.BufferedReader(Slow(), 1 << 16), Layout(), ",")
except FileRefused as error:
    kept = error  # and with it everything that its traceback holds
sys.exit(2)
"""


def test_no_thread_still_reads_when_the_process_ends() -> None:
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", SLOW], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (2, "")


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
        (b'a,b\n1,2\n3,"4\n5,6\n7,"8"\n', "row 1 (rows count from 0): text follows a closing quotation mark"),
        (b'a,b\n"1"x,2\n', "row 0 (rows count from 0): text follows a closing quotation mark"),
        (b"a,b\n1,2\n3\n", "row 1 (rows count from 0) has 1 cells where the header has 2"),
        (b"c\r\n1,2", "row 0 (rows count from 0) has 2 cells where the header has 1"),
        (b"a,b\n" + b"1,2\n" * 1_100_000 + b"1,2,3", "row 1100000 (rows count from 0) has 3 cells"),
        (b"a,a\n1,2\n", "the names must differ"),
        (b"id;email\n1;a@b\n", "pass --delimiter ';'"),
        (b"a,b\n1,\xff\n", "the text is not UTF-8"),
        (b'"a\nb"\n\xff\n', 'row 0 (rows count from 0), column ["a\\nb"]: the text is not UTF-8'),
        (b"a" * 999 + b"\n\xff\n", f"column {'a' * 60}…: the text is not UTF-8"),
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
