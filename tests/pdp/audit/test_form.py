"""The lines of an export are the same through every form that can be read, and the form is remarked."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable

import pytest

from pdp.audit.form import Form

TEXT = '{"format": "x"}\n{"seq": 0}\n{"seq": 1}\n'
LINES = TEXT.splitlines(keepends=True)

FORMS: dict[str, tuple[Callable[[bytes], bytes], list[str]]] = {
    "as written": (bytes, []),
    "gzip": (gzip.compress, ["gzip"]),
    "bzip2": (bz2.compress, ["bzip2"]),
    "xz": (lzma.compress, ["xz"]),
    "packed four times": (
        lambda text: gzip.compress(lzma.compress(bz2.compress(gzip.compress(text)))),
        ["gzip", "xz", "bzip2", "gzip"],
    ),
    "mark": (lambda text: b"\xef\xbb\xbf" + text, ["byte order mark"]),
    "UTF-16": (lambda text: text.decode().encode("utf-16"), ["UTF-16"]),
    "UTF-16, big end first": (lambda text: text.decode().encode("utf-16-be"), ["UTF-16"]),
    "UTF-32": (lambda text: text.decode().encode("utf-32"), ["UTF-32"]),
    "CRLF": (lambda text: text.replace(b"\n", b"\r\n"), []),
    "each line twice": (lambda text: b"".join(line * 2 for line in text.splitlines(keepends=True)), ["doubled"]),
    "twice": (lambda text: text * 2, ["doubled"]),
    "blank lines": (lambda text: text.replace(b"\n", b"\n\n"), []),
    "formatted anew": (lambda _: b'{\n "format": "x"\n}\n{\n "seq": 0\n}\n{\n "seq": 1\n}', ["formatted anew"]),
    "one list": (lambda _: b'[\n{"format": "x"}, {"seq": 0},\n{"seq": 1}\n]', ["formatted anew"]),
}


def read(content: bytes) -> tuple[list[str], list[str]]:
    form = Form()
    with form.lines(io.BufferedReader(io.BytesIO(content))) as lines:  # type: ignore[arg-type]  # bytes are a raw file
        return [line for line in lines if line], form.remarks


@pytest.mark.parametrize(("made", "words"), FORMS.values(), ids=FORMS.keys())
def test_lines_are_the_same_in_every_form(made: Callable[[bytes], bytes], words: list[str]) -> None:
    lines, remarks = read(made(TEXT.encode()))
    assert lines == LINES
    assert len(remarks) == len(words)
    assert all(word in remark for word, remark in zip(words, remarks, strict=True))


@pytest.mark.parametrize("packed", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_file_that_is_cut_is_read_as_far_as_it_goes(packed: Callable[[bytes], bytes]) -> None:
    whole = packed(TEXT.encode() * 100)
    for size in range(6, len(whole)):
        lines, remarks = read(whole[:size])
        assert all(line.rstrip("\n") in TEXT for line in lines)
        assert remarks[0].startswith("it is ")


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", b"{\n" * 10_000, b"[\n" * 10_000, b"\x28\xb5\x2f\xfdxx"])
def test_what_cannot_be_read_ends_without_an_error(content: bytes) -> None:
    lines, remarks = read(content)
    assert len(lines) <= 1
    assert len(remarks) <= 2
