"""Text in any encoding comes out as UTF-8, and what is not text is named as what it is."""

import bz2
import codecs
import gzip
import io
import lzma

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masker.arrow.text import HEAD_BYTES, recognized, utf8
from masker.errors import FileRefused

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=50)


@given(TEXT, st.sampled_from(["utf-8", "utf-16", "utf-32", "utf-8-sig"]))
def test_text_is_the_same_in_utf8(text: str, encoding: str) -> None:
    assert utf8(io.BytesIO(text.encode(encoding)), encoding, packed=False).read().decode() == text


@given(st.text("aé€ \n", min_size=1, max_size=20), st.integers(1, 7))
def test_a_character_on_the_border_of_two_reads_is_whole(text: str, shift: int) -> None:
    long = "x" * (HEAD_BYTES - shift) + text * 3
    assert utf8(io.BytesIO(long.encode("utf-8")), "utf-8", packed=False).read().decode() == long


def test_mark_at_the_beginning_is_not_text_and_packed_text_is_unpacked() -> None:
    marked = codecs.BOM_UTF8 + b"a,b\n"
    assert utf8(io.BytesIO(marked), "", packed=False).read() == b"a,b\n"
    assert utf8(io.BytesIO(gzip.compress(marked)), "", packed=True).read() == b"a,b\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (gzip.compress(b"a", mtime=0), "is gzip"),
        (bz2.compress(b"a"), "is packed with bzip2"),
        (lzma.compress(b"a"), "is packed with xz"),
        (b"PAR1....", "is Parquet"),
        (b"PK\x03\x04", "zip archive"),
        ("a,b\n".encode("utf-16"), "--encoding utf-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), "--encoding utf-16-le"),
        ("a,b\n1,2\n".encode("utf-16-be"), "--encoding utf-16-be"),
        ("a,b\n".encode("utf-32"), "--encoding utf-32"),
    ],
)
def test_what_is_not_utf8_text_is_named_with_what_to_do(content: bytes, says: str) -> None:
    assert says in recognized(content)
    with pytest.raises(FileRefused) as refused:
        utf8(io.BytesIO(content), "", packed=False)
    assert says in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"a", b"a,b\n", "ä€😀".encode(), b"\0", b"[1]"])
def test_text_is_text(content: bytes) -> None:
    assert not recognized(content)


def test_text_in_another_encoding_than_the_given_one_is_refused() -> None:
    with pytest.raises(FileRefused, match="not in the encoding"):
        utf8(io.BytesIO(b"\xff\xfe\x00"), "utf-8", packed=False).read()
